"""Commands that need the `train` extra say so, by name, where it is not installed."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import wraps

from ditto.errors import SetupError

Run = Callable[[argparse.Namespace], int]
_PACKAGES = frozenset({"matplotlib", "onnxscript", "scipy", "tensorboard", "torch"})


def needs_training_extra(run: Run) -> Run:
    """A command that raises `SetupError` with the mend where the extra is not installed."""

    @wraps(run)
    def checked(options: argparse.Namespace) -> int:
        try:
            return run(options)
        except ModuleNotFoundError as error:
            package = (error.name or "").partition(".")[0]
            if package not in _PACKAGES:
                raise
            raise SetupError(
                f"{package} is not installed, which training needs; "
                "pip install 'ditto-cluster[train]'"
            ) from error

    return checked
