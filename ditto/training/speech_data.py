"""Training data of the starter from synthesised speech: takes, features, targets, shards."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from ditto.packs.starter import coordinates
from ditto.stages import AudioEncoder
from ditto.training import dataset, features, store
from ditto.training.speech import takes
from ditto.training.speech.phones import SAMPLE_RATE_HZ

FRAME_SAMPLES = SAMPLE_RATE_HZ // 25


def starter_space(encoder: AudioEncoder[Any]) -> store.Space:
    """Coordinates, and features of the serving encoder."""
    return store.Space("starter", coordinates.COUNT, encoder.feature_dim)


def build(folder: Path, encoder: AudioEncoder[Any], scale: float = 1.0) -> None:
    """Bring a data folder up to `takes.RECIPE`, whose minutes ``scale`` multiplies.

    Recordings and features are kept under ``cache``: new targets need no new synthesis.
    """
    cache = folder / "cache"
    paths = takes.build(cache / "takes", scale)
    heard = cache / f"features-{encoder.feature_dim}"
    features.build(paths, heard, encoder)
    with store.Writer(folder, starter_space(encoder)) as writer:
        for path in tqdm(paths, desc="targets", unit="take"):
            if path.stem not in writer:
                take = takes.load(path)
                clip = dataset.make_clip(take, features.load(path, heard))
                sound = framed_sound(take.samples, len(clip.audio))
                writer.add(replace(clip, sound=sound), "speech")


def framed_sound(samples: NDArray[np.float32], frames: int) -> NDArray[np.int16]:
    """(T, 640) the samples of each frame, silence after their end."""
    padded = np.zeros(frames * FRAME_SAMPLES, np.float32)
    padded[: min(len(samples), len(padded))] = samples[: len(padded)]
    return np.round(padded * 32767).clip(-32768, 32767).astype(np.int16).reshape(frames, -1)
