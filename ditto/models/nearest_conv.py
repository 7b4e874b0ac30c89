"""Convolving a nearest-neighbour enlarged map without enlarging it.

In a map enlarged r times, the three taps of a kernel meet at most two different source pixels, so
outputs repeat a few patterns with merged taps. Along one axis, for source pixel i:

    A  the first copy of i sees  (i-1, i, i)   two taps  w0, w1+w2
    B  a middle copy (r > 2)     (i, i, i)     one tap   w0+w1+w2
    C  the last copy             (i, i, i+1)   two taps  w0+w1, w2

Zero padding of the enlarged map is zero padding of the small one, so borders are exact.
B batch, C channels, H W map; volumes have a depth axis before H that is convolved as usual.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

FIRST_LAST_TAPS = torch.tensor([[[1.0, 0, 0], [0, 1, 1]], [[1, 1, 0], [0, 0, 1]]])
"""(kind, merged tap, tap): how the kinds A and C merge three taps into two."""


def doubled_kernels(weight: Tensor) -> Tensor:
    """The kernels of `conv_of_doubled`: (O, C, ..., 3, 3) to (4 O, C, ..., 2, 2)."""
    taps = FIRST_LAST_TAPS.to(weight)
    merged = torch.einsum("pai,oc...ij,qbj->pqoc...ab", taps, weight, taps)
    return merged.flatten(0, 2).contiguous()


def conv_of_doubled(x: Tensor, kernels: Tensor, bias: Tensor) -> Tensor:
    """`conv(nearest enlarged twice (x))` with 4/9 of its multiplications.

    x (B, C, ..., H, W), kernels of `doubled_kernels`, bias (4 O,) repeated; to (B, O, ..., 2H, 2W).
    """
    height, width = x.shape[-2:]
    if kernels.ndim == 5:
        phases = functional.conv3d(x, kernels, bias, padding=(1, 1, 1))
    else:
        phases = functional.conv2d(x, kernels, bias, padding=1)
    phases = phases.reshape(len(x), 2, 2, -1, *phases.shape[2:])  # (B, 2, 2, O, ..., H+1, W+1)
    rows = [
        torch.stack(
            [phases[:, p, q, ..., p : p + height, q : q + width] for q in (0, 1)], dim=-1
        ).flatten(-2)  # (B, O, ..., H, 2W)
        for p in (0, 1)
    ]
    return torch.stack(rows, dim=-2).flatten(-3, -2)  # (B, O, ..., 2H, 2W)
