"""A made-up training set: the example speech as a take, with features of its own loudness."""

from __future__ import annotations

import json
import wave
from pathlib import Path

import numpy as np
import pytest

from ditto.training.dataset import Clip, make_clip
from ditto.training.speech.phones import Phone
from ditto.training.speech.takes import Take
from ditto.training.targets.mouth import mouth_curves

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="session")
def take() -> Take:
    with wave.open(str(EXAMPLES / "speech.wav")) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    phones = json.loads((EXAMPLES / "speech.phones.json").read_text())["phones"]
    timed = tuple(Phone(*phone) for phone in phones)
    return Take("example", "flite-slt", samples.astype(np.float32) / 32768, timed, False)


@pytest.fixture(scope="session")
def clip(take: Take) -> Clip:
    """Features that carry the mouth, mixed at random, so that a tiny network can learn them."""
    frames = len(take.samples) // 640
    curves = mouth_curves(take.phones, frames)
    mix = np.random.default_rng(0).normal(size=(curves.shape[1], 24))
    return make_clip(take, (curves @ mix).astype(np.float16))
