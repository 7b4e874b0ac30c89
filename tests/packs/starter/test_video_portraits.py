"""Videos as portraits: their own movement is kept, what is said is new, the loop has no jump."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
import pytest

from ditto import packs
from ditto.errors import CorruptDataError, FaceError
from ditto.media.portrait_video import PortraitVideo
from ditto.packs.starter.video_renderer import StarterVideoRenderer
from ditto.stages import AnimatesVideos, Portrait, Progress
from tests.face import example, moving
from tests.packs.starter.renderer.driving import at_rest, gap_share, measured, motion

N = moving.FRAMES


@pytest.fixture(scope="module")
def renderer() -> StarterVideoRenderer:
    made = packs.load("starter").renderer()
    assert isinstance(made, AnimatesVideos)
    return made


def prepared(
    renderer: StarterVideoRenderer, images: Iterable[np.ndarray]
) -> tuple[Portrait, list[Progress]]:
    steps, seen = renderer.prepare_video(images), []
    while True:
        try:
            seen.append(next(steps))
        except StopIteration as end:
            return end.value, seen


@pytest.fixture(scope="module")
def portrait(renderer: StarterVideoRenderer) -> Portrait:
    made, progress = prepared(renderer, PortraitVideo(moving.video()))
    assert progress[-1] == Progress(N, N)
    assert [step.frames_done for step in progress] == [0] * N + list(range(1, N + 1))
    return made


def head(
    renderer: StarterVideoRenderer, portrait: Portrait, frame: int, drive: np.ndarray
) -> np.ndarray:
    return renderer.render_head(renderer.appearance_at(portrait.appearance, frame), drive)


def test_head_keeps_the_video_s_movement_and_lips_follow_the_motion(
    renderer: StarterVideoRenderer, portrait: Portrait
) -> None:
    assert renderer.source_frames(portrait.appearance) == N
    frames = range(0, N, 3)
    shut = [measured(head(renderer, portrait, i, motion(portrait))) for i in frames]
    wide = [
        measured(head(renderer, portrait, i, motion(portrait, lipGap=0.8, jawOpen=0.6)))
        for i in frames
    ]
    yaw = np.array([face.frame.angles_degrees()[1] for face in shut])
    source = moving.turn_degrees()[::3]
    assert np.corrcoef(yaw, source)[0, 1] > 0.99
    assert 0.7 < np.ptp(yaw) / np.ptp(source) < 1.3
    assert max(gap_share(face) for face in shut) < 0.02  # the source's own mouth opens and shuts
    assert min(gap_share(face) for face in wide) > 0.05


def test_a_turn_that_is_asked_for_comes_on_top(
    renderer: StarterVideoRenderer, portrait: Portrait
) -> None:
    for i in (0, N - 4):
        own, turned = (
            measured(head(renderer, portrait, i, motion(portrait, turn=(0, yaw, 0))))
            for yaw in (0, 6)
        )
        change = turned.frame.angles_degrees()[1] - own.frame.angles_degrees()[1]
        assert 3.5 < change < 9


def test_the_loop_turns_without_a_jump(renderer: StarterVideoRenderer, portrait: Portrait) -> None:
    drive = at_rest(portrait)
    shown = [head(renderer, portrait, i, drive).astype(np.int16) for i in range(2 * N + 2)]
    change = np.array([np.abs(b - a).mean() for a, b in pairwise(shown)])
    usual = np.median(change)
    assert usual > 0.3  # it moves
    assert change[[N - 1, 2 * N - 1]].max() == 0  # the turning points: the same picture twice
    assert change.max() < 3 * usual
    for back in range(4):
        assert (shown[N + back] == shown[N - 1 - back]).all()


def test_a_frame_is_a_function_of_its_index_alone(
    renderer: StarterVideoRenderer, portrait: Portrait
) -> None:
    again = renderer.load_appearance(renderer.dump_appearance(portrait))
    assert again.warnings == portrait.warnings
    drive = motion(again, lipGap=0.4)
    for index in (5, 2 * N + 5, 1000 * 2 * N + 5):
        assert (head(renderer, again, index, drive) == head(renderer, portrait, 5, drive)).all()


def test_the_full_view_is_the_video_s_picture_around_the_face(
    renderer: StarterVideoRenderer, portrait: Portrait
) -> None:
    height, width = moving.pictures()[0].shape[:2]
    assert renderer.full_size(portrait.appearance) == (width, height)
    for i in (2, N - 3):
        appearance = renderer.appearance_at(portrait.appearance, i)
        drive = motion(portrait, lipGap=0.7, jawOpen=0.5)
        full = renderer.paste_back(appearance, renderer.render_head(appearance, drive))
        differs = np.abs(full.astype(int) - moving.pictures()[i]).mean(axis=2)
        assert differs.mean() < 4
        assert np.median(differs) < 2
        assert gap_share(measured(full)) > 0.04


def draw_all(renderer: StarterVideoRenderer, data: bytes) -> None:
    portrait = renderer.load_appearance(data)
    for frame in range(N):
        head(renderer, portrait, frame, at_rest(portrait))


def test_damaged_bytes_are_refused(renderer: StarterVideoRenderer, portrait: Portrait) -> None:
    data = renderer.dump_appearance(portrait)
    for broken in (data[:-1], data[:6], data[:4] + b"\xff" * 4 + data[8:]):
        with pytest.raises(CorruptDataError):
            renderer.load_appearance(broken)
    dented = bytearray(data)
    dented[len(data) // 2] ^= 0xFF
    with pytest.raises(CorruptDataError):
        draw_all(renderer, bytes(dented))


def test_videos_without_a_steady_face_are_refused_with_the_moment(
    renderer: StarterVideoRenderer,
) -> None:
    picture = example.close_up()
    grey = np.full_like(picture, 90)
    with pytest.raises(FaceError, match=r"video at 0\.12 s: the face is lost"):
        prepared(renderer, [picture] * 3 + [grey])
    with pytest.raises(FaceError, match="no face found"):
        prepared(renderer, [grey] * 3)
    wide = np.pad(picture, ((0, 0), (0, 900), (0, 0)), mode="edge")
    moved = [np.roll(wide, 30 * step, axis=1) for step in range(26)]
    with pytest.raises(FaceError, match="moves too far"):
        prepared(renderer, moved)
