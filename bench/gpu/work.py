"""How much work a run is, and how much of it the device can do."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from bench.gpu.sizes import Sizes
from bench.gpu.target import Run, Target


@dataclass(frozen=True)
class Ceilings:
    """What the device reaches, measured."""

    tflops: float
    gb_per_s: float

    def least_ms(self, flop: float, size: float) -> float:
        """Shortest time for so much work."""
        return max(flop / self.tflops / 1e9, size / self.gb_per_s / 1e6)


def measure_ceilings(target: Target, sizes: Sizes) -> Ceilings:
    """A large product and a large copy."""
    side = sizes.product_side
    a, b = (target.noise(side, side).to(target.dtype) for _ in range(2))
    product_ms = median_ms(lambda: a @ b, target, sizes.runs)
    source = torch.zeros(sizes.copy_bytes, dtype=torch.uint8, device=target.device)
    copy_ms = median_ms(source.clone, target, sizes.runs)
    return Ceilings(2 * side**3 / product_ms / 1e9, 2 * sizes.copy_bytes / copy_ms / 1e6)


def median_ms(run: Run, target: Target, runs: int) -> float:
    """Median wall time after three runs that do not count."""
    for _ in range(3):
        run()
    times = []
    for _ in range(runs):
        target.wait()
        begun = time.perf_counter()
        run()
        target.wait()
        times.append(1000 * (time.perf_counter() - begun))
    return float(torch.tensor(times).median())


def work_of(run: Run) -> tuple[float, float]:
    """FLOPs of products and bytes of all operands of one run."""
    with FlopCounterMode(display=False) as counter:
        run()
    with TrafficCounter() as traffic:
        run()
    return float(counter.get_total_flops()), float(traffic.size)


class TrafficCounter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Adds up the bytes that eager operations read and write; views cost nothing."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.size = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        if not func.is_view:
            flat = torch.utils._pytree.tree_leaves((args, kwargs, out))
            self.size += sum(t.numel() * t.element_size() for t in flat if isinstance(t, Tensor))
        return out
