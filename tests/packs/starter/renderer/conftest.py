"""The astronaut, registered once: smiling with teeth, so that closing the lips is a real test."""

from __future__ import annotations

import cv2
import pytest

from ditto.packs.starter.renderer import StarterRenderer
from ditto.packs.starter.renderer.appearance import Appearance
from ditto.stages import Portrait
from tests.face import example


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    cv2.setNumThreads(1)


@pytest.fixture(scope="session")
def renderer() -> StarterRenderer:
    return StarterRenderer(example.task_path())


@pytest.fixture(scope="session")
def portrait(renderer: StarterRenderer) -> Portrait[Appearance]:
    return renderer.prepare(example.close_up())
