"""Regional and magnitude control, pose, eyes, named amounts: measured on motion."""

import numpy as np
import pytest

from ditto.errors import InvalidInputError
from ditto.motion import arkit, controls, gaze, semantics
from ditto.motion.head_control import head_turn, quaternion_to_degrees
from ditto.motion.layout import EXPRESSION, Motion, pack, unpack
from ditto.motion.motion_control import SCALARS, MotionControl
from ditto.motion.track import load_track, onto, save_track
from tests.motion.test_controls import REFERENCE, amounts, motion_of, shaped

STILL = np.repeat(REFERENCE[None], 60, axis=0)
REGIONS = {
    "lips_gain": ("mouthPress", "mouthSmile"),
    "jaw_gain": ("jawOpen",),
    "brows_gain": ("browUp",),
    "cheeks_gain": ("cheekRaise",),
}


def driven(control: MotionControl, motion: np.ndarray = STILL, **settings) -> np.ndarray:
    return controls.apply(controls.init_state(control), 0, motion, REFERENCE, **settings)[1]


@pytest.mark.parametrize("gain", REGIONS)
def test_a_region_freezes_alone(gain):
    every = [name for names in REGIONS.values() for name in names]
    moving = motion_of(3, **dict.fromkeys(every, 0.4))
    after = amounts(shaped(moving, MotionControl(**{gain: 0})))
    for name in every:
        assert after[name] == pytest.approx(0 if name in REGIONS[gain] else 0.4, abs=1e-4)


def test_near_the_neck_the_jaw_and_the_shift_of_the_head_are_held():
    moving = motion_of(5, jawOpen=0.6, browUp=0.5)
    result = shaped(moving, MotionControl(neck_gain=0))
    assert amounts(result)["jawOpen"] == pytest.approx(0, abs=1e-4)
    assert amounts(result)["browUp"] == pytest.approx(0.5, abs=1e-4)
    assert unpack(result).t == pytest.approx(np.zeros((5, 3)), abs=1e-6)
    assert unpack(result).yaw == pytest.approx(unpack(moving).yaw, abs=1e-2)


def test_hard_limits_hold_for_expression_and_pose():
    moving = motion_of(80, jawOpen=0.9, gazeX=-0.8)
    result = shaped(moving, MotionControl(expression_limit=0.3, head_limit_degrees=1, head_gain=2))
    assert amounts(result)["jawOpen"] == pytest.approx(0.3, abs=1e-4)
    assert amounts(result)["gazeX"] == pytest.approx(-0.3, abs=1e-4)
    assert np.abs(head_turn(result, REFERENCE)).max() <= 1 + 1e-2


def test_the_default_limit_stops_a_head_that_turns_too_far():
    far = motion_of(1)
    turned = pack(Motion(**{**vars(unpack(far)), "yaw": np.full(1, 44, np.float32)}))
    control = MotionControl(yaw_offset_degrees=-25)  # the same way: motion counts yaw backwards
    assert np.abs(head_turn(shaped(turned, control), REFERENCE)).max() <= 30 + 1e-2


def test_a_pose_track_is_followed_in_angles_and_quaternions():
    track = np.array([[0, 0, 0, 0], [20, 0, 15, 0], [40, 10, -5, 3]], np.float32)
    result = head_turn(driven(MotionControl(pose_track=track)), REFERENCE)
    assert result[20] == pytest.approx([0, 15, 0], abs=1e-2)
    assert result[30] == pytest.approx([5, 5, 1.5], abs=1e-2)
    assert result[59] == pytest.approx([10, -5, 3], abs=1e-2)
    half = np.radians(10) / 2
    assert quaternion_to_degrees(np.sin(half), 0, 0, np.cos(half)) == pytest.approx([10, 0, 0])
    assert quaternion_to_degrees(0, np.sin(half), 0, np.cos(half)) == pytest.approx([0, -10, 0])
    assert quaternion_to_degrees(0, 0, np.sin(half), np.cos(half)) == pytest.approx([0, 0, 10])


