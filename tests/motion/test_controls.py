"""Controls: regions stay apart, 1 changes nothing, nothing jumps, and cutting does not matter."""

import numpy as np
import pytest

from ditto.errors import InvalidInputError
from ditto.motion import controls, semantics
from ditto.motion.controls import EASE_FRAMES, MAX_PENDING, MotionControl
from ditto.motion.layout import EXPRESSION, MOTION_DIM, Motion, pack, unpack


def motion_of(frames: int, seed: int = 0, **amounts: float) -> np.ndarray:
    """Smooth pose and the named controls at a constant amount."""
    rng = np.random.default_rng(seed)
    vector = np.zeros(len(semantics.control_names()), np.float32)
    for name, amount in amounts.items():
        vector[semantics.control_index(name)] = amount
    angles = np.cumsum(rng.normal(0, 0.5, (3, frames)), axis=1).astype(np.float32)
    return pack(
        Motion(
            scale=np.full(frames, 1.5, np.float32),
            pitch=angles[0],
            yaw=angles[1],
            roll=angles[2],
            t=rng.normal(0, 0.01, (frames, 3)).astype(np.float32),
            exp=np.repeat(semantics.encode(vector)[None], frames, axis=0),
        )
    )


REFERENCE = pack(
    Motion(
        scale=np.full(1, 1.5, np.float32),
        pitch=np.zeros(1, np.float32),
        yaw=np.zeros(1, np.float32),
        roll=np.zeros(1, np.float32),
        t=np.zeros((1, 3), np.float32),
        exp=np.zeros((1, 63), np.float32),
    )
)[0]


def shaped(motion: np.ndarray, control: MotionControl) -> np.ndarray:
    return controls.apply(controls.init_state(control), 0, motion, REFERENCE)[1]


def amounts(motion: np.ndarray) -> dict[str, float]:
    decoded = semantics.decode(motion[-1, EXPRESSION])
    return dict(zip(semantics.control_names(), decoded.tolist(), strict=True))


def test_the_default_control_changes_nothing_to_the_bit():
    motion = motion_of(5, jawOpen=0.4)
    assert shaped(motion, MotionControl()) is motion


@pytest.mark.parametrize(
    ("gain", "own", "others"),
    [
        ("mouth_gain", ("jawOpen", "mouthPress"), ("eyeBlinkLeft", "gazeX", "mouthSmile")),
        ("eye_gain", ("eyeBlinkLeft", "gazeX"), ("jawOpen", "mouthSmile", "browUp")),
        ("expression_gain", ("mouthSmile", "browUp"), ("jawOpen", "eyeBlinkLeft", "gazeX")),
    ],
)
def test_a_gain_scales_its_own_region_alone(gain, own, others):
    motion = motion_of(3, **dict.fromkeys((*own, *others), 0.4))
    changed = amounts(shaped(motion, MotionControl(**{gain: 0.5})))
    assert [changed[name] for name in own] == pytest.approx([0.2] * len(own), abs=1e-4)
    assert [changed[name] for name in others] == pytest.approx([0.4] * len(others), abs=1e-4)


def test_all_gains_at_zero_leave_the_portrait_at_rest():
    still = MotionControl(mouth_gain=0, head_gain=0, eye_gain=0, expression_gain=0)
    motion = motion_of(4, jawOpen=0.7, gazeX=-0.5)
    motion[:, EXPRESSION] += np.random.default_rng(1).normal(0, 0.01, (4, 63)).astype(np.float32)
    result, rest = unpack(shaped(motion, still)), unpack(REFERENCE[None])
    for name in ("scale", "pitch", "yaw", "roll", "t", "exp"):
        assert getattr(result, name) == pytest.approx(
            np.broadcast_to(getattr(rest, name), getattr(result, name).shape), abs=2e-3
        )


def test_amplified_controls_stay_within_their_range():
    changed = amounts(shaped(motion_of(2, jawOpen=0.8, gazeX=-0.9), MotionControl(mouth_gain=2)))
    assert changed["jawOpen"] == pytest.approx(1.0, abs=1e-4)
    assert changed["gazeX"] == pytest.approx(-0.9, abs=1e-4)


