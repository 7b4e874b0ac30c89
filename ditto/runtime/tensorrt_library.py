"""The TensorRT library of this machine: `tensorrt` on a GPU machine, `tensorrt_rtx` anywhere.

TensorRT for RTX parses and builds without a GPU, for one that is named. The interface is the same.
"""

from __future__ import annotations

import importlib
from types import ModuleType

from ditto.errors import SetupError

NAMES = ("tensorrt", "tensorrt_rtx")
_FIRST_WITH_VOLUME_SAMPLING = (11, 2)


def load_library() -> ModuleType:
    """The first of the two that is installed.

    Raises `SetupError` when neither is, or when it cannot sample volumes (rank-5 GridSample), which
    the warping network needs.
    """
    for name in NAMES:
        try:
            library = importlib.import_module(name)
        except ImportError:
            continue
        _require_volume_sampling(name, str(library.__version__))
        return library
    raise SetupError(
        "TensorRT is not installed: pip install 'tensorrt>=11.2' on the machine with the GPU, or "
        "set backend: torch"
    )


def _require_volume_sampling(name: str, version: str) -> None:
    if name != "tensorrt":
        return
    numbers = tuple(int(part) for part in version.split(".")[:2])
    if numbers < _FIRST_WITH_VOLUME_SAMPLING:
        raise SetupError(f"TensorRT {version} has no rank-5 GridSample; install 'tensorrt>=11.2'")
