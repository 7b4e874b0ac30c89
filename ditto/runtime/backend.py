"""What every backend is: a loaded network that maps named arrays to named arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from numpy.typing import NDArray

from ditto.errors import SetupError

Named = Mapping[str, NDArray[Any]]
"""Arrays by the names of a graph's inputs or outputs."""


class Backend(Protocol):
    """A network that is loaded and may be run by one thread at a time.

    Each implementation has a `load` function beside it that raises `SetupError` for a missing file,
    library or device.
    """

    def run(self, inputs: Named) -> dict[str, NDArray[Any]]:
        """All outputs of all inputs; batch first where the network has a batch."""


@dataclass(frozen=True)
class Device:
    """Where a network runs."""

    kind: Literal["cpu", "cuda"]
    index: int = 0
    """Which of the machine's GPUs."""

    def __str__(self) -> str:
        return self.kind if self.kind == "cpu" else f"{self.kind}:{self.index}"


def parse_device(text: str) -> Device:
    """``cpu``, ``cuda`` or ``cuda:1``. Raises `SetupError` for anything else."""
    kind, _, index = text.partition(":")
    if kind == "cpu" and not index:
        return Device("cpu")
    if kind == "cuda" and (index.isdigit() or text == "cuda"):
        return Device("cuda", int(index or 0))
    raise SetupError(f"device {text!r} is not cpu, cuda or cuda:N")
