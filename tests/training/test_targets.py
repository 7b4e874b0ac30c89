"""Rule-made targets: lips that seal, a calm head, presets within their ranges."""

from __future__ import annotations

import numpy as np

from ditto.packs.starter import coordinates
from ditto.training.dataset import Clip
from ditto.training.speech.phones import PAUSE, Phone, lay_out
from ditto.training.speech.takes import Take
from ditto.training.targets import emotion, head
from ditto.training.targets.mouth import CONTROLS, mouth_curves

GAP, PUCKER = CONTROLS.index("lipGap"), CONTROLS.index("mouthPucker")


def say(*durations: tuple[str, float]) -> tuple[Phone, ...]:
    return lay_out([(PAUSE, 0.6), *durations, (PAUSE, 0.6)])


def test_lips_seal_at_p_between_open_vowels() -> None:
    curves = mouth_curves(say(("aa", 0.2), ("p", 0.08), ("aa", 0.2)), 42)
    gap = curves[:, GAP]
    assert gap[15:28].max() > 0.7
    assert gap[20:22].min() < 0.05
    assert gap[:10].max() < 0.05
    assert gap[-8:].max() < 0.05


def test_rounding_spreads_into_the_neighbours() -> None:
    before_oo = mouth_curves(say(("s", 0.12), ("uw", 0.25)), 40)[:, PUCKER]
    before_ee = mouth_curves(say(("s", 0.12), ("iy", 0.25)), 40)[:, PUCKER]
    during_s = slice(16, 18)
    assert before_oo[during_s].mean() > before_ee[during_s].mean() + 0.1


def test_short_pauses_keep_lips_parted_and_long_ones_close_them() -> None:
    def gap_in_pause(seconds: float) -> float:
        curves = mouth_curves(say(("aa", 0.2), (PAUSE, seconds), ("aa", 0.2)), 75)
        return float(curves[int((0.8 + seconds / 2) * 25), GAP])

    assert gap_in_pause(0.12) > 0.2
    assert gap_in_pause(0.7) < 0.05


def test_every_closure_of_the_example_seals(clip: Clip) -> None:
    gap = clip.face[0][:, coordinates.index("lipGap")]
    assert clip.closures.sum() >= 8
    assert (gap[clip.closures] < 0.2).all()


def test_the_head_is_calm_and_calmer_in_silence(take: Take, clip: Clip) -> None:
    angles = clip.face[:, :, coordinates.POSE_PART][..., :3]
    speed = np.percentile(np.abs(np.diff(angles, axis=1)) * 25, 95, axis=(0, 1))
    assert (speed > [6, 2, 2]).all()
    assert (speed < [40, 15, 15]).all()
    silent = head.head_curves(
        np.zeros((100, 6), np.float32), np.zeros(100), np.zeros(100), np.random.default_rng(0)
    )
    assert np.abs(np.diff(silent[:, :3], axis=0)).max() * 25 < 3


def test_presets_stay_within_the_controls_ranges() -> None:
    table = emotion.offsets()
    assert table.shape == (8, coordinates.COUNT)
    assert np.abs(table[:, : len(coordinates.CONTROLS)]).max() <= 1
    assert not table[4].any()
    assert (emotion.liveliness() > 0.3).all()
