"""CSIM: cosine similarity of face recognition features (paper 4.2), by SFace."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import cv2
import numpy as np
import onnxruntime as ort
import yaml
from numpy.typing import NDArray

from ditto.face.topology import (
    LEFT_IRIS,
    LEFT_MOUTH_CORNER,
    NOSE_TIP,
    RIGHT_IRIS,
    RIGHT_MOUTH_CORNER,
)
from ditto.packs.manifest import Asset
from ditto.packs.store import ensure

Array = NDArray[np.float32]
Image = NDArray[np.uint8]

_SIDE = 112
_PLACES = np.array(
    [[38.29, 51.70], [73.53, 51.50], [56.03, 71.74], [41.55, 92.37], [70.73, 92.20]], np.float32
)
"""Where eyes, nose and mouth corners lie in the network's input, left to right on the picture."""
_POINTS = (RIGHT_IRIS[0], LEFT_IRIS[0], NOSE_TIP, RIGHT_MOUTH_CORNER, LEFT_MOUTH_CORNER)


def sface_path() -> Path:
    """The network's checked file, fetched first where needed. Raises `SetupError`."""
    text = files(__package__).joinpath("assets.yaml").read_text("utf-8")
    return ensure(Asset.model_validate(yaml.safe_load(text)["sface"]))


class FaceRecognizer:
    """SFace on one thread."""

    def __init__(self, path: Path) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3  # it warns once a weight about a harmless old layout
        self._session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name

    def __call__(self, image: Image, points: Array) -> Array:
        """(128,) unit feature of a face with mesh (478, 3) in an RGB image."""
        placement, _ = cv2.estimateAffinePartial2D(
            points[list(_POINTS), :2], _PLACES, method=cv2.LMEDS
        )
        face = cv2.warpAffine(image, placement, (_SIDE, _SIDE), flags=cv2.INTER_LINEAR)
        batch = face.astype(np.float32).transpose(2, 0, 1)[None]
        (feature,) = self._session.run(None, {self._input: batch})[0]
        return np.asarray(feature / np.linalg.norm(feature), np.float32)


def csim(features: Array, reference: Array) -> float:
    """Mean cosine of unit features (N, 128) with a reference (128,) or, pair by pair, (N, 128)."""
    return float((features * reference).sum(-1).mean())
