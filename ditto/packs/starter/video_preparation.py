"""Registers a portrait video: its face followed from picture to picture, each one prepared.

Two walks through the pictures, so that no more than one of them is held: the first follows the
face, the second prepares each picture in one HEAD crop that stays put, so that the head's own
movement is seen. S source frames.
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterable

import numpy as np
from numpy.typing import NDArray

from ditto.errors import FaceError, InvalidInputError
from ditto.face.crop import head_crop, transform_points
from ditto.face.detect import FaceDetector
from ditto.face.landmarks import FaceLandmarker, Mesh
from ditto.face.select import find_portrait_face, judge_mesh
from ditto.motion.layout import FPS
from ditto.packs.starter.renderer.archive import Arrays
from ditto.packs.starter.renderer.grid import HEAD_SIZE
from ditto.packs.starter.renderer.prepare import fit_portrait, prepare_arrays
from ditto.packs.starter.renderer.traits import Traits
from ditto.packs.starter.video_appearance import pack_frame
from ditto.stages import Image, Progress

Array = NDArray[np.float32]

_MIN_PRESENCE = 0.5
_SMOOTH = np.array([0.25, 0.5, 0.25], np.float32)
_MARGIN_PX = 6
"""The mesh stays so far within the HEAD view."""
_OF_FIRST_FRAME = ("own_blink_right", "own_blink_left", "can_blink", "smile_gain", "brow_gain")
"""Traits that hold for the whole video, so that no control's effect flickers."""


def prepare_frames(
    images: Iterable[Image], detector: FaceDetector, landmarker: FaceLandmarker
) -> Generator[Progress, None, list[bytes]]:
    """The archive of each picture's appearance, S of them.

    Raises `FaceError` with the moment of the picture that cannot be used.
    """
    meshes: list[Array] = []
    warnings: list[str] = []
    for mesh in _follow(images, detector, landmarker):
        meshes.append(mesh.points)
        warnings += _judged(mesh, len(meshes) - 1)
        yield Progress(0, 0)
    placed = _smoothed(np.stack(meshes))
    crop = head_crop(placed.mean(0), HEAD_SIZE)
    _require_inside(placed, crop)
    archives: list[bytes] = []
    first: Arrays = {}
    for frame, image in enumerate(images):
        portrait = fit_portrait(image)
        try:
            arrays, found = prepare_arrays(portrait, placed[frame], crop)
        except FaceError as error:
            raise _at(frame, error) from None
        if not first:
            first = arrays
            told = json.dumps(_of_each_kind([*found, *warnings]))
            arrays["warnings"] = np.frombuffer(told.encode(), np.uint8)
        else:
            _agree(arrays, first)
        archives.append(pack_frame(arrays))
        yield Progress(len(archives), len(meshes))
    return archives


def _follow(
    images: Iterable[Image], detector: FaceDetector, landmarker: FaceLandmarker
) -> Generator[Mesh, None, None]:
    """The mesh of the face in each picture, found in the first one and followed from there."""
    known: Array | None = None
    shape: tuple[int, ...] = ()
    for frame, image in enumerate(images):
        portrait = fit_portrait(image)
        if known is None:
            known, shape = find_portrait_face(portrait, detector, landmarker)[0].points, image.shape
        if image.shape != shape:
            raise InvalidInputError("portrait", "video: its pictures are not all of one size")
        mesh = landmarker.refine(portrait, known)
        if mesh.presence < _MIN_PRESENCE:
            raise _at(frame, FaceError("the face is lost: it must be seen throughout"))
        known = mesh.points
        yield mesh


def _judged(mesh: Mesh, frame: int) -> tuple[str, ...]:
    try:
        return judge_mesh(mesh)
    except FaceError as error:
        raise _at(frame, error) from None


def _of_each_kind(warnings: list[str]) -> list[str]:
    """Without those that differ from an earlier one in numbers only."""
    return list({re.sub(r"\d+", "", text): text for text in reversed(warnings)}.values())[::-1]


def _require_inside(meshes: Array, crop: Array) -> None:
    for frame, mesh in enumerate(meshes):
        points = transform_points(crop, mesh)[:, :2]
        if points.min() < _MARGIN_PX or points.max() > HEAD_SIZE - 1 - _MARGIN_PX:
            raise _at(
                frame, FaceError("the head moves too far from its usual place: hold it stiller")
            )


def _agree(arrays: Arrays, first: Arrays) -> None:
    """Motion counts from the first frame's pose and lids, in every frame."""
    own, leading = (Traits.from_array(part["traits"]).__dict__ for part in (arrays, first))
    shared = {name: leading[name] for name in _OF_FIRST_FRAME}
    arrays["traits"] = Traits(**{**own, **shared}).to_array()
    for name in ("reference_motion", "canonical_keypoints", "eye_state", "warnings"):
        arrays[name] = first[name]


def _smoothed(meshes: Array) -> Array:
    """Meshes (S, 478, 3) over three pictures; a mesh trembles."""
    padded = np.concatenate([meshes[:1], meshes, meshes[-1:]])
    parts = [weight * padded[at : at + len(meshes)] for at, weight in enumerate(_SMOOTH)]
    return np.asarray(sum(parts), np.float32)


def _at(frame: int, error: FaceError) -> FaceError:
    return FaceError(f"video at {frame / FPS:.2f} s: {error}")
