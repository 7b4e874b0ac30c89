"""Motion that a caller sends, and idling between: alive, repeatable, joined without a jump."""

from __future__ import annotations

import numpy as np
import pytest

from ditto.motion import driving, semantics
from ditto.motion.idle import idle_motion
from ditto.motion.layout import EXPRESSION, EXPRESSION_DIM, Motion, pack, unpack

SEED = 5
SHUT_MOUTH = semantics.control_index("lipGap")
BLINKS = [semantics.control_index(name) for name in ("eyeBlinkRight", "eyeBlinkLeft")]


def reference(lip_gap: float = 0.3) -> np.ndarray:
    """(265,) a portrait with its mouth a little open, turned a little."""
    exp = lip_gap * semantics.control_matrix()[SHUT_MOUTH]
    one = np.ones(1, np.float32)
    return pack(Motion(one, 3 * one, -5 * one, one, np.zeros((1, 3), np.float32), exp[None]))[0]


def nodding(frames: int = 60) -> np.ndarray:
    """(T, 265) yaw and jaw in movement, from the first frame to the last."""
    time = np.arange(frames) / 25
    zero = np.zeros(frames, np.float32)
    exp = np.zeros((frames, EXPRESSION_DIM), np.float32)
    exp += np.abs(np.sin(9 * time))[:, None] * semantics.control_matrix()[SHUT_MOUTH]
    yaw = (12 * np.sin(2 * time)).astype(np.float32)
    return pack(Motion(zero + 1, zero, yaw, zero, np.zeros((frames, 3), np.float32), exp))


def angles(frames: np.ndarray) -> np.ndarray:
    motion = unpack(frames)
    return np.stack([motion.pitch, motion.yaw, motion.roll], axis=1)


def test_idling_is_alive_shuts_the_mouth_and_blinks() -> None:
    shown = idle_motion(reference(), np.arange(1500), SEED)
    turn = angles(shown) - angles(reference()[None])
    assert (turn.std(axis=0) > 0.15).all()
    assert np.abs(turn).max() < 3
    assert np.abs(np.diff(turn, axis=0)).max() < 0.15
    amounts = semantics.decode(shown[:, EXPRESSION])
    assert np.abs(amounts[:, SHUT_MOUTH]).max() < 0.01
    shut = amounts[:, BLINKS].min(axis=1) > 0.9
    assert 12 <= (np.diff(shut.astype(int)) == 1).sum() <= 18  # in a minute
    assert np.abs(np.diff(amounts[:, BLINKS[0]])).max() < 0.6


def test_idling_is_a_function_of_seed_and_frame() -> None:
    whole = idle_motion(reference(), np.arange(200), SEED)
    assert (idle_motion(reference(), np.arange(120, 130), SEED) == whole[120:130]).all()
    assert np.abs(idle_motion(reference(), np.arange(200), SEED + 1) - whole).max() > 0.1


@pytest.mark.parametrize(("per_minute", "expected"), [(0, 0), (60, 60), (120, 120)])
def test_blinks_come_as_often_as_asked(per_minute: float, expected: int) -> None:
    shown = idle_motion(reference(), np.arange(1500), SEED, per_minute, blink_frames=6)
    shut = semantics.decode(shown[:, EXPRESSION])[:, BLINKS[0]] > 0.5
    blinks = int((np.diff(shut.astype(int)) == 1).sum())
    assert blinks == pytest.approx(expected, rel=0.05, abs=1)


def run(*parts: np.ndarray | int, block: int = 7) -> np.ndarray:
    """Motion in blocks where an array is given, idling where a number of frames is."""
    state, shown, first = driving.init_state(), [], 0
    for part in parts:
        count = part if isinstance(part, int) else len(part)
        for at in range(0, count, block):
            size = min(block, count - at)
            if isinstance(part, int):
                state, frames = driving.idle(state, size, reference(), first, SEED)
            else:
                piece = part[at : at + size]
                state, frames = driving.drive(state, piece, reference(), first)
            shown.append(frames)
            first += size
    return np.concatenate(shown)


def test_sent_motion_is_shown_as_it_is_relative_to_its_first_frame() -> None:
    shown = run(nodding())
    moved = angles(shown) - angles(reference()[None])
    assert np.abs(moved - (angles(nodding()) - angles(nodding()[:1]))).max() < 0.01


def test_idling_ends_and_begins_without_a_jump() -> None:
    shown = run(40, nodding(), 60, nodding(30), 40)
    assert len(shown) == 230
    pose = angles(shown)
    speed, change = np.diff(pose, axis=0), np.diff(pose, 2, axis=0)
    sent = np.diff(angles(nodding()), axis=0)
    assert np.abs(speed).max() < 2 * np.abs(sent).max()
    assert np.abs(change).max() < 0.5
    lips = semantics.decode(shown[:, EXPRESSION])[:, SHUT_MOUTH]
    assert np.abs(np.diff(lips)).max() < 1.3 * np.abs(np.sin(9 / 25))
    assert np.abs(lips[40 + 60 + 14 : 160]).max() < 0.02  # idle again: shut
    settled = idle_motion(reference(), np.arange(114, 160), SEED)
    assert np.abs(pose[114:160] - angles(settled)).max() < 0.01


def test_any_cut_into_blocks_gives_the_same() -> None:
    whole = run(20, nodding(), 30, block=200)
    for block in (1, 3, 16):
        cut = run(20, nodding(), 30, block=block)
        # the first block tells how fast the sent motion begins, if it has two frames
        assert np.abs(angles(cut) - angles(whole)).max() < (0.01 if block > 1 else 1.5)
