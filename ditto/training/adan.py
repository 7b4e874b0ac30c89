"""Adan, the optimiser of the paper (4.1; Xie et al. 2022, algorithm 1).

Adam with a Nesterov look-ahead that costs no second gradient: the change from one gradient to the
next has a moving average of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor


class Adan(torch.optim.Optimizer):
    """theta' = (theta - lr (m + (1 - b2) v) / (sqrt(n) + eps)) / (1 + lr weight_decay).

    m, v and n average gradients, their changes and their squares; each beta is the share of the
    past (the paper's 1 - beta). m and n start at the first gradient, v at the first change.
    """

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float = 1e-3,
        betas: tuple[float, float, float] = (0.98, 0.92, 0.99),
        eps: float = 1e-8,
        weight_decay: float = 0.02,
    ) -> None:
        super().__init__(
            params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        )

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Move every parameter that has a gradient."""
        assert closure is None, "Adan needs no second evaluation"
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    _move(parameter, parameter.grad, self.state[parameter], group)


def _move(
    parameter: Tensor, gradient: Tensor, state: dict[str, Any], group: dict[str, Any]
) -> None:
    first, change_share, square_share = group["betas"]
    if not state:
        state.update(m=gradient.clone(), v=torch.zeros_like(gradient), n=gradient**2, moves=0)
    else:
        change = gradient - state["last"]
        ahead = gradient + change_share * change
        state["m"].lerp_(gradient, 1 - first)
        if state["moves"] == 1:
            state["v"].copy_(change)
        else:
            state["v"].lerp_(change, 1 - change_share)
        state["n"].lerp_(ahead**2, 1 - square_share)
    state["last"] = gradient.clone()
    state["moves"] += 1
    rate = group["lr"]
    step = (state["m"] + change_share * state["v"]) / (state["n"].sqrt() + group["eps"])
    parameter.sub_(rate * step).div_(1 + rate * group["weight_decay"])
