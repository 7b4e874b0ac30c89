"""The modules one by one: every step is measured, and two runs can be compared."""

from __future__ import annotations

from dataclasses import asdict

import cv2
import pytest

from bench.module_inputs import prepared
from bench.modules import BATCHES, Figures, lines, measure

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def found() -> dict[str, Figures]:
    cv2.setNumThreads(1)
    return measure(prepared(), rounds=2)


def test_every_step_of_every_module_is_measured(found: dict[str, Figures]) -> None:
    for module in ("audio_encoder", "motion_dit"):
        assert {f"{module}, batch {batch}" for batch in BATCHES} <= set(found)
    assert {"frame, speaking", "frame, blinking", "JPEG, head", "features over the wire"} <= set(
        found
    )
    for figures in found.values():
        assert figures.cpu_ms > 0
        assert figures.share > 0


def test_repainting_allocates_less_than_a_new_picture(found: dict[str, Figures]) -> None:
    assert found["full view, repainted"].peak_kb < found["full view, new"].peak_kb - 500


def test_an_earlier_run_stands_beside_this_one(found: dict[str, Figures]) -> None:
    earlier = {name: asdict(figures) for name, figures in found.items()}
    earlier["frame, speaking"]["cpu_ms"] *= 2
    printed = list(lines(found, earlier))
    assert len(printed) == 1 + len(found)
    (speaking,) = (line for line in printed if line.startswith("frame, speaking"))
    assert "(x0.50)" in speaking
    assert "before" not in "".join(lines(found, {}))
