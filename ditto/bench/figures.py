"""The figures of a benchmark: what is written to JSON, read back and compared."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from ditto.errors import InvalidInputError

FORMAT = "ditto-bench-1"


@dataclass(frozen=True)
class Spread:
    """Median and tail of a handful of values."""

    p50: float
    p95: float
    p99: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Of at least one value."""
        return cls(*(round(float(np.percentile(values, share)), 4) for share in (50, 95, 99)))


@dataclass(frozen=True)
class ModuleFigures:
    """One stage at one load."""

    rtf: float
    """Median over calls: wall time of a call's steps over the duration of its frames."""
    busy: float | None = None
    """Seconds that the stage computed, a batch counted once, a second."""
    batch_size: float | None = None
    """Mean over steps."""


@dataclass(frozen=True)
class LoadFigures:
    """So many concurrent calls in real time."""

    calls: int
    frames: int
    late_frames: int
    """Frames that came more than a frame's time late."""
    failed_calls: int
    first_failure: str
    """What the server said; empty when none failed."""
    ffd_ms: Spread | None
    """First-frame delay of calls that begin beside the others, frames sent as soon as ready."""
    ffd_compute_ms: Spread | None
    received_bytes_per_s: float
    """A call's, a second of video."""
    modules: Mapping[str, ModuleFigures]
    cpu_s_per_video_s: Mapping[str, float] = field(default_factory=dict)
    """By process, our own as "client"; empty for a cluster elsewhere."""
    peak_memory_bytes: int | None = None
    loop_cpu_s_per_video_s: Mapping[str, float] = field(default_factory=dict)
    """Of it the event loops, gRPC with them, by server process."""

    @property
    def is_on_time(self) -> bool:
        """Every call got every frame when it was due."""
        return not self.late_frames and not self.failed_calls and self.frames > 0

    @property
    def messaging_share(self) -> float | None:
        """The gateway's CPU time and that of the stages' event loops, over that of all servers."""
        loops = self.loop_cpu_s_per_video_s
        served = sum(self.cpu_s_per_video_s.get(name, 0.0) for name in loops)
        carried = sum(
            self.cpu_s_per_video_s.get(name, 0.0) if name.startswith("gateway") else loop_s
            for name, loop_s in loops.items()
        )
        return carried / served if served else None

    @property
    def cpu(self) -> float | None:
        """CPU seconds of all processes a second of video; None where it cannot be known."""
        return sum(self.cpu_s_per_video_s.values()) if self.cpu_s_per_video_s else None


@dataclass(frozen=True)
class BenchResult:
    """A whole run."""

    about: Mapping[str, str | float]
    """Version, machine, what was asked for."""
    loads: Sequence[LoadFigures]

    @property
    def carried(self) -> int:
        """The most calls of which every frame was on time."""
        return max((load.calls for load in self.loads if load.is_on_time), default=0)

    def write(self, path: Path) -> None:
        """As JSON."""
        content = {"format": FORMAT, "carried": self.carried, **asdict(self)}
        path.write_text(json.dumps(content, indent=1) + "\n")


def read_result(path: Path) -> BenchResult:
    """Inverse of `BenchResult.write`. Raises `InvalidInputError` for any other file."""
    try:
        content = json.loads(path.read_text("utf-8"))
        if content["format"] != FORMAT:
            raise ValueError(f"its format is {content['format']}, not {FORMAT}")
        return BenchResult(content["about"], [_load(fields) for fields in content["loads"]])
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidInputError(
            "--compare", f"{path} was not written by `ditto bench`: {error!r}"
        ) from error


def _load(fields: dict[str, object]) -> LoadFigures:
    raw = dict(fields)
    for name in ("ffd_ms", "ffd_compute_ms"):
        raw[name] = Spread(**raw[name]) if raw[name] else None  # type: ignore[arg-type]
    modules = raw["modules"]
    assert isinstance(modules, dict)
    raw["modules"] = {name: ModuleFigures(**of) for name, of in modules.items()}
    return LoadFigures(**raw)  # type: ignore[arg-type]
