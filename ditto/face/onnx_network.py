"""A released face network: an ONNX file run on one CPU thread."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from ditto.errors import CorruptDataError, SetupError

Array = NDArray[np.float32]
Run = Callable[[Array], list[Array]]
"""One input batch -> all outputs, in the file's order."""


class OnnxNetwork:
    """One network with one input; safe to share between threads."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise SetupError(f"{path} is missing: fetch it with `ditto models pull ditto`")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime's own classes are private
            raise CorruptDataError(f"{path} is no usable ONNX file: {error}") from error
        self._input = self._session.get_inputs()[0].name

    def __call__(self, batch: Array) -> list[Array]:
        """All outputs of one input, in the file's order."""
        return list(self._session.run(None, {self._input: batch}))
