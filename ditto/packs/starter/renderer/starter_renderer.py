"""The starter pack's renderer: a portrait's own pixels, moved by its face mesh (paper 3.1)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ditto.errors import CorruptDataError
from ditto.face.detect import FaceDetector
from ditto.face.landmarks import FaceLandmarker
from ditto.face.paste import paste, paste_into
from ditto.face.select import find_portrait_face
from ditto.packs.starter.renderer.amounts import EyeAmounts, eye_amounts, field_amounts
from ditto.packs.starter.renderer.appearance import Appearance
from ditto.packs.starter.renderer.archive import Arrays, dump_arrays, load_arrays
from ditto.packs.starter.renderer.fields import FIELD
from ditto.packs.starter.renderer.grid import HEAD_SIZE
from ditto.packs.starter.renderer.head_layer import Drawing
from ditto.packs.starter.renderer.pose import head_pose
from ditto.packs.starter.renderer.prepare import MAX_PORTRAIT_PX, fit_portrait, prepare_arrays
from ditto.packs.starter.renderer.read_motion import read_motion
from ditto.packs.starter.renderer.smile_folds import FOLD_DEPTH
from ditto.packs.starter.renderer.texture import texture_places
from ditto.packs.starter.renderer.warp import source_of
from ditto.stages import FaceIdentity, Image, Portrait

Array = NDArray[np.float32]

_REST = 2e-3
"""A smile below this leaves the folds as they are."""


class StarterRenderer:
    """Implements `ditto.stages.Renderer`. Holds no portrait; safe to share between threads."""

    head_size = HEAD_SIZE

    def __init__(self, landmark_model_path: Path) -> None:
        """landmark_model_path: MediaPipe's ``face_landmarker.task``."""
        self._detector = FaceDetector(landmark_model_path)
        self._landmarker = FaceLandmarker(landmark_model_path)

    def prepare(self, image: Image) -> Portrait[Appearance]:
        """Register an RGB portrait (H, W, 3). Raises `FaceError` when it cannot be animated."""
        portrait = fit_portrait(image)
        mesh, warnings = find_portrait_face(portrait, self._detector, self._landmarker)
        arrays, more = prepare_arrays(portrait, mesh.points)
        if max(image.shape[:2]) > MAX_PORTRAIT_PX:
            height, width = portrait.shape[:2]
            more += (f"larger than {MAX_PORTRAIT_PX} pixels: scaled to {width}x{height}",)
        arrays["warnings"] = np.frombuffer(json.dumps(warnings + more).encode(), np.uint8)
        return _portrait(arrays)

    def full_size(self, appearance: Appearance) -> tuple[int, int]:
        """Width and height of the FULL view, in pixels."""
        height, width = (int(side) for side in appearance.arrays["portrait_shape"])
        return width, height

    def render_head(self, appearance: Appearance, motion: Array) -> Image:
        """One HEAD frame (512, 512, 3) RGB of one motion frame (265,).

        Raises `InvalidInputError` for motion of another shape or with non-finite numbers.
        """
        driven, controls = read_motion(motion)
        amounts = field_amounts(controls, appearance.traits)
        pose = head_pose(driven, appearance.reference, appearance.traits, appearance.pivot)
        window = appearance.lattice.window
        back = source_of(appearance.lattice.displaced(amounts, pose), window, window)
        drawing = appearance.head.draw(texture_places(back, window))
        _repaint(drawing, appearance, eye_amounts(controls, appearance.traits))
        smile = float(amounts[FIELD["smile"]])
        if smile >= _REST:
            drawing.darken(appearance.fold_shade, appearance.fold_corner, FOLD_DEPTH * smile)
        appearance.mouth.draw(drawing.frame, amounts, pose)
        return drawing.frame

    def paste_back(self, appearance: Appearance, head: Image) -> Image:
        """The FULL view (H, W, 3): a rendered head in the portrait, which is at most 1920 long."""
        return paste(appearance.portrait, head, appearance.paste_region)

    def repaint_full(self, appearance: Appearance, head: Image, picture: Image) -> None:
        """`paste_back` into a FULL view of the same appearance."""
        paste_into(picture, appearance.portrait, head, appearance.paste_region)

    def dump_appearance(self, portrait: Portrait[Appearance]) -> bytes:
        """The portrait as bytes for the cache: plain arrays behind a checksum."""
        return dump_arrays(portrait.appearance.arrays)

    def load_appearance(self, data: bytes) -> Portrait[Appearance]:
        """Inverse of `dump_appearance`. Raises `CorruptDataError`."""
        return _portrait(load_arrays(data))


def _portrait(arrays: Arrays) -> Portrait[Appearance]:
    """Prepared and loaded portraits are built alike, so that they render the same frames."""
    appearance = Appearance(arrays)
    identity = FaceIdentity(
        *(
            np.array(arrays[name], np.float32)
            for name in ("canonical_keypoints", "reference_motion", "eye_state")
        )
    )
    try:
        warnings = tuple(json.loads(arrays["warnings"].tobytes()))
    except (ValueError, TypeError) as error:
        raise CorruptDataError(f"appearance with unreadable warnings: {error}") from error
    return Portrait(appearance, identity, warnings)


def _repaint(drawing: Drawing, appearance: Appearance, eyes: EyeAmounts) -> None:
    closures = (eyes.blink_right, eyes.blink_left)
    for eye, closure in zip(appearance.eyes, closures, strict=True):
        patch = eye.paint(closure, eyes.gaze_x, eyes.gaze_y)
        if patch is not None:
            drawing.lay(patch, eye.corner)
