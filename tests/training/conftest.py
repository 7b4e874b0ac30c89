"""A made-up training set: the example speech as a take, with features of its own loudness."""

from __future__ import annotations

import json
import wave
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ditto.packs.starter import brightness, coordinates
from ditto.training import store
from ditto.training.dataset import Clip, make_clip
from ditto.training.speech.phones import Phone
from ditto.training.speech.takes import Take
from ditto.training.speech_data import framed_sound
from ditto.training.targets.mouth import mouth_curves

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="session")
def take() -> Take:
    with wave.open(str(EXAMPLES / "speech.wav")) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    phones = json.loads((EXAMPLES / "speech.phones.json").read_text())["phones"]
    timed = tuple(Phone(*phone) for phone in phones)
    return Take(
        "example", "flite-slt", samples.astype(np.float32) / np.float32(32768), timed, False
    )


@pytest.fixture(scope="session")
def clip(take: Take) -> Clip:
    """Features that carry the mouth, mixed at random, so that a tiny network can learn them."""
    frames = len(take.samples) // 640
    curves = mouth_curves(take.phones, frames)
    mix = np.random.default_rng(0).normal(size=(curves.shape[1], 22))
    silent = np.zeros((frames, brightness.COUNT))
    return make_clip(take, np.concatenate([curves @ mix, silent], axis=1).astype(np.float16))


@pytest.fixture(scope="session")
def training_data(clip: Clip, take: Take, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder: the example to train on, its start to tune and to test."""
    folder = tmp_path_factory.mktemp("data")
    sounding = replace(clip, sound=framed_sound(take.samples, len(clip.audio)))
    short = {name: getattr(sounding, name)[:100] for name in ("audio", "weight", "sound")}
    flags = {name: getattr(sounding, name)[:100] for name in ("closures", "speaking")}
    lives = {name: getattr(sounding, name)[:, :100] for name in ("face", "eyes", "posture")}
    with store.Writer(
        folder, store.Space("starter", coordinates.COUNT, clip.audio.shape[1])
    ) as writer:
        writer.add(sounding, "speech")
        for split in ("tuning", "test"):
            kept = replace(
                sounding, name=split, voice="kept", split=split, **short, **flags, **lives
            )
            writer.add(kept, "speech")
        writer.leave_out("a-video@0", "no sound")
    return folder
