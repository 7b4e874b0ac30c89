"""The paper's measures that need networks of no package registry: FID, FVD, Sync-C, Sync-D.

A network whose file is not given is not replaced by another: its row says what file it needs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ditto.errors import SetupError
from ditto.evaluation.clips import Pair

_NEEDS = {
    "FID": "inception-2015-12-05.pt (TorchScript): --inception FILE",
    "FVD": "i3d_torchscript.pt: --i3d FILE",
    "Sync-C": "syncnet_v2.model: --syncnet FILE",
    "Sync-D": "syncnet_v2.model: --syncnet FILE",
}


@dataclass(frozen=True)
class PaperFiles:
    """Where the user keeps the published networks."""

    inception: Path | None = None
    i3d: Path | None = None
    syncnet: Path | None = None


def measure(
    pairs: Sequence[Pair], videos: Mapping[str, Path], files: PaperFiles
) -> dict[str, float | str]:
    """Each measure by the paper's name: its value, or what it needs. videos: the real clips."""
    found: dict[str, float | str] = {
        name: f"not measured: needs {what}" for name, what in _NEEDS.items()
    }
    if not (files.inception or files.i3d or files.syncnet):
        return found
    _require_torch()
    if files.inception:
        found["FID"] = _frechet(pairs, videos, files.inception, "picture_features")
    if files.i3d:
        found["FVD"] = _frechet(pairs, videos, files.i3d, "video_features")
    if files.syncnet:
        found |= _sync(pairs, videos, files.syncnet)
    return found


def _frechet(pairs: Sequence[Pair], videos: Mapping[str, Path], file: Path, features: str) -> float:
    from ditto.evaluation import frechet

    network = frechet.load_torchscript(file)
    of: Any = getattr(frechet, features)
    real = [
        of(network, frechet.heads(videos[pair.name], pair.real.points[pair.portrait_frame]))
        for pair in pairs
    ]
    made = [of(network, frechet.heads(pair.video, pair.made.points[0])) for pair in pairs]
    return frechet.frechet_distance(np.concatenate(real), np.concatenate(made))


def _sync(pairs: Sequence[Pair], videos: Mapping[str, Path], file: Path) -> dict[str, float]:
    from ditto.evaluation.sync_scores import sync_scores
    from ditto.evaluation.syncnet_model import load_syncnet

    network = load_syncnet(file)
    made = [sync_scores(network, p.video, p.made.points, p.made.samples) for p in pairs]
    real = [sync_scores(network, videos[p.name], p.real.points, p.real.samples) for p in pairs]
    return {
        "Sync-C": float(np.mean([score.confidence for score in made])),
        "Sync-D": float(np.mean([score.distance for score in made])),
        "Sync-C, real": float(np.mean([score.confidence for score in real])),
        "Sync-D, real": float(np.mean([score.distance for score in real])),
    }


def _require_torch() -> None:
    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise SetupError(
            "these networks run on torch: pip install 'ditto-cluster[train]'"
        ) from error
