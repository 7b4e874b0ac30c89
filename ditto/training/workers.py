"""Where a training runs: one process on a CPU or a GPU, or several that `torchrun` started."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from ditto.errors import InvalidInputError


@dataclass(frozen=True)
class Worker:
    """This process's place among those that train one model."""

    device: torch.device
    rank: int = 0
    count: int = 1

    @property
    def leads(self) -> bool:
        """It saves and reports."""
        return self.rank == 0

    def share(self, batch: int) -> int:
        """Windows a step that fall to this process."""
        if batch % self.count:
            raise InvalidInputError("batch", f"{batch} windows for {self.count} processes")
        return batch // self.count

    def wrap(self, module: nn.Module) -> nn.Module:
        """A module whose gradients are averaged over all processes."""
        if self.count == 1:
            return module
        return DistributedDataParallel(module)

    def mean(self, values: Tensor) -> Tensor:
        """The mean of a tensor over all processes."""
        if self.count > 1:
            distributed.all_reduce(values)
            values = values / self.count
        return values


def choose_device(name: str = "auto") -> torch.device:
    """`auto` takes a GPU if there is one."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(name)


@contextmanager
def join(device: str = "auto") -> Iterator[Worker]:
    """This process as a worker, in a group with the others if `torchrun` started it."""
    chosen = choose_device(device)
    if "WORLD_SIZE" not in os.environ:
        yield Worker(chosen)
        return
    if chosen.type == "cuda":
        chosen = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(chosen)
    distributed.init_process_group("nccl" if chosen.type == "cuda" else "gloo")
    try:
        yield Worker(chosen, distributed.get_rank(), distributed.get_world_size())
    finally:
        distributed.destroy_process_group()
