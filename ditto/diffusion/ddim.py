"""DDIM sampling with eta 1, for numpy arrays and torch tensors alike.

B batch, T frames, M motion numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from ditto.diffusion.schedule import DdimStep


class Numeric(Protocol):
    """What the sampler needs of an array: numpy's and torch's both have it."""

    def __add__(self: Samples, other: Samples, /) -> Samples: ...
    def __mul__(self: Samples, other: float, /) -> Samples: ...


Samples = TypeVar("Samples", bound=Numeric)


def sample_ddim(
    denoise: Callable[[Samples, int], Samples],
    initial_noise: Samples,
    step_noises: Sequence[Samples],
    schedule: Sequence[DdimStep],
) -> Samples:
    """Clean motion (B, T, M) from noise of the same shape.

    `denoise(x, index)` predicts x0 at the schedule's step `index`, guidance included;
    `step_noises[index]` is the noise of that step, for all steps but the last.
    """
    assert len(step_noises) >= len(schedule) - 1, "every step but the last needs its noise"
    x = initial_noise
    for index, step in enumerate(schedule[:-1]):
        clean = denoise(x, index)
        x = x * step.from_x + clean * step.from_clean + step_noises[index] * step.sigma
    return denoise(x, len(schedule) - 1)
