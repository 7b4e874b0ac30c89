"""A TensorFlow Lite network out of MediaPipe's ``.task`` bundle (a zip file), on one CPU thread."""

from __future__ import annotations

import threading
import zipfile
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from ditto.errors import CorruptDataError, SetupError

Array = NDArray[np.float32]


def read_member(task_path: Path, member: str) -> bytes:
    """One file of the bundle. Raises `SetupError` when missing, `CorruptDataError` when broken."""
    if not task_path.is_file():
        raise SetupError(f"face landmark model not found at {task_path}: fetch the starter pack")
    try:
        with zipfile.ZipFile(task_path) as bundle:
            return bundle.read(member)
    except (zipfile.BadZipFile, KeyError) as error:
        raise CorruptDataError(f"{task_path} is no face landmark bundle: {error}") from error


class Network:
    """One network; calls from several threads take turns, for an interpreter is not thread-safe."""

    def __init__(self, task_path: Path, member: str) -> None:
        self._interpreter = Interpreter(model_content=read_member(task_path, member), num_threads=1)
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._outputs = [d["index"] for d in self._interpreter.get_output_details()]
        self._lock = threading.Lock()

    def __call__(self, batch: Array) -> list[Array]:
        """All outputs of one input, in the file's order."""
        with self._lock:
            self._interpreter.set_tensor(self._input, batch)
            self._interpreter.invoke()
            return [self._interpreter.get_tensor(index).copy() for index in self._outputs]
