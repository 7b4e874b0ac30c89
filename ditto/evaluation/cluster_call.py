"""One recording through a cluster: its MP4, and what the call cost."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ditto.client import AnimateOptions, Chunk, Client
from ditto.errors import DittoError
from ditto.media.measured_mp4 import measure_mp4

Array = NDArray[np.float32]

FRAME_RATE = 25


@dataclass(frozen=True)
class CallFigures:
    """What a call measured of itself, and what decoding its file shows."""

    frames: int
    video_seconds: float
    wall_seconds: float
    ffd_ms: float
    ffd_compute_ms: float
    rtf: dict[str, float]
    """Real-time factor of each module."""
    av_skew_ms: float
    """Of picture against sound in the decoded file; above 0: the picture comes late."""
    warnings: tuple[str, ...]

    @property
    def whole_rtf(self) -> float:
        """Wall time of the whole call over the duration of its video."""
        return self.wall_seconds / self.video_seconds

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def make_call(
    client: Client, portrait: bytes, samples: Array, options: AnimateOptions
) -> tuple[bytes, CallFigures]:
    """The MP4 of a portrait speaking samples (n,) at 16 kHz. Raises what the server raised."""
    begun = time.monotonic()
    pcm = np.round(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()
    asked: AnimateOptions = {"seed": 0, **options, "video": "mp4"}
    with client.animate(portrait, pcm, **asked) as call:
        data = b"".join(item.data for item in call if isinstance(item, Chunk))
        stats, started = call.stats, call.started
    wall_seconds = time.monotonic() - begun
    if stats is None:
        raise DittoError("the server ended the call early, without its closing numbers")
    rtf = {module.module: module.rtf for module in stats.modules}
    skew_ms = (
        measure_mp4(data).av_skew_ms(samples, FRAME_RATE) if samples.any() else stats.av_skew_ms
    )
    figures = CallFigures(
        frames=stats.frames,
        video_seconds=stats.video_seconds,
        wall_seconds=wall_seconds,
        ffd_ms=stats.ffd_ms,
        ffd_compute_ms=stats.ffd_compute_ms,
        rtf=rtf,
        av_skew_ms=skew_ms,
        warnings=tuple(started.warnings),
    )
    return data, figures
