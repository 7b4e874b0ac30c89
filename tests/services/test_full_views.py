"""FULL views of a session: two pictures, repainted in turn, never another portrait's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ditto.stages import FaceIdentity, Image, Portrait
from ditto.v1 import types_pb2
from services.renderer.session import RenderSession


class Painter:
    """A renderer whose FULL view is a wide picture with the head's grey in its middle."""

    head_size = 16

    def __init__(self) -> None:
        self.made = 0

    def full_size(self, appearance: Any) -> tuple[int, int]:
        return 64, 32

    def paste_back(self, appearance: Any, head: Image) -> Image:
        self.made += 1
        picture = np.full((32, 64, 3), appearance, np.uint8)
        self.repaint_full(appearance, head, picture)
        return picture

    def repaint_full(self, appearance: Any, head: Image, picture: Image) -> None:
        picture[8:24, 8:24] = head


def session(renderer: Any) -> RenderSession:
    nothing = np.zeros(0, np.float32)
    return RenderSession(
        renderer,
        Portrait(7, FaceIdentity(nothing, nothing, nothing)),
        types_pb2.VIEW_FULL,
        types_pb2.VideoFormat(encoding=types_pb2.VIDEO_ENCODING_RGB24),
        25,
        "libx264",
    )


def head(grey: int) -> Image:
    return np.full((16, 16, 3), grey, np.uint8)


def test_two_pictures_are_made_and_repainted_in_turn() -> None:
    renderer = Painter()
    views = session(renderer)
    pictures = [views.view_of(head(grey), grey) for grey in range(10)]
    assert renderer.made == 2
    for grey in (8, 9):  # one may be encoded while the other is drawn
        assert (pictures[grey][8:24, 8:24] == grey).all()
        assert (pictures[grey][:8] == 7).all()


def test_sessions_share_no_picture() -> None:
    renderer = Painter()
    first, second = session(renderer), session(renderer)
    shown = [s.view_of(head(grey), 0) for grey, s in ((1, first), (2, second)) * 3]
    assert len({id(picture) for picture in shown}) == 4


def test_a_video_whose_picture_changes_gets_a_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    renderer = Painter()
    views = session(renderer)
    monkeypatch.setattr(views, "appearance_at", lambda frame: 100 + frame)
    pictures = [views.view_of(head(0), frame) for frame in range(5)]
    assert renderer.made == 5
    assert [int(picture[0, 0, 0]) for picture in pictures] == [100, 101, 102, 103, 104]
