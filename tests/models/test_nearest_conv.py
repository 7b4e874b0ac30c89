"""Convolutions of enlarged maps: equal to enlarging first, borders included."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from ditto.models.nearest_conv import (
    ConvOfQuadrupled,
    conv_of_doubled,
    doubled_kernels,
    interleave,
)


@pytest.mark.parametrize("size", [(1, 1), (2, 5), (6, 4)])
def test_doubled_map(size: tuple[int, int]) -> None:
    x, weight, bias = torch.randn(2, 3, *size), torch.randn(4, 3, 3, 3), torch.randn(4)
    expected = functional.conv2d(functional.interpolate(x, scale_factor=2), weight, bias, padding=1)
    got = conv_of_doubled(x, doubled_kernels(weight), bias.repeat(4))
    torch.testing.assert_close(got, expected, rtol=1e-5, atol=1e-5)


def test_doubled_volume_keeps_its_depth() -> None:
    x, weight, bias = torch.randn(2, 3, 5, 4, 3), torch.randn(4, 3, 3, 3, 3), torch.randn(4)
    enlarged = functional.interpolate(x, scale_factor=(1, 2, 2))
    expected = functional.conv3d(enlarged, weight, bias, padding=1)
    got = conv_of_doubled(x, doubled_kernels(weight), bias.repeat(4))
    torch.testing.assert_close(got, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (2, 5), (6, 4)])
def test_quadrupled_map(size: tuple[int, int]) -> None:
    x, weight, bias = torch.randn(2, 3, *size), torch.randn(4, 3, 3, 3), torch.randn(4)
    expected = functional.conv2d(functional.interpolate(x, scale_factor=4), weight, bias, padding=1)
    kinds = ConvOfQuadrupled(weight, bias)(x)
    got = interleave([[kinds[row][column] for column in (0, 1, 1, 2)] for row in (0, 1, 1, 2)])
    torch.testing.assert_close(got, expected, rtol=1e-5, atol=1e-5)
