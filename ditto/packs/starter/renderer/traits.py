"""The few numbers of a portrait that turn controls into movements."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Traits:
    """Measured once; millimetres are of the portrait's own head."""

    pitch: float
    yaw: float
    roll: float
    """The portrait's own pose, degrees."""
    own_gap_mm: float
    max_gap_mm: float
    """Inner-lip gap of the portrait, and at lipGap 1."""
    jaw_gap_mm: float
    roll_gap_mm: float
    pucker_gap_mm: float
    """Gap that jawOpen 1, mouthRollLower 1 and mouthPucker 1 bring along by themselves."""
    own_blink_right: float
    own_blink_left: float
    """How closed the eyes already are, 0..1."""
    can_blink: float
    """0 where the eyes' geometry is unusable, else 1."""
    smile_gain: float
    brow_gain: float
    """Below 1 for a portrait that smiles already, or wears glasses."""

    def to_array(self) -> NDArray[np.float32]:
        """All numbers in field order."""
        return np.array(astuple(self), np.float32)

    @classmethod
    def from_array(cls, values: NDArray[np.generic]) -> Traits:
        """Inverse of `to_array`. Raises ValueError for another number of values."""
        if values.shape != (len(fields(cls)),):
            raise ValueError(f"traits of shape {values.shape}")
        return cls(*(float(v) for v in values))
