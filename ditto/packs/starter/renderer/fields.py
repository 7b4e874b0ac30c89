"""The face's movements as displacement of mesh vertices, authored in head millimetres.

Axes as in `ditto.face.head`: x to the image's right, y down, z away from the camera.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ditto.face import topology as topo
from ditto.packs.starter.renderer.curves import smoothstep
from ditto.packs.starter.renderer.geometry import FaceGeometry
from ditto.packs.starter.renderer.lip_vertices import LipVertices

Array = NDArray[np.float32]
Real = NDArray[np.floating]

FIELDS: Final = (
    "jaw", "seal", "purse", "close", "part", "part_round", "press", "roll", "pucker", "funnel",
    "stretch", "frown", "shift", "smile", "brow_up", "brow_down", "squint", "cheek_raise",
)  # fmt: skip
FIELD: Final = {name: index for index, name in enumerate(FIELDS)}

JAW_RADIANS = 0.2
"""Jaw rotation at jawOpen 1."""
UPPER_LIP_SHARE = 0.36
"""Part of an opening that raises the upper lip; the rest lowers the lower lip."""


def vertex_fields(face: FaceGeometry, lips: LipVertices) -> Array:
    """(F, 468, 3) displacement of each field at amount 1 (`part*`: for one millimetre of gap)."""
    fields = np.zeros((len(FIELDS), topo.SKIN_POINTS, 3), np.float32)

    def put(name: str, where: NDArray[np.bool_], axis: int, values: Real) -> None:
        fields[FIELD[name], where, axis] = values[where]

    _jaw(fields[FIELD["jaw"]], face, lips)
    _seal(fields[FIELD["seal"]], fields[FIELD["jaw"]], lips)
    fields[FIELD["purse"]] = (
        fields[FIELD["seal"]] * smoothstep(0.35, 0.95, lips.side)[:, None]
    )  # the same at the corners only: rounds the mouth
    _close(fields[FIELD["close"]], face)

    side, middle, across, depth = lips.side, lips.middle, lips.across, lips.depth
    round_middle = np.sqrt(np.clip(1 - (side / 0.8) ** 2, 0, 1))
    for name, profile in (("part", middle), ("part_round", round_middle)):
        put(name, lips.upper, 1, -UPPER_LIP_SHARE * np.sqrt(depth) * profile)
        put(name, lips.lower, 1, (1 - UPPER_LIP_SHARE) * np.sqrt(depth) * profile)

    thin = np.sqrt(middle)
    put("press", lips.upper, 1, (1.0 * depth + 0.2) * thin)
    put("press", lips.lower, 1, -(1.6 * depth + 0.2) * thin)

    put("roll", lips.upper, 1, -2.4 * np.sqrt(depth) * middle)
    rolled = np.interp(depth, (0.55, 0.75, 0.9, 1.0), (-3.4, -2.2, -0.9, 0.3))
    put("roll", lips.lower, 1, rolled.astype(np.float32) * middle**0.7)

    half = face.mouth_half_mm
    outer = 2 * (1 - depth)  # 0.9 at the lip's outer edge, 0 at its inner one
    put("pucker", lips.lips, 0, -0.33 * half * np.clip(across, -1.1, 1.1))
    put("pucker", lips.lips, 2, -4.0 * np.sqrt(middle))
    put("pucker", lips.upper, 1, (-1.4 * outer + 0.3) * middle)
    put("pucker", lips.lower, 1, (1.2 * outer - 0.9) * middle)
    put("funnel", lips.lips, 0, -0.22 * half * np.clip(across, -1.1, 1.1))
    put("funnel", lips.lips, 2, -4.0 * np.sqrt(middle))
    put("funnel", lips.upper, 1, -1.5 * outer * middle)
    put("funnel", lips.lower, 1, 1.5 * outer * middle)

    put("stretch", lips.lips, 0, 0.24 * half * np.clip(across, -1.1, 1.1))
    put("stretch", lips.lips, 1, -0.8 * side**2)
    put("frown", lips.lips, 1, 4.0 * side**2 - 0.8 * (1 - side))
    _shift(fields[FIELD["shift"]], face, lips)

    put("smile", lips.lips, 0, 4.5 * across * side)
    put("smile", lips.lips, 1, -5.0 * side**2 + 0.8 * (1 - side))
    _cheeks(fields, face)
    _brows(fields, face)
    return fields


def _jaw(field: Array, face: FaceGeometry, lips: LipVertices) -> None:
    """Rotation about the ear hinge, growing from the mouth to the chin (in place)."""
    h = face.head_mm[: topo.SKIN_POINTS]
    forward = np.maximum(-h[:, 2], 0)
    turn = JAW_RADIANS * np.stack([np.zeros(len(h)), forward, np.maximum(h[:, 1], 0)], axis=1)
    mouth_y, chin_y = face.mouth_centre_mm[1], h[topo.CHIN, 1]
    weight = smoothstep(-0.35, 0.75, (h[:, 1] - mouth_y) / (chin_y - mouth_y))
    weight[lips.upper] = 0.33 * lips.side[lips.upper] ** 3
    weight[lips.lower] = 1 - 0.67 * lips.side[lips.lower] ** 3
    weight[lips.corner] = 0.33
    field[:] = turn * weight[:, None]
    field[lips.lips, 0] -= 2.0 * lips.across[lips.lips]


def _seal(field: Array, jaw: Array, lips: LipVertices) -> None:
    """What holds the lower lip up at the upper one while the jaw drops (in place)."""
    held = (0.55, 0.85, 0.95, 1.0)
    for lower, upper, share in zip(topo.LOWER_LIP_ROWS, topo.UPPER_LIP_ROWS, held, strict=True):
        low, up = list(lower[1:-1]), list(upper[1:-1])
        field[low] = share * (jaw[up] - jaw[low])
    field[lips.lips, 0] = 0


def _close(field: Array, face: FaceGeometry) -> None:
    """Brings the inner lips of an open-mouthed portrait to their seam (in place)."""
    h = face.head_mm
    upper_inner, lower_inner = list(topo.UPPER_LIP_INNER), list(topo.LOWER_LIP_INNER)
    half = (h[lower_inner] - h[upper_inner]) / 2
    shares = (0.3, 0.6, 0.85, 1.0)
    for upper, lower, share in zip(topo.UPPER_LIP_ROWS, topo.LOWER_LIP_ROWS, shares, strict=True):
        field[list(upper)] = share * half
        field[list(lower)] = -share * half
    field[list(topo.UPPER_LIP_INNER[::10])] = 0


def _shift(field: Array, face: FaceGeometry, lips: LipVertices) -> None:
    """The mouth, and less so the chin, to the image's right (in place)."""
    h = face.head_mm[: topo.SKIN_POINTS]
    mouth_y, chin_y = face.mouth_centre_mm[1], h[topo.CHIN, 1]
    field[:, 0] = 3.0 * smoothstep(0.2, 0.8, (h[:, 1] - mouth_y) / (chin_y - mouth_y))
    field[lips.lips, 0] = 5.0


