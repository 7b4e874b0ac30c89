"""The shipped starter pack on ten seconds of speech with known phones: what it must not lose.

Thresholds lie well below what the shipped weights reach and well above what a broken model, encoder
or renderer gives; docs/quality.md has the real figures.
"""

from __future__ import annotations

import json
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from ditto import packs
from ditto.media.image import decode_portrait
from ditto.packs.starter import coordinates
from ditto.stages import MotionSettings
from ditto.training import features
from ditto.training.evaluation import closures, face_measures, lip_sync, liveliness
from ditto.training.evaluation.closures import SpokenGap
from ditto.training.evaluation.face_track import FaceFollower
from ditto.training.evaluation.generate import motion_frames, to_coordinates
from ditto.training.evaluation.loudness import silent_frames, speech_frames
from ditto.training.evaluation.report import GAP_OF_FACE
from ditto.training.speech.phones import Phone
from ditto.training.targets.mouth import CONTROLS, mouth_curves

EXAMPLES = Path(__file__).parents[3] / "examples"
GAP = coordinates.index("lipGap")
RENDERED = slice(110, 170)


@dataclass(frozen=True)
class Spoken:
    """The example sentence, and what the pack makes of it."""

    samples: np.ndarray
    phones: tuple[Phone, ...]
    heard: np.ndarray
    motion: np.ndarray
    """(T, 23) coordinates."""

    @property
    def gap(self) -> np.ndarray:
        """(T,) face heights."""
        return self.motion[:, GAP] * GAP_OF_FACE


@pytest.fixture(scope="module")
def spoken() -> Spoken:
    pack = packs.load("starter")
    with wave.open(str(EXAMPLES / "speech.wav")) as file:
        pcm = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    samples = pcm.astype(np.float32) / np.float32(32768)
    rows = json.loads((EXAMPLES / "speech.phones.json").read_text())["phones"]
    heard = features.stream(pack.audio_encoder(), samples)
    motion = to_coordinates(motion_frames(pack.motion_generator(), heard))
    return Spoken(samples, tuple(Phone(*row) for row in rows), heard, motion)


def test_lips_follow_the_words(spoken: Spoken) -> None:
    wanted = mouth_curves(spoken.phones, len(spoken.gap))[:, CONTROLS.index("lipGap")]
    talking = speech_frames(spoken.samples, len(spoken.gap))
    by_lag = {lag: lip_sync.correlation(spoken.gap, wanted, lag, talking) for lag in range(-3, 4)}
    assert by_lag[0] > 0.6, by_lag
    best = max((r, lag) for lag, r in by_lag.items())[1]
    assert abs(best) <= 1, by_lag


def test_lips_meet_at_p_b_and_m(spoken: Spoken) -> None:
    speech = [SpokenGap(spoken.gap, spoken.phones)]
    assert closures.auc(speech) > 0.85
    assert closures.sealed_share(speech) > 0.75


def test_these_thresholds_catch_a_pack_that_hears_nothing(spoken: Spoken) -> None:
    generator = packs.load("starter").motion_generator()
    noise = np.random.default_rng(0).permutation(spoken.heard)
    deaf = to_coordinates(motion_frames(generator, noise))[:, GAP] * GAP_OF_FACE
    wanted = mouth_curves(spoken.phones, len(deaf))[:, CONTROLS.index("lipGap")]
    talking = speech_frames(spoken.samples, len(deaf))
    assert lip_sync.correlation(deaf, wanted, where=talking) < 0.4
    assert closures.auc([SpokenGap(deaf, spoken.phones)]) < 0.75


def test_the_mouth_moves_as_much_as_a_mouth_does(spoken: Spoken) -> None:
    talking = speech_frames(spoken.samples, len(spoken.gap))
    assert 0.012 < spoken.gap[talking].std() < 0.05
    assert 0.04 < np.percentile(spoken.gap[talking], 95) < 0.15


def test_lips_rest_in_silence(spoken: Spoken) -> None:
    quiet = silent_frames(spoken.samples, len(spoken.gap))
    assert quiet.sum() >= 10
    assert (spoken.gap[quiet] <= face_measures.CLOSED_GAP).mean() > 0.9


def test_longer_speech_is_alive_and_without_seams(spoken: Spoken) -> None:
    generator = packs.load("starter").motion_generator()
    speech = np.tile(spoken.heard, (4, 1))
    motion = to_coordinates(motion_frames(generator, speech, MotionSettings(seed=1)))
    ratio = liveliness.seam_ratio(motion, generator.segment_frames, list(coordinates.MOUTH))
    assert 0.6 < ratio < 1.25
    assert 8 <= liveliness.blinks_a_minute(motion) <= 30
    speed = liveliness.head_speed_p95(motion)
    assert 2 < speed.max() < 60
    assert np.abs(motion[:, coordinates.POSE_PART][:, :3]).max() < 25


def test_what_is_drawn_opens_and_shuts_as_told(spoken: Spoken) -> None:
    pack = packs.load("starter")
    renderer = pack.renderer()
    portrait = renderer.prepare(decode_portrait((EXAMPLES / "astronaut.jpg").read_bytes()))
    frames = motion_frames(pack.motion_generator(), spoken.heard, identity=portrait.identity)
    heads = [renderer.render_head(portrait.appearance, motion) for motion in frames[RENDERED]]
    points = FaceFollower(pack.asset("face_landmarker"))(heads)
    drawn, told = face_measures.lip_gap(points), spoken.gap[RENDERED]
    assert lip_sync.correlation(drawn, told) > 0.85
    assert drawn.min() < 0.012
    assert 0.6 < drawn.std() / told.std() < 1.5
    assert face_measures.landmark_jumps(points).max() < 0.12
