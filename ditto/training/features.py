"""Audio features of the takes, through the very streaming path that serves (paper 3.3.1)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from ditto.stages import Array, AudioEncoder
from ditto.training.speech import takes


def stream(encoder: AudioEncoder[Any], samples: Array, chunk_samples: int = 3200) -> Array:
    """Features (T, D) of a recording, sent chunk by chunk and flushed."""
    state = encoder.init_state()
    pieces = []
    for start in range(0, len(samples), chunk_samples):
        state, features = encoder.step(state, samples[start : start + chunk_samples])
        pieces.append(features)
    pieces.append(encoder.flush(state)[1])
    return np.concatenate([piece for piece in pieces if piece is not None])


def build(take_paths: list[Path], folder: Path, encoder: AudioEncoder[Any]) -> None:
    """Write the features of each take that has none yet, as half-precision npy files."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in tqdm(take_paths, desc="features", unit="take"):
        target = folder / f"{path.stem}.npy"
        if not target.exists():
            features = stream(encoder, takes.load(path).samples)
            part = target.with_suffix(".part.npy")
            np.save(part, features.astype(np.float16))
            part.rename(target)


def load(take_path: Path, folder: Path) -> NDArray[np.float16]:
    """(T, D) features of a take."""
    return np.asarray(np.load(folder / f"{take_path.stem}.npy"))
