"""Painted teeth: two rows on a dental arch, as colour and opacity over mouth coordinates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ditto.packs.starter.renderer.curves import smoothstep

Array = NDArray[np.float32]

_ARCH_RADIUS_MM = 25.0


@dataclass(frozen=True)
class TeethRow:
    """One row. Heights are millimetres below the line where the lips meet."""

    widths_mm: tuple[float, ...]
    """From the midline outwards."""
    edge_mm: float
    """The biting edge at the midline."""
    height_mm: float
    hangs: bool
    """Upper teeth hang from above their edge; lower ones stand below it."""


UPPER = TeethRow((8.4, 6.6, 7.4, 6.8, 6.6, 8.0), edge_mm=2.4, height_mm=11.0, hangs=True)
LOWER = TeethRow((5.3, 5.8, 6.6, 6.8, 7.0, 8.0), edge_mm=2.0, height_mm=8.0, hangs=False)


def paint_row(row: TeethRow, x_mm: Array, y_mm: Array, colour: Array) -> tuple[Array, Array]:
    """Colour (h, w, 3) and opacity (h, w) of a row at mouth coordinates (h, w)."""
    arch = _ARCH_RADIUS_MM * np.arcsin(np.clip(np.abs(x_mm) / _ARCH_RADIUS_MM, 0, 0.999))
    borders = np.concatenate([[0.0], np.cumsum(row.widths_mm)])
    tooth = np.clip(np.searchsorted(borders, arch, side="right") - 1, 0, len(row.widths_mm) - 1)
    start, width = borders[tooth], np.asarray(row.widths_mm)[tooth]
    place = np.clip((arch - start) / width, 0, 1)  # 0..1 across the tooth
    to_side = np.minimum(place, 1 - place) * width  # mm to the neighbour
    sign = -1.0 if row.hangs else 1.0  # towards the gum
    rounding = (0.9 if row.hangs else 0.45) * np.abs(2 * place - 1) ** 5
    arc = 2.0 * (x_mm / 26.0) ** 2
    lateral = 0.45 * ((tooth == 1) & row.hangs)
    edge = row.edge_mm + sign * (rounding + arc + lateral)
    inside = sign * (y_mm - edge)  # mm from the edge into the tooth
    opacity = smoothstep(-0.2, 0.2, inside) * smoothstep(2.2, 0.0, arch - borders[-1] + 2)

    crease = np.exp(-((to_side / 0.3) ** 2)) * smoothstep(0.3, 2.0, inside)
    bulge = 1 - 0.10 * (2 * place - 1) ** 2
    depth = (0.62 * np.cos(np.clip(arch / _ARCH_RADIUS_MM, 0, 1.5)) + 0.38) * (1 - 0.03 * tooth)
    neck = 1 - 0.16 * smoothstep(0.45 * row.height_mm, row.height_mm, inside)
    rim = 1 - 0.10 * smoothstep(0.9, 0.0, inside)  # the thin edge is translucent
    light = bulge * depth * neck * rim * (1 - 0.38 * crease)
    return (light[..., None] * colour).astype(np.float32), opacity.astype(np.float32)
