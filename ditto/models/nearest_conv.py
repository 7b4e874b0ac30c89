"""Convolving a nearest-neighbour enlarged map without enlarging it.

In a map enlarged r times, the three taps of a kernel meet at most two different source pixels, so
outputs repeat a few kinds with merged taps. Along one axis, for source pixel i:

    A  the first copy of i sees  (i-1, i, i)   two taps  w0, w1+w2
    B  a middle copy (r > 2)     (i, i, i)     one tap   w0+w1+w2
    C  the last copy             (i, i, i+1)   two taps  w0+w1, w2

Zero padding of the enlarged map is zero padding of the small one, so borders are exact.
B batch, C O channels, H W map; volumes have a depth axis before H that is convolved as usual.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

Taps = list[list[list[int]]]
Planes = list[list[Tensor]]

EDGES: Taps = [[[1, 0, 0], [0, 1, 1]], [[1, 1, 0], [0, 0, 1]]]
"""(kind, merged tap, tap): how the kinds A and C merge three taps into two."""
CENTRE: Taps = [[[1, 1, 1]]]
"""The same for kind B: three into one."""


def doubled_kernels(weight: Tensor) -> Tensor:
    """The kernels of `conv_of_doubled`: (O, C, ..., 3, 3) to (4 O, C, ..., 2, 2)."""
    return merge_taps(weight, EDGES, EDGES)


def conv_of_doubled(x: Tensor, kernels: Tensor, bias: Tensor) -> Tensor:
    """`conv(nearest enlarged twice (x))` with 4/9 of its multiplications.

    x (B, C, ..., H, W), kernels of `doubled_kernels`, bias (4 O,) repeated; to (B, O, ..., 2H, 2W).
    """
    return interleave(_kind_planes(x, kernels, bias, 2, 2))


class ConvOfQuadrupled(nn.Module):
    """`conv(nearest enlarged four times (x))` with 25/144 of its multiplications.

    Of the 16 copies of a pixel only nine kinds differ: A, B or C along either axis.
    """

    corners: Tensor
    sides: Tensor
    ends: Tensor
    centre: Tensor
    bias: Tensor

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        super().__init__()
        self.register_buffer("corners", merge_taps(weight, EDGES, EDGES))
        self.register_buffer("sides", merge_taps(weight, EDGES, CENTRE))
        self.register_buffer("ends", merge_taps(weight, CENTRE, EDGES))
        self.register_buffer("centre", merge_taps(weight, CENTRE, CENTRE))
        self.register_buffer("bias", bias.detach())

    def forward(self, x: Tensor) -> Planes:
        """(B, C, H, W) to planes[row kind][column kind], (B, O, H, W) each."""
        corners = _kind_planes(x, self.corners, self.bias.repeat(4), 2, 2)
        sides = _kind_planes(x, self.sides, self.bias.repeat(2), 2, 1)
        ends = _kind_planes(x, self.ends, self.bias.repeat(2), 1, 2)
        centre = _kind_planes(x, self.centre, self.bias, 1, 1)
        return [
            [corners[0][0], sides[0][0], corners[0][1]],
            [ends[0][0], centre[0][0], ends[0][1]],
            [corners[1][0], sides[1][0], corners[1][1]],
        ]


def interleave(planes: Planes) -> Tensor:
    """planes[p][q] (B, C, ..., H, W), all phases of a map, to the map (B, C, ..., P H, Q W)."""
    rows = [
        torch.stack([plane.movedim(1, -1) for plane in row], dim=-2).flatten(-3, -2)
        for row in planes
    ]  # (B, ..., H, Q W, C)
    return torch.stack(rows, dim=-3).flatten(-4, -3).movedim(-1, 1)


def merge_taps(weight: Tensor, row_taps: Taps, column_taps: Taps) -> Tensor:
    """(O, C, ..., 3, 3) to (row kinds * column kinds * O, C, ..., row taps, column taps)."""
    exact = weight.detach().double()
    rows, columns = exact.new_tensor(row_taps), exact.new_tensor(column_taps)
    merged = torch.einsum("pai,oc...ij,qbj->pqoc...ab", rows, exact, columns)
    return merged.flatten(0, 2).to(weight.dtype)


def _kind_planes(x: Tensor, kernels: Tensor, bias: Tensor, rows: int, columns: int) -> Planes:
    """Planes of `rows` x `columns` kinds: two kinds are the edges A and C, one is the centre B."""
    height, width = x.shape[-2:]
    padding = (rows - 1, columns - 1)
    if kernels.ndim == 5:
        kinds = functional.conv3d(x, kernels, bias, padding=(1, *padding))
    else:
        kinds = functional.conv2d(x, kernels, bias, padding=padding)
    return [
        [
            plane[..., p : p + height, q : q + width]
            for q, plane in enumerate(row.chunk(columns, dim=1))
        ]
        for p, row in enumerate(kinds.chunk(rows, dim=1))
    ]
