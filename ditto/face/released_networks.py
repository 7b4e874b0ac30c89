"""The five released face networks, loaded from a folder of the released layout."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ditto.errors import SetupError
from ditto.face.network import Network
from ditto.face.onnx_network import OnnxNetwork, Run

_TASK = "ditto_pytorch/aux_models/face_landmarker.task"

FILES = {
    "insightface_det": (
        "ditto_onnx/insightface_det.onnx",
        "ditto_pytorch/aux_models/det_10g.onnx",
    ),
    "landmark106": (
        "ditto_onnx/landmark106.onnx",
        "ditto_pytorch/aux_models/2d106det.onnx",
    ),
    "landmark203": (
        "ditto_onnx/landmark203.onnx",
        "ditto_pytorch/aux_models/landmark203.onnx",
    ),
    "blaze_face": ("ditto_onnx/blaze_face.onnx", _TASK),
    "face_mesh": ("ditto_onnx/face_mesh.onnx", _TASK),
}
"""Files that can serve each network, the preferred one first."""

_TASK_MEMBERS = {
    "blaze_face": "face_detector.tflite",
    "face_mesh": "face_landmarks_detector.tflite",
}


@dataclass(frozen=True)
class FaceNetworks:
    """Each a function from one input batch to all outputs."""

    insightface_det: Run
    landmark106: Run
    landmark203: Run
    blaze_face: Run
    face_mesh: Run


def locate(folder: Path) -> dict[str, Path]:
    """The file of every network. Raises `SetupError` that lists all that are missing."""
    found: dict[str, Path] = {}
    missing: list[str] = []
    for name, candidates in FILES.items():
        path = next((folder / file for file in candidates if (folder / file).is_file()), None)
        if path is None:
            missing.append(f"{name} ({' or '.join(candidates)})")
        else:
            found[name] = path
    if missing:
        raise SetupError(
            f"face networks are missing from {folder}: {'; '.join(missing)}. "
            f"Fetch them with `ditto models pull ditto --dir {folder}`"
        )
    return found


def load_face_networks(folder: Path) -> FaceNetworks:
    """Load all five. Raises `SetupError` for missing files, `CorruptDataError` for broken ones."""
    return FaceNetworks(**{name: _load(name, path) for name, path in locate(folder).items()})


def _load(name: str, path: Path) -> Run:
    if path.suffix == ".task":
        return Network(path, _TASK_MEMBERS[name])
    return OnnxNetwork(path)
