"""478 mesh points from the released face-mesh file, in the region a BlazeFace detection names."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ditto.face.onnx_network import Array, Run

Image = NDArray[np.uint8]

INPUT_SIZE = 256
_MARGIN = 1.5
"""Side of the region over the longer side of the box."""


@dataclass(frozen=True)
class MeshRegion:
    """A tilted square on the image, in pixels and radians."""

    centre: Array
    """(2,)"""
    side: float
    angle: float


def mesh_region(face: Array) -> MeshRegion:
    """The region of a face (17,) as `ditto.face.blaze_face` gives it, in pixels."""
    low, high = face[:2], face[2:4]
    eyes = face[4:8].reshape(2, 2)
    across = eyes[1] - eyes[0]
    angle = float(np.arctan2(across[1], across[0]))
    centre = np.asarray((low + high) / 2, np.float32)
    return MeshRegion(centre, float((high - low).max()) * _MARGIN, angle)


def _linear(region: MeshRegion) -> Array:
    cos, sin = np.cos(region.angle), np.sin(region.angle)
    turn = np.array([[cos, -sin], [sin, cos]])
    return np.asarray(turn * (region.side / INPUT_SIZE), np.float32)


def network_input(image: Image, region: MeshRegion) -> Array:
    """Input (1, 256, 256, 3) in 0..1 of an RGB image."""
    linear = _linear(region)
    origin = region.centre - linear @ np.full(2, INPUT_SIZE / 2, np.float32)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    crop = cv2.warpAffine(image, np.c_[linear, origin], (INPUT_SIZE, INPUT_SIZE), flags=flags)
    return np.asarray(crop[None] / np.float32(255), np.float32)


def project(points: Array, region: MeshRegion) -> Array:
    """Points (478, 3) of the network's pixels in image pixels; depth is scaled alike."""
    flat = (points[:, :2] - INPUT_SIZE / 2) @ _linear(region).T + region.centre
    depth = points[:, 2:] * np.float32(region.side / INPUT_SIZE)
    return np.concatenate([flat, depth], axis=1).astype(np.float32)


def landmarks(image: Image, face: Array, network: Run) -> Array:
    """Mesh points (478, 3) in pixels of an RGB image, for a face (17,) in pixels."""
    region = mesh_region(face)
    output = network(network_input(image, region))[0]
    return project(output.reshape(-1, 3), region)