def test_a_track_replaces_the_generated_pose_and_lets_go_again():
    moving = motion_of(120)
    track = np.array([[0, 5, 5, 5]], np.float32)
    state = controls.init_state(MotionControl(pose_track=track))
    state = controls.schedule(state, MotionControl(pose_weight=0), 60)
    _, result = controls.apply(state, 0, moving, REFERENCE)
    assert head_turn(result, REFERENCE)[:60] == pytest.approx(np.full((60, 3), 5), abs=1e-2)
    assert np.array_equal(result[70:], moving[70:])


def test_look_at_turns_head_and_eyes_together():
    matrix = gaze.released_gaze()
    look = MotionControl(look_at_yaw_degrees=20, look_at_weight=1, look_at_head_share=0.5)
    result = driven(look, gaze=matrix)
    assert head_turn(result, REFERENCE)[-1] == pytest.approx([0, 10, 0], abs=1e-2)
    expected = matrix @ np.array([0, -10, 0])  # the eyes add the other half
    assert result[-1, EXPRESSION] == pytest.approx(expected, abs=1e-5)


def test_the_fit_gets_the_matrix_of_its_template_back():
    rng = np.random.default_rng(3)
    angles = np.cumsum(rng.normal(0, 1, (3, 300)), axis=1).astype(np.float32)
    angles -= angles[:, :1]
    zero, flat = np.zeros(300, np.float32), np.zeros((300, 63), np.float32)
    template = pack(Motion(zero + 1, *angles, np.zeros((300, 3), np.float32), flat))
    known = gaze.released_gaze()
    template[:, EXPRESSION] = head_turn(template, template[0]) @ known.T
    template[:, EXPRESSION] += rng.normal(0, 5e-5, (300, 63))
    fitted = gaze.fit(template)
    assert fitted[:, :2] == pytest.approx(known[:, :2], abs=2e-5)
    with pytest.raises(InvalidInputError, match="degrees"):
        gaze.fit(template[:1].repeat(50, axis=0))


def test_correction_turns_the_eyes_against_the_head_and_only_then():
    matrix = gaze.released_gaze()
    turned = MotionControl(yaw_offset_degrees=10)
    held = driven(turned, gaze=matrix)[-1, EXPRESSION]
    assert held == pytest.approx(matrix @ [0, 10, 0], abs=1e-5)
    off = MotionControl(yaw_offset_degrees=10, gaze_correction=0)
    assert driven(off, gaze=matrix)[-1, EXPRESSION] == pytest.approx(np.zeros(63), abs=1e-6)


def test_looks_away_come_at_their_intervals_and_within_their_limit():
    matrix = gaze.released_gaze()
    control = MotionControl(
        look_away_degrees=20, look_away_min_frames=100, look_away_range_frames=50
    )
    long = np.repeat(REFERENCE[None], 3000, axis=0)
    result = driven(control, long, gaze=matrix)[:, EXPRESSION]
    yaw = result[:, 33] / matrix[33, 1] * -1
    away = np.abs(yaw) > 5
    starts = np.flatnonzero(np.diff(away.astype(int)) == 1)
    assert 18 <= len(starts) <= 20
    assert np.diff(starts).min() >= 100
    assert 12 <= np.abs(yaw).max() <= 20.1
    assert np.abs(np.diff(yaw)).max() < 10  # quick, and no jump
    again = driven(control, long, gaze=matrix)[:, EXPRESSION]
    assert np.array_equal(again, result)
    assert not np.array_equal(driven(control, long, gaze=matrix, seed=1)[:, EXPRESSION], result)


def test_a_blink_that_is_asked_for_closes_and_opens_the_lids():
    state = controls.schedule(controls.init_state(), MotionControl(blink_now_frames=10), 7)
    _, result = controls.apply(state, 0, STILL, REFERENCE)
    at = semantics.control_index("eyeBlinkLeft")
    lids = semantics.decode(result[:, EXPRESSION])[:, at]
    assert lids[:7] == pytest.approx(0, abs=1e-5)
    assert lids.max() == pytest.approx(1, abs=1e-3)
    assert lids[17:] == pytest.approx(0, abs=1e-4)
    assert np.abs(np.diff(lids)).max() < 0.5


