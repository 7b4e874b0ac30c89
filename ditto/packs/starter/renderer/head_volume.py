"""Depth of the head under every pixel, and how firmly a pixel follows the head's pose."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ditto.face import topology as topo
from ditto.face.sampling import blur, sample
from ditto.packs.starter.renderer.curves import smoothstep
from ditto.packs.starter.renderer.geometry import FaceGeometry
from ditto.packs.starter.renderer.grid import (
    HEAD_SIZE,
    coarse_positions,
    node_positions,
    refine,
)
from ditto.packs.starter.renderer.matte import skull_radius
from ditto.packs.starter.renderer.rbf import interpolate

Array = NDArray[np.float32]

PIVOT_MM = np.array([0.0, 25.0, 15.0], np.float32)
"""The pivot of head turns from the ears: lower and further back, where the neck carries it."""
STILL_BORDER_PX = 22
"""Nothing moves this close to the HEAD view's border: paste-back blends there."""
RELIEF = 1.15
"""Depth is stretched by this: the mesh is flatter than heads are (a turn of 12 degrees, measured
again on the rendered frame, was 9)."""
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
    depth = refine(solved.reshape(size, size))
    near = np.minimum(depth, _FURTHEST_MM * face.mm)
    inner = _inside_oval(face)
    blended = inner * blur(near, 1.2)
    blended += (1 - inner) * blur(depth, 6.0)
    return np.asarray(RELIEF * blended, np.float32)


def _inside_oval(face: FaceGeometry) -> Array:
    """(NODES, NODES): 1 well inside the face oval, 0 outside."""
    nodes = node_positions()
    outline = face.xy[list(topo.FACE_OVAL)]
    step = nodes[0, 1, 0] - nodes[0, 0, 0]
    mask = np.zeros(nodes.shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.round((outline - nodes[0, 0]) / step).astype(np.int32)], 1)
    depth = cv2.distanceTransform(mask, cv2.DIST_L2, 5)
    return blur(smoothstep(0, 7, depth), 1.5)


def head_weight(face: FaceGeometry, silhouette: Array) -> Array:
    """(NODES, NODES): 1 on the head and its hair, fading to 0 around it and down the neck.

    silhouette: (n, n) 0..1 over the HEAD view, the person as `ditto...matte` finds it.
    """
    nodes = node_positions()
    middle, chin = face.xy[list(topo.FACE_OVAL)].mean(0), face.xy[topo.CHIN]
    skull = smoothstep(1.75, 1.05, skull_radius(face, nodes))
    grown = np.asarray(cv2.dilate(silhouette, np.ones((7, 7), np.uint8)), np.float32)
    cell = HEAD_SIZE / silhouette.shape[0]
    place = ((nodes + 0.5) / cell - 0.5).astype(np.float32)
    weight = np.maximum(skull, sample(blur(grown, 3), place))
    below_chin = smoothstep(-12, 62, (nodes[..., 1] - chin[1]) / face.mm)
    weight *= 1 - below_chin * smoothstep(0, 1, (nodes[..., 1] - middle[1]) / (40 * face.mm))
    edge = np.minimum(nodes, HEAD_SIZE - 1 - nodes).min(-1)
    return np.asarray(blur(weight, 2.5) * smoothstep(STILL_BORDER_PX, 60, edge), np.float32)
