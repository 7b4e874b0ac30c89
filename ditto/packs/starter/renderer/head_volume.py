"""Depth of the head under every pixel, and how firmly a pixel follows the head's pose."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ditto.face import topology as topo
from ditto.packs.starter.renderer.curves import smoothstep
from ditto.packs.starter.renderer.geometry import FaceGeometry
from ditto.packs.starter.renderer.grid import (
    HEAD_SIZE,
    coarse_positions,
    node_positions,
    refine,
)
from ditto.packs.starter.renderer.rbf import interpolate

Array = NDArray[np.float32]

PIVOT_MM = np.array([0.0, 25.0, 15.0], np.float32)
"""The pivot of head turns from the ears: lower and further back, where the neck carries it."""
_FURTHEST_MM = 28.0
"""Depth behind the pivot is cut here, or a turn would fold the far cheek."""


def pivot(face: FaceGeometry) -> Array:
    """(3,) the pivot in HEAD pixels."""
    return np.asarray(face.frame.ears + face.frame.axes @ PIVOT_MM * face.mm, np.float32)


def depth_map(face: FaceGeometry) -> Array:
    """(NODES, NODES) depth behind the pivot, in HEAD pixels (negative: in front of it)."""
    z = face.points[:, 2] - pivot(face)[2]
    oval = list(topo.FACE_OVAL[::2])
    centre = face.xy[list(topo.FACE_OVAL)].mean(0)
    skin = np.arange(0, topo.SKIN_POINTS, 2)
    points, values = [face.xy[skin]], [z[skin]]
    for reach, behind_mm in ((1.3, 12.0), (1.7, 25.0), (2.3, 30.0)):
        points.append(centre + (face.xy[oval] - centre) * reach)
        values.append(z[oval] + behind_mm * face.mm)
    solved = interpolate(
        np.concatenate(points), np.concatenate(values)[:, None], coarse_positions().reshape(-1, 2),
        radius=20.0,
    )  # fmt: skip
    size = coarse_positions().shape[0]
    depth = refine(solved.reshape(size, size, 1))[..., 0]
    near = np.minimum(depth, _FURTHEST_MM * face.mm)
    inner = _inside_oval(face)
    return np.asarray(
        inner * cv2.GaussianBlur(near, (0, 0), 1.2)
        + (1 - inner) * cv2.GaussianBlur(depth, (0, 0), 6.0),
        np.float32,
    )


def _inside_oval(face: FaceGeometry) -> Array:
    """(NODES, NODES): 1 well inside the face oval, 0 outside."""
    nodes = node_positions()
    outline = face.xy[list(topo.FACE_OVAL)]
    step = nodes[0, 1, 0] - nodes[0, 0, 0]
    mask = np.zeros(nodes.shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.round((outline - nodes[0, 0]) / step).astype(np.int32)], 1)
    depth = cv2.distanceTransform(mask, cv2.DIST_L2, 5)
    return cv2.GaussianBlur(smoothstep(0, 7, depth), (0, 0), 1.5)


def head_weight(face: FaceGeometry) -> Array:
    """(NODES, NODES): 1 on the head, fading to 0 around it, down the neck and at the border."""
    nodes = node_positions()
    x, y = nodes[..., 0], nodes[..., 1]
    top, chin = face.xy[topo.FOREHEAD], face.xy[topo.CHIN]
    middle = face.xy[list(topo.FACE_OVAL)].mean(0)
    centre = middle + (top - chin) * 0.12
    half_width = np.linalg.norm(face.xy[topo.LEFT_EAR] - face.xy[topo.RIGHT_EAR]) * 0.66
    half_height = np.linalg.norm(chin - top) * 0.72
    radius = np.hypot((x - centre[0]) / half_width, (y - centre[1]) / half_height)
    weight = smoothstep(1.75, 1.05, radius)
    below_chin = smoothstep(-12, 62, (y - chin[1]) / face.mm)
    weight *= 1 - below_chin * smoothstep(0, 1, (y - middle[1]) / (40 * face.mm))
    edge = np.minimum(nodes, HEAD_SIZE - nodes).min(-1)
    weight *= smoothstep(0, 36, edge)
    weight = cv2.GaussianBlur(weight, (0, 0), 2.5)
    return weight * smoothstep(2, 30, np.minimum(nodes, HEAD_SIZE - 1 - nodes).min(-1))
