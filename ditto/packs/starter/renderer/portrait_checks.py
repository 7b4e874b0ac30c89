"""What a portrait cannot do well, found at registration: a refusal, or a warning and less gain."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ditto.errors import FaceError
from ditto.face.eye_state import eye_open
from ditto.face.glasses import wears_glasses
from ditto.face.sampling import resize
from ditto.packs.starter.renderer.eye_plates import measure_eye
from ditto.packs.starter.renderer.geometry import FaceGeometry
from ditto.packs.starter.renderer.grid import HEAD_SIZE

Array = NDArray[np.float32]
Image = NDArray[np.uint8]

_MAX_GAP_SHARE, _GOOD_GAP_SHARE = 0.15, 0.10
"""Inner-lip gap over face height: refused above the first, warned about above the second."""
_OPEN_EYE, _SHUT_EYE = 0.45, 0.15
"""`eye_open` from which an eye counts as open, and below which as shut."""
_MIN_EYE_PX = 14.0
_MIN_CONTRAST = 0.2
"""Laplacian over grey-value deviation of a 256-pixel HEAD view; sharp ones have 0.25 to 0.65."""


@dataclass(frozen=True)
class Findings:
    """What registration found; gains are 1 where nothing is amiss."""

    warnings: tuple[str, ...]
    own_blink: Array
    """(2,) how closed the eyes are, right, left."""
    can_blink: float
    smile_gain: float
    brow_gain: float


def check_portrait(face: FaceGeometry, view: Image) -> Findings:
    """Judge a HEAD view (S, S, 3). Raises `FaceError` for a mouth too wide open to be closed."""
    gap_share = face.gap_mm / face.frame.face_height_mm
    if gap_share > _MAX_GAP_SHARE:
        raise FaceError(
            f"the mouth is wide open ({100 * gap_share:.0f} % of the face's height, at most "
            f"{100 * _MAX_GAP_SHARE:.0f} work): send a picture with a closed or smiling mouth"
        )
    warnings = []
    if gap_share > _GOOD_GAP_SHARE:
        warnings.append("the mouth is open: closed lips will look stretched")
    glasses = wears_glasses(view, face.points)
    if glasses:
        warnings.append("glasses found: brows will move less")
    if _contrast(view) < _MIN_CONTRAST:
        warnings.append("blurred picture: painted teeth and lids will look sharper than the face")
    own_blink = np.clip((_OPEN_EYE - _openness(face)) / (_OPEN_EYE - _SHUT_EYE), 0, 0.95)
    can_blink = bool(own_blink.max() < 0.9) and all(_usable_eye(face, left) for left in (0, 1))
    if not can_blink:
        warnings.append("eyes shut or hardly visible: no blinking and no gaze")
    return Findings(
        warnings=tuple(warnings),
        own_blink=own_blink.astype(np.float32),
        can_blink=float(can_blink),
        smile_gain=0.6 if face.gap_mm > 2 else 1.0,
        brow_gain=0.4 if glasses else 1.0,
    )


def _openness(face: FaceGeometry) -> Array:
    """(2,) of the eyes at the image's left and right, which are the subject's right and left."""
    return np.asarray(eye_open(face.points[None] / np.float32(HEAD_SIZE))[0], np.float32)


def _usable_eye(face: FaceGeometry, left: int) -> bool:
    """Wide enough to draw, and with its iris between its corners."""
    eye = measure_eye(face, left=bool(left))
    along, height = eye.axis.to_row(eye.iris[:2])
    wide = 2 * eye.axis.half_width > _MIN_EYE_PX
    return bool(
        wide and abs(along) < eye.axis.half_width and abs(height) < 0.6 * eye.axis.half_width
    )


def _contrast(view: Image) -> float:
    small = resize(view, 256, 256, cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)[70:190, 75:180]
    return float(cv2.Laplacian(grey, cv2.CV_32F).std() / max(float(grey.std()), 1.0))
