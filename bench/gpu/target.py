"""The device that networks run on, and what runs there: plainly, or as a CUDA graph."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

Run = Callable[[], Tensor]


@dataclass(frozen=True)
class Target:
    """Where and how networks run."""

    device: torch.device
    dtype: torch.dtype

    @property
    def is_cuda(self) -> bool:
        return self.device.type == "cuda"

    @property
    def frame_dtype(self) -> torch.dtype:
        """Of warp and decoder: a CPU pools volumes in float32 alone."""
        return self.dtype if self.is_cuda else torch.float32

    def wait(self) -> None:
        """Until everything that was started has ended."""
        if self.is_cuda:
            torch.cuda.synchronize(self.device)

    def noise(self, *shape: int, seed: int = 0) -> Tensor:
        """Standard normal float32, the same on every device."""
        made = torch.randn(*shape, generator=torch.Generator().manual_seed(seed))
        return made.to(self.device)


def graphed(run: Run, target: Target) -> Run:
    """The run as one CUDA graph over the tensors that it reads; elsewhere the run itself."""
    if not target.is_cuda:
        return run
    side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            run()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        out = run()

    def replay() -> Tensor:
        graph.replay()
        return out

    return replay


def lazily(make: Callable[[], Run]) -> Run:
    """A form that is built when it first runs, so that its failure is its own."""
    built: list[Run] = []

    def run() -> Tensor:
        if not built:
            built.append(make())
        return built[0]()

    return run
