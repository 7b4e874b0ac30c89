"""Tells the head from what is behind it, so that the background holds still while the head turns.

Segmentation by graph cuts from what the mesh knows of the head; the few pixels that a turn can lay
bare are filled from the background around them.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ditto.face import topology as topo
from ditto.face.sampling import blend, resize
from ditto.packs.starter.renderer.curves import smoothstep
from ditto.packs.starter.renderer.geometry import FaceGeometry
from ditto.packs.starter.renderer.grid import HEAD_SIZE

Array = NDArray[np.float32]
Image = NDArray[np.uint8]
Mask = NDArray[np.bool_]

CUT_SIZE = 128
MATTE_SIZE = 256
_ROUNDS = 3
_SKIRT_PX = (10.0, 20.0)
"""The head takes this much background along, in HEAD pixels: opaque up to the first, gone at the
second. It hides the errors of the cut and the wisps of hair that it misses."""
_SURE_HEAD = 1.1
"""Inside this share of the skull's ellipse all is head, whatever its colours: hats, white hair."""


@dataclass(frozen=True)
class Matte:
    """What moves, what is known of the background, and what fills the rest of it."""

    alpha: Image
    """(256, 256) 255: moves with the head; 0: holds still."""
    known: Image
    """(256, 256) 255: the picture shows background here."""
    fill: Image
    """(128, 128, 3) background colours continued behind the head."""
    silhouette: Array
    """(128, 128) 0..1 the head, hair and body."""


def skull_radius(face: FaceGeometry, points: Array) -> Array:
    """(...,) distance of HEAD points (..., 2) from the skull's centre; 1 on its ellipse."""
    top, chin = face.xy[topo.FOREHEAD], face.xy[topo.CHIN]
    centre = face.xy[list(topo.FACE_OVAL)].mean(0) + (top - chin) * 0.12
    half_width = np.linalg.norm(face.xy[topo.LEFT_EAR] - face.xy[topo.RIGHT_EAR]) * 0.66
    half_height = np.linalg.norm(chin - top) * 0.72
    offset = (points - centre) / [half_width, half_height]
    return np.asarray(np.linalg.norm(offset, axis=-1), np.float32)


def cut_matte(face: FaceGeometry, view: Image) -> Matte:
    """The matte of a still HEAD view (S, S, 3)."""
    small = resize(view, CUT_SIZE, CUT_SIZE, cv2.INTER_AREA)
    inside = _silhouette(face, small)
    edge = resize(inside.astype(np.float32), MATTE_SIZE, MATTE_SIZE) > 0.5
    cell = HEAD_SIZE / MATTE_SIZE
    outside_px = cv2.distanceTransform((~edge).astype(np.uint8), cv2.DIST_L2, 5) * cell
    opaque, gone = _SKIRT_PX
    known = smoothstep(opaque - 4, opaque, outside_px)
    return Matte(
        alpha=(255 * smoothstep(gone, opaque, outside_px)).astype(np.uint8),
        known=(255 * known).astype(np.uint8),
        fill=_continue(small, resize(known, CUT_SIZE, CUT_SIZE)),
        silhouette=inside.astype(np.float32),
    )


def _silhouette(face: FaceGeometry, small: Image) -> Mask:
    """(128, 128) person or not; the part that holds together with the face."""
    cell = HEAD_SIZE / CUT_SIZE
    axis = (np.arange(CUT_SIZE) + 0.5) * cell - 0.5
    points = np.stack(np.meshgrid(axis, axis), axis=-1).astype(np.float32)
    radius = skull_radius(face, points)
    labels = _first_guess(face, points, radius)
    background, foreground = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)  # its colour clusters start at random: one portrait, one matte
    cv2.grabCut(  # type: ignore[call-overload]
        small, labels, None, background, foreground, _ROUNDS, cv2.GC_INIT_WITH_MASK
    )
    person = (labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD) | (radius < _SURE_HEAD)
    person = cv2.morphologyEx(person.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    _, parts = cv2.connectedComponents(person)
    nose = np.clip((face.xy[topo.NOSE_TIP] / cell).astype(int), 0, CUT_SIZE - 1)
    return np.asarray(parts == parts[nose[1], nose[0]])


def _first_guess(face: FaceGeometry, points: Array, radius: Array) -> Image:
    chin = face.xy[topo.CHIN]
    width = np.linalg.norm(face.xy[topo.LEFT_EAR] - face.xy[topo.RIGHT_EAR])
    below = points[..., 1] > chin[1] - 8
    aside = np.abs(points[..., 0] - chin[0]) / width
    labels = np.full(radius.shape, cv2.GC_PR_BGD, np.uint8)
    labels[(radius < 1.15) | (below & (aside < 0.9))] = cv2.GC_PR_FGD
    labels[(radius < 0.82) | (below & (aside < 0.3))] = cv2.GC_FGD
    labels[(radius > 2.1) & ~below] = cv2.GC_BGD
    return labels


def _continue(image: Image, known: Array) -> Image:
    """Known pixels continued over the unknown ones, ever smoother with distance."""
    levels = [(image.astype(np.float32) * known[..., None], known)]
    while min(levels[-1][1].shape) > 2:
        colour, weight = levels[-1]
        smaller = (cv2.pyrDown(plane) for plane in (colour, weight))
        colour, weight = (np.asarray(plane, np.float32) for plane in smaller)
        levels.append((colour, weight))
    colour, weight = levels[-1]
    filled = colour / np.maximum(weight, 1e-4)[..., None]
    for colour, weight in reversed(levels[:-1]):
        coarse = cv2.pyrUp(filled, dstsize=weight.shape[::-1])
        trust = np.clip(weight * 4, 0, 1)[..., None]
        filled = coarse + trust * (colour / np.maximum(weight, 1e-4)[..., None] - coarse)
    return np.clip(filled, 0, 255).astype(np.uint8)


def background_plate(view: Image, known: Image, fill: Image) -> Image:
    """(S, S, 3) the still HEAD view with the head taken out."""
    weight = resize(known, HEAD_SIZE, HEAD_SIZE).astype(np.float32) / np.float32(255)
    return blend(resize(fill, HEAD_SIZE, HEAD_SIZE, cv2.INTER_CUBIC), view, weight)
