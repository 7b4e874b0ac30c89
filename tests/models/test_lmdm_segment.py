"""Sampling with shared terms computed once equals the plain loop."""

from __future__ import annotations

from typing import cast

import pytest
import torch
from torch import Tensor

from ditto.diffusion.ddim import sample_ddim
from ditto.diffusion.schedule import ddim_schedule
from ditto.models.lmdm import GUIDANCE_WEIGHT, Lmdm
from ditto.models.lmdm_segment import SegmentSampler
from tests.models.small_networks import SMALL_LMDM, build, inputs


def _plain_loop(lmdm: Lmdm, noise: Tensor, steps: list[Tensor], given: dict[str, Tensor]) -> Tensor:
    schedule = ddim_schedule(len(steps) + 1)
    cond_frame, cond = given["cond_frame"], given["cond"]

    def denoise(x: Tensor, index: int) -> Tensor:
        time = torch.full((len(x),), schedule[index].time)
        unconditional = lmdm(x, cond_frame, cond, time, conditional=False)
        conditional = lmdm(x, cond_frame, cond, time)
        return unconditional + GUIDANCE_WEIGHT * (conditional - unconditional)

    return sample_ddim(denoise, noise, steps, schedule)


@torch.no_grad()
@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("steps", [1, 4])
def test_sampler_equals_the_plain_loop(batch: int, steps: int) -> None:
    lmdm = cast(Lmdm, build("lmdm"))
    given = inputs("lmdm", batch)
    step_noises = torch.randn(steps - 1, batch, SMALL_LMDM.frames, SMALL_LMDM.motion_dim)
    expected = _plain_loop(lmdm, given["x"], list(step_noises), given)
    sampler = SegmentSampler(lmdm, steps)
    got = sampler(given["x"], step_noises, given["cond_frame"], given["cond"])
    torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_guided_batch_equals_two_passes() -> None:
    lmdm, given = build("lmdm"), inputs("lmdm", 3)
    conditional = lmdm(*given.values())
    unconditional = lmdm(*given.values(), conditional=False)
    expected = unconditional + GUIDANCE_WEIGHT * (conditional - unconditional)
    torch.testing.assert_close(cast(Lmdm, lmdm).guided(*given.values()), expected)


@torch.no_grad()
def test_unconditional_branch_ignores_the_condition() -> None:
    lmdm, given = build("lmdm"), inputs("lmdm", 1)
    other = {**given, "cond": given["cond"] + 1}
    same = lmdm(*given.values(), conditional=False), lmdm(*other.values(), conditional=False)
    torch.testing.assert_close(*same, rtol=0, atol=0)
    assert not torch.allclose(lmdm(*given.values()), lmdm(*other.values()))