def _cheeks(fields: Array, face: FaceGeometry) -> None:
    cheeks = list(topo.RIGHT_CHEEK + topo.LEFT_CHEEK)
    outwards = np.sign(face.head_mm[cheeks, 0])
    fields[FIELD["smile"], cheeks, 0] = 1.0 * outwards
    fields[FIELD["smile"], cheeks, 1] = -2.6
    fields[FIELD["cheek_raise"], cheeks, 1] = -2.4
    lower_lids = list(topo.RIGHT_EYE_LOWER[1:-1] + topo.LEFT_EYE_LOWER[1:-1])
    fields[FIELD["cheek_raise"], lower_lids, 1] = -0.8
    fields[FIELD["squint"], lower_lids, 1] = -1.6


def _brows(fields: Array, face: FaceGeometry) -> None:
    """Brows up and down; the forehead above them follows, fading to the hairline."""
    h = face.head_mm[: topo.SKIN_POINTS]
    brows = list(topo.RIGHT_BROW + topo.LEFT_BROW)
    brow_y = h[brows, 1].mean()
    top_y = h[topo.FOREHEAD, 1]
    follow = np.clip((h[:, 1] - top_y) / (brow_y - top_y), 0, 1)
    above = h[:, 1] < brow_y - 2
    fields[FIELD["brow_up"], above, 1] = -4.0 * follow[above]
    fields[FIELD["brow_down"], above, 1] = 1.8 * follow[above]
    inwards = -np.sign(h[brows, 0]) * np.exp(-((np.abs(h[brows, 0]) / 22) ** 2))
    fields[FIELD["brow_up"], brows, 1] = -5.0
    fields[FIELD["brow_down"], brows, 1] = 3.0
    fields[FIELD["brow_down"], brows, 0] = 1.6 * inwards
