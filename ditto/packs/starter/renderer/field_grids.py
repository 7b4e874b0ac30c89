"""The authored vertex fields spread over the image: one grid for each branch of the mouth.

The upper branch ignores lower-lip vertices and the lower branch upper-lip ones, so that each lip
moves as a whole and the opening between them is a cut, not a stretched smear.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ditto.face import topology as topo
from ditto.packs.starter.renderer.curves import smoothstep
from ditto.packs.starter.renderer.fields import FIELD, FIELDS
from ditto.packs.starter.renderer.geometry import FaceGeometry
from ditto.packs.starter.renderer.grid import COARSE_NODES, HEAD_SIZE, coarse_positions
from ditto.packs.starter.renderer.head_volume import STILL_BORDER_PX
from ditto.packs.starter.renderer.lip_vertices import LipVertices
from ditto.packs.starter.renderer.rbf import interpolate

Array = NDArray[np.float32]
Mask = NDArray[np.bool_]

_MOUTH_FIELDS = frozenset(FIELDS) - {"brow_up", "brow_down", "squint", "cheek_raise"}
"""Fields that differ between the branches."""
_RING = 1.28
"""The ring of fixed points around the face oval, over the oval."""
_FREE_MM = 11.0
"""Skin this close to the lips follows them freely."""


@dataclass(frozen=True)
class FieldGrids:
    """(F, 2, COARSE_NODES, COARSE_NODES) displacement x, y in HEAD pixels at amount 1."""

    upper: Array
    lower: Array


def build_field_grids(face: FaceGeometry, lips: LipVertices, vertex: Array) -> FieldGrids:
    """Spread the fields (F, 468, 3) of `vertex_fields`, each group with its own fixed points."""
    flat = np.einsum("fvk,kc->vfc", vertex, face.to_pixels).astype(np.float32)  # 468 F 2
    upper = np.zeros((len(FIELDS), 2, COARSE_NODES, COARSE_NODES), np.float32)
    lower = upper.copy()
    anchors, inside = _anchors(face)
    queries = coarse_positions()
    for names, fixed in _groups(face, lips):
        columns = [FIELD[name] for name in names]
        for branch, ignored in ((upper, lips.lower), (lower, lips.upper)):
            if branch is lower and not set(names) & _MOUTH_FIELDS:
                lower[columns] = upper[columns]
                continue
            used = np.flatnonzero(fixed & ~ignored)
            values = np.zeros((len(used) + len(anchors), 2 * len(columns)), np.float32)
            values[: len(used)] = flat[used][:, columns].reshape(len(used), -1)
            points = np.concatenate([face.xy[used], anchors])
            spread = interpolate(points, values, queries[inside])
            for k, column in enumerate(columns):
                branch[column][:, inside] = spread[:, 2 * k : 2 * k + 2].T
    fade = _border_fade(queries)
    return FieldGrids(upper * fade, lower * fade)


def _groups(face: FaceGeometry, lips: LipVertices) -> list[tuple[tuple[str, ...], Mask]]:
    """Fields that share their fixed vertices, so that one factorisation serves each group."""
    h = face.head_mm[: topo.SKIN_POINTS]
    thinned = _thin(lips)
    brows = _members(topo.RIGHT_BROW + topo.LEFT_BROW)
    brow_y = h[brows, 1].mean()
    eye_y = h[list(topo.RIGHT_EYE_UPPER + topo.LEFT_EYE_UPPER), 1].mean()
    below_eyes = h[list(topo.RIGHT_EYE_LOWER + topo.LEFT_EYE_LOWER), 1].mean() + 4
    cheeks = _members(topo.RIGHT_CHEEK + topo.LEFT_CHEEK)
    around = lips.lips | (lips.distance_mm > _FREE_MM)
    near_axis = np.abs(h[:, 0] - face.mouth_centre_mm[0]) < 16
    smile = lips.lips | cheeks | (
        around & ((lips.distance_mm > 38) | (h[:, 1] < below_eyes) | near_axis)
    )  # fmt: skip
    forehead = brows | (h[:, 1] < brow_y - 2) | (h[:, 1] > eye_y - 4)
    lids = brows | cheeks | (h[:, 1] < below_eyes) | (h[:, 1] > below_eyes + 30)
    return [
        (("jaw", "shift"), thinned),
        (
            ("seal", "purse", "close", "part", "part_round", "press", "roll", "pucker", "funnel",
             "stretch", "frown"),
            around & thinned,
        ),
        (("smile",), smile & thinned),
        (("brow_up", "brow_down"), forehead & _thin(lips, 3)),
        (("squint", "cheek_raise"), lids & thinned),
    ]  # fmt: skip


def _members(vertices: tuple[int, ...]) -> Mask:
    mask = np.zeros(topo.SKIN_POINTS, bool)
    mask[list(vertices)] = True
    return mask


def _thin(lips: LipVertices, step: int = 2) -> Mask:
    """Every ``step``-th vertex, and all on lips, lids, brows and outline."""
    kept = _members(
        topo.RIGHT_EYE_UPPER + topo.RIGHT_EYE_LOWER + topo.LEFT_EYE_UPPER + topo.LEFT_EYE_LOWER
        + topo.RIGHT_BROW + topo.LEFT_BROW + topo.FACE_OVAL + topo.RIGHT_CHEEK + topo.LEFT_CHEEK
    )  # fmt: skip
    kept |= lips.lips
    kept[::step] = True
    return kept


def _anchors(face: FaceGeometry) -> tuple[Array, Mask]:
    """Points that never move (A, 2), and the coarse nodes they enclose."""
    oval = face.xy[list(topo.FACE_OVAL)]
    ring = oval.mean(0) + (oval - oval.mean(0)) * _RING
    chin, mm = face.xy[topo.CHIN], face.mm
    side = ring[ring[:, 1] < chin[1] - 5 * mm]
    across = np.arange(-70, 71, 20) * mm
    neck = np.concatenate([np.stack([across, np.full(8, y * mm)], 1) for y in (48, 70)]) + chin
    outline = cv2.convexHull(np.concatenate([side, neck]).astype(np.float32))[:, 0]
    region = np.zeros((COARSE_NODES, COARSE_NODES), np.uint8)
    cells = np.round((outline - coarse_positions()[0, 0]) / 8).astype(np.int32)
    cv2.fillConvexPoly(region, cells, 1)
    inside = cv2.dilate(region, np.ones((5, 5), np.uint8)) > 0
    return np.concatenate([side, neck]).astype(np.float32), inside


def _border_fade(positions: Array) -> Array:
    """(N, N): 0 at the HEAD view's border, 1 from 50 pixels inwards."""
    edge = np.minimum(positions, HEAD_SIZE - 1 - positions).min(-1)
    return smoothstep(STILL_BORDER_PX, 50, edge)
