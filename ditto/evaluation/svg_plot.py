"""Small plots as SVG text, so that a report is one file that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]
Curves = Mapping[str, Sequence[float] | Array]

COLOURS = ("#d1495b", "#222222", "#2e86ab", "#6a994e", "#bc6c25")
_LEFT, _TOP, _BOTTOM, _RIGHT = 46, 22, 26, 8
_TICKS = 4


def lines(
    title: str,
    curves: Curves,
    x: Sequence[float] | Array,
    x_title: str,
    shaded: Sequence[tuple[float, float]] = (),
    level: float | None = None,
    size: tuple[int, int] = (860, 190),
) -> str:
    """Curves over x; `shaded` spans of x, and a thin line at `level`."""
    frame = _Frame(size, _span(x), (0.0, _top(curves)))
    parts = [frame.axes(title, x_title)]
    for start, end in shaded:
        left, width = frame.x(start), frame.x(end) - frame.x(start)
        parts.insert(0, _box(left, frame.top, width, frame.height, "#eef3ea"))
    if level is not None:
        y = frame.y(level)
        parts.append(f'<path d="M{frame.left} {y:.1f}H{frame.right}" stroke="#999" fill="none"/>')
    for place, (name, values) in enumerate(curves.items()):
        colour = COLOURS[place % len(COLOURS)]
        points = " ".join(
            f"{frame.x(a):.1f},{frame.y(b):.1f}" for a, b in zip(x, values, strict=False)
        )
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}"/>')
        parts.append(_label(name, frame.right - 110, frame.top + 12 + 13 * place, colour))
    return _svg(size, parts)


def histogram(
    title: str, groups: Curves, bins: int, x_title: str, size: tuple[int, int] = (420, 190)
) -> str:
    """Shares of the values of each group in common bins."""
    values = [np.asarray(group, np.float64) for group in groups.values()]
    low, high = min(v.min() for v in values), float(np.percentile(np.concatenate(values), 99.8))
    edges = np.linspace(low, max(high, low + 1e-6), bins + 1)
    shares = [np.histogram(np.clip(v, low, high), edges)[0] / len(v) for v in values]
    frame = _Frame(size, (float(edges[0]), float(edges[-1])), (0.0, 1.1 * max(map(np.max, shares))))
    parts = [frame.axes(title, x_title)]
    for place, (name, share) in enumerate(zip(groups, shares, strict=True)):
        colour = COLOURS[place % len(COLOURS)]
        path = f"M{frame.x(edges[0]):.1f} {frame.y(0):.1f}" + "".join(
            f"V{frame.y(s):.1f}H{frame.x(e):.1f}" for s, e in zip(share, edges[1:], strict=True)
        )
        parts.append(f'<path d="{path}" fill="{colour}22" stroke="{colour}"/>')
        parts.append(_label(name, frame.right - 110, frame.top + 12 + 13 * place, colour))
    return _svg(size, parts)


class _Frame:
    """Where values lie on the picture."""

    def __init__(
        self, size: tuple[int, int], xs: tuple[float, float], ys: tuple[float, float]
    ) -> None:
        self.left, self.top = _LEFT, _TOP
        self.right, self.bottom = size[0] - _RIGHT, size[1] - _BOTTOM
        self.height = self.bottom - self.top
        self._xs, self._ys = xs, ys

    def x(self, value: float) -> float:
        low, high = self._xs
        return self.left + (value - low) / (high - low) * (self.right - self.left)

    def y(self, value: float) -> float:
        low, high = self._ys
        return self.bottom - (value - low) / (high - low) * self.height

    def axes(self, title: str, x_title: str) -> str:
        parts = [_label(title, self.left, 14, "#222")]
        for tick in range(_TICKS + 1):
            x = self._xs[0] + (self._xs[1] - self._xs[0]) * tick / _TICKS
            y = self._ys[0] + (self._ys[1] - self._ys[0]) * tick / _TICKS
            height = self.y(y)
            parts.append(f'<path d="M{self.left} {height:.1f}H{self.right}" stroke="#e4e4e4"/>')
            parts.append(_label(f"{y:.3g}", 2, height + 4, "#666"))
            parts.append(_label(f"{x:.3g}", self.x(x) - 10, self.bottom + 13, "#666"))
        parts.append(_label(x_title, self.right - 70, self.bottom + 24, "#666"))
        return "".join(parts)


def _span(x: Sequence[float] | Array) -> tuple[float, float]:
    low, high = float(np.min(x)), float(np.max(x))
    return low, max(high, low + 1e-6)


def _top(curves: Curves) -> float:
    return 1.05 * max(float(np.max(values)) for values in curves.values()) or 1.0


def _label(text: str, x: float, y: float, colour: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}">{escape(text)}</text>'


def _box(x: float, y: float, width: float, height: float, colour: str) -> str:
    return f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{height}" fill="{colour}"/>'


def _svg(size: tuple[int, int], parts: Sequence[str]) -> str:
    width, height = size
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-size="11" font-family="sans-serif">{"".join(parts)}</svg>'
    )
