"""Adaptive loss weights: a softmax over groups of how their mean losses changed."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ditto.training.adan import Adan
from ditto.training.adaptive import AdaptiveWeights

GROUPS = {"lips": (0, 2), "head": (1,)}


def test_weights_are_the_softmax_of_the_change_between_epochs() -> None:
    adaptive = AdaptiveWeights(GROUPS, 3, epoch_steps=2)
    for losses in ([4, 8, 2], [2, 4, 0], [2, 6, 1], [2, 5.4, 1]):
        adaptive.observe(torch.tensor(losses))
    # epoch means: lips 2 then 1.5 (-25 %), head 6 then 5.7 (-5 %)
    expected = 2 * np.exp([-0.25, -0.05]) / np.exp([-0.25, -0.05]).sum()
    np.testing.assert_allclose(adaptive.weights, expected, rtol=1e-5)
    np.testing.assert_allclose(adaptive.columns(), expected[[0, 1, 0]], rtol=1e-5)


def test_weights_stay_one_in_the_first_epoch_and_when_switched_off() -> None:
    for adaptive, epochs in (
        (AdaptiveWeights(GROUPS, 3, 2), 1),
        (AdaptiveWeights(GROUPS, 3, 2, enabled=False), 4),
    ):
        for _ in range(2 * epochs):
            adaptive.observe(torch.rand(3))
        assert adaptive.columns().tolist() == [1, 1, 1]


def test_a_column_without_a_group_is_a_mistake() -> None:
    with pytest.raises(AssertionError, match="group"):
        AdaptiveWeights({"lips": (0,)}, 2, 1)


def test_adan_follows_the_paper_s_equations() -> None:
    rng = np.random.default_rng(0)
    gradients = rng.normal(size=(4, 5))
    weight = torch.nn.Parameter(torch.ones(5, dtype=torch.float64))
    optimiser = Adan([weight], lr=0.1, weight_decay=0.02)
    theta = np.ones(5)
    b1, b2, b3 = 0.02, 0.08, 0.01  # the paper's betas
    for k, gradient in enumerate(gradients):
        weight.grad = torch.from_numpy(gradient.copy())
        optimiser.step()
        if k == 0:
            m, v, n = gradient, np.zeros(5), gradient**2
        else:
            change = gradient - gradients[k - 1]
            m = (1 - b1) * m + b1 * gradient
            v = change if k == 1 else (1 - b2) * v + b2 * change
            n = (1 - b3) * n + b3 * (gradient + (1 - b2) * change) ** 2
        theta = (theta - 0.1 * (m + (1 - b2) * v) / (np.sqrt(n) + 1e-8)) / (1 + 0.1 * 0.02)
        np.testing.assert_allclose(weight.detach().numpy(), theta, rtol=1e-9)