def test_offsets_turn_the_head_by_so_many_degrees():
    motion = motion_of(2)
    offsets = MotionControl(pitch_offset_degrees=5, yaw_offset_degrees=8, roll_offset_degrees=-3)
    before, after = unpack(motion), unpack(shaped(motion, offsets))
    assert after.pitch - before.pitch == pytest.approx([5, 5], abs=5e-3)
    assert after.yaw - before.yaw == pytest.approx([-8, -8], abs=5e-3)
    assert after.roll - before.roll == pytest.approx([-3, -3], abs=5e-3)


def test_a_control_is_eased_in_from_its_frame_on():
    still = np.repeat(motion_of(1), 40, axis=0)
    state = controls.schedule(
        controls.init_state(), MotionControl(pitch_offset_degrees=20), from_frame=12
    )
    _, result = controls.apply(state, 0, still, REFERENCE)
    added = unpack(result).pitch - unpack(still).pitch
    assert np.array_equal(result[:12], still[:12])
    assert added[12] > 0.1
    assert added[12 + EASE_FRAMES - 1 :] == pytest.approx(20, abs=5e-3)
    assert np.abs(np.diff(added)).max() < 20 * 0.16


def test_a_control_that_interrupts_another_does_not_jump():
    still = np.repeat(motion_of(1), 40, axis=0)
    state = controls.init_state()
    state = controls.schedule(state, MotionControl(pitch_offset_degrees=20), from_frame=5)
    state = controls.schedule(state, MotionControl(pitch_offset_degrees=-20), from_frame=9)
    _, result = controls.apply(state, 0, still, REFERENCE)
    added = unpack(result).pitch - unpack(still).pitch
    assert np.abs(np.diff(added)).max() < 40 * 0.16
    assert added[-1] == pytest.approx(-20, abs=5e-3)


def test_a_frame_that_has_passed_means_the_next_one():
    still = np.repeat(motion_of(1), 30, axis=0)
    state, _ = controls.apply(controls.init_state(), 0, still, REFERENCE)
    state = controls.schedule(state, MotionControl(pitch_offset_degrees=10), from_frame=3)
    _, result = controls.apply(state, 30, still, REFERENCE)
    added = unpack(result).pitch - unpack(still).pitch
    assert 0 < added[0] < 1
    assert added[-1] == pytest.approx(10, abs=5e-3)


def test_the_cut_into_blocks_does_not_matter():
    motion = motion_of(30, jawOpen=0.5)
    start = controls.schedule(
        controls.init_state(MotionControl(head_gain=0.5)), MotionControl(mouth_gain=0.2), 7
    )
    _, whole = controls.apply(start, 0, motion, REFERENCE)
    state, parts, first = start, [], 0
    for length in (1, 9, 4, 16):
        state, part = controls.apply(state, first, motion[first : first + length], REFERENCE)
        parts.append(part)
        first += length
    assert np.array_equal(np.concatenate(parts), whole)


def test_an_empty_block_is_taken():
    empty = np.zeros((0, MOTION_DIM), np.float32)
    assert controls.apply(controls.init_state(), 0, empty, REFERENCE)[1].shape == (0, MOTION_DIM)


@pytest.mark.parametrize(
    ("name", "value"),
    [("mouth_gain", 2.1), ("head_gain", -0.1), ("yaw_offset_degrees", 26), ("eye_gain", np.nan)],
)
def test_values_out_of_range_are_refused_by_name(name, value):
    with pytest.raises(InvalidInputError, match=name):
        MotionControl(**{name: value})


def test_waiting_controls_are_bounded_and_one_a_frame():
    state = controls.init_state()
    for frame in range(MAX_PENDING):
        state = controls.schedule(state, MotionControl(), 100 + frame)
        state = controls.schedule(state, MotionControl(mouth_gain=0.5), 100 + frame)
    with pytest.raises(InvalidInputError, match="wait"):
        controls.schedule(state, MotionControl(), 99)