def test_squint_closed_lids_and_named_amounts_are_added():
    control = MotionControl(
        squint=0.5, eyes_closed=0.4, amounts={"mouthSmileLeft": 1, "browUp": 0.3}
    )
    after = amounts(driven(control))
    expected = {"eyeSquint": 0.5, "eyeBlinkLeft": 0.4, "mouthSmile": 0.5, "browUp": 0.3}
    for name, amount in expected.items():
        assert after[name] == pytest.approx(amount, abs=1e-4)


def test_amounts_reach_every_control_by_arkit_name_and_come_back():
    rng = np.random.default_rng(0)
    for _ in range(20):
        wanted = rng.uniform(*semantics.control_ranges().T).astype(np.float32)
        assert arkit.to_controls(arkit.from_controls(wanted)) == pytest.approx(wanted, abs=0.02)
    assert len(arkit.blendshape_names()) >= 35
    with pytest.raises(InvalidInputError, match=r"blendshapes.*noseWiggle"):
        MotionControl(amounts={"noseWiggle": 1})


@pytest.mark.parametrize("name", SCALARS)
def test_every_value_is_refused_outside_its_range_by_name(name):
    scalar = SCALARS[name]
    for value in (scalar.low - 0.1, scalar.high + 0.1, np.nan):
        with pytest.raises(InvalidInputError, match=name):
            MotionControl(**{name: value})


def test_what_a_control_does_not_name_stays_and_reset_clears_it():
    state = controls.init_state(MotionControl(yaw_offset_degrees=10))
    state = controls.schedule(state, MotionControl(squint=0.5), 5)
    state = controls.schedule(state, MotionControl(pitch_offset_degrees=4), 5)
    state = controls.schedule(state, MotionControl(reset=True, squint=0.25), 30)
    _, result = controls.apply(state, 0, STILL, REFERENCE)
    assert head_turn(result, REFERENCE)[20] == pytest.approx([4, 10, 0], abs=1e-2)
    assert amounts(result[:21])["eyeSquint"] == pytest.approx(0.5, abs=1e-4)
    assert head_turn(result, REFERENCE)[-1] == pytest.approx([0, 0, 0], abs=1e-2)
    assert amounts(result)["eyeSquint"] == pytest.approx(0.25, abs=1e-4)


def test_velocity_and_acceleration_are_bounded_whatever_interrupts_what():
    rng = np.random.default_rng(11)
    long = np.repeat(REFERENCE[None], 200, axis=0)
    state = controls.init_state()
    for frame in np.sort(rng.choice(190, 30, replace=False)):
        yaw, closed = rng.uniform(-25, 25), rng.uniform(0, 1)
        control = MotionControl(yaw_offset_degrees=yaw, eyes_closed=closed)
        if rng.random() < 0.3:
            control = MotionControl(
                pose_track=np.array([[0, *rng.uniform(-20, 20, 3)]], np.float32)
            )
        elif rng.random() < 0.3:
            control = MotionControl(pose_weight=0)
        state = controls.schedule(state, control, int(frame))
    _, result = controls.apply(state, 0, long, REFERENCE)
    angles = head_turn(result, REFERENCE)
    speed = np.diff(angles, axis=0)
    assert np.abs(angles).max() > 15
    assert np.abs(speed).max() < 13  # a turn of 50 degrees peaks at 7.5 a frame; two add up
    assert np.abs(np.diff(speed, axis=0)).max() < 6.5  # a jump would be 20 and more


def test_tracks_survive_the_disk_and_go_onto_another_face(tmp_path):
    moving = motion_of(12, jawOpen=0.3)
    save_track(tmp_path / "track.npz", moving)
    loaded = load_track(tmp_path / "track.npz")
    assert loaded == pytest.approx(moving, abs=2e-2)
    moved = onto(loaded, REFERENCE)
    assert moved[0] == pytest.approx(REFERENCE, abs=2e-2)
    turned = unpack(moving).yaw - unpack(moving).yaw[0]
    assert unpack(moved).yaw == pytest.approx(turned, abs=1e-2)
    (tmp_path / "broken.npz").write_bytes(b"PK\3\4 not a track")
    with pytest.raises(Exception, match="damaged"):
        load_track(tmp_path / "broken.npz")
