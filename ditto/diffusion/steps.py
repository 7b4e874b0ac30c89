"""How many denoising steps a call's segments get."""

from __future__ import annotations

from ditto.errors import InvalidInputError
from ditto.stages import MotionSettings


def sampling_steps(settings: MotionSettings, default: int, most: int) -> int:
    """The steps that are asked for, or the pack's, over the divisor.

    Raises `InvalidInputError` for a number outside 1 to ``most``.
    """
    asked = default if settings.sampling_steps is None else settings.sampling_steps
    if not 1 <= asked <= most:
        raise InvalidInputError("sampling_steps", f"{asked}; allowed: 1 to {most}")
    return -(-asked // settings.step_divisor)
