"""The figures of a benchmark as a picture, drawn with what the runtime needs anyway."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np

from ditto.bench.figures import BenchResult

_WIDTH, _HEIGHT = 420, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 16, 44, 44
_INK, _GRID = (40, 40, 40), (225, 225, 225)
_COLOURS = ((180, 90, 30), (40, 120, 220), (60, 150, 60), (150, 60, 160), (90, 90, 90))
"""BGR."""
_TICKS = 4

Lines = Mapping[str, Sequence[float]]


def draw(result: BenchResult, path: Path) -> None:
    """Write a PNG: first-frame delay, real-time factors and CPU time over concurrent calls."""
    loads = result.loads
    calls = [load.calls for load in loads]
    nan = float("nan")
    delays = {
        f"p{share}": [getattr(load.ffd_compute_ms, f"p{share}", nan) for load in loads]
        for share in (50, 95)
    }
    modules = dict.fromkeys(name for load in loads for name in load.modules)
    factors = {
        name: [load.modules[name].rtf if name in load.modules else nan for load in loads]
        for name in modules
    }
    cpu = {"all processes": [nan if load.cpu is None else load.cpu for load in loads]}
    panels = [
        _panel("FFD-compute, ms", calls, delays),
        _panel("real-time factor", calls, factors),
        _panel("CPU s per video s", calls, cpu),
    ]
    _, data = cv2.imencode(".png", np.hstack(panels))
    path.write_bytes(data.tobytes())


def _panel(title: str, calls: Sequence[int], lines: Lines) -> np.ndarray:
    image = np.full((_HEIGHT, _WIDTH, 3), 255, np.uint8)
    values = [value for line in lines.values() for value in line if np.isfinite(value)]
    top = 1.1 * max(values, default=1.0) or 1.0
    _axes(image, title, calls, top)
    for place, (name, line) in enumerate(lines.items()):
        colour = _COLOURS[place % len(_COLOURS)]
        points = [
            (_x(index, len(calls)), _y(value / top))
            for index, value in enumerate(line)
            if np.isfinite(value)
        ]
        for start, end in pairwise(points):
            cv2.line(image, start, end, colour, 2, cv2.LINE_AA)
        for point in points:
            cv2.circle(image, point, 4, colour, cv2.FILLED, cv2.LINE_AA)
        _write(image, name, (_LEFT + 8, _TOP + 16 + 16 * place), colour)
    return image


def _axes(image: np.ndarray, title: str, calls: Sequence[int], top: float) -> None:
    _write(image, title, (_LEFT, _TOP - 18), _INK)
    for tick in range(_TICKS + 1):
        y = _y(tick / _TICKS)
        cv2.line(image, (_LEFT, y), (_WIDTH - _RIGHT, y), _GRID, 1)
        _write(image, f"{top * tick / _TICKS:.3g}", (6, y + 4), _INK)
    for index, count in enumerate(calls):
        _write(image, str(count), (_x(index, len(calls)) - 4, _HEIGHT - _BOTTOM + 18), _INK)
    _write(image, "concurrent calls", (_LEFT, _HEIGHT - 8), _INK)


def _x(index: int, count: int) -> int:
    room = _WIDTH - _LEFT - _RIGHT - 40
    return round(_LEFT + 20 + room * index / max(1, count - 1))


def _y(share: float) -> int:
    return round(_HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM))


def _write(image: np.ndarray, text: str, at: tuple[int, int], colour: tuple[int, int, int]) -> None:
    cv2.putText(image, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.42, colour, 1, cv2.LINE_AA)
