"""What a run writes down: means of an interval, weights, scores; and what it says is missing."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

from ditto.errors import SetupError
from ditto.training.adaptive import AdaptiveWeights
from ditto.training.journal import Journal, TensorBoard

GROUPS = {"lips": (0, 2), "head": (1,)}


def test_a_row_holds_the_means_of_its_interval_alone() -> None:
    journal, adaptive = Journal(GROUPS), AdaptiveWeights(GROUPS, 3, 10)
    for scale in (1.0, 3.0):
        journal.add(scale * torch.tensor([[1.0, 2, 3]] * 4))
    journal.close_interval(2, {"lip_sync": 0.5}, adaptive)
    journal.add(torch.ones(4, 3))
    journal.close_interval(3, {"lip_sync": 0.6}, adaptive)
    first, second = journal.rows
    assert first["step"] == 2
    assert first["loss/x0"] == first["loss/velocity"] == pytest.approx(4)
    assert (first["x0/lips"], first["x0/head"]) == pytest.approx((4, 4))
    assert second["loss/x0"] == pytest.approx(1)
    assert second["weight/lips"] == 1
    assert [row["lip_sync"] for row in journal.rows] == [0.5, 0.6]


def test_a_missing_tensorboard_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(SetupError, match=r"pip install 'ditto-cluster\[train\]'"):
        TensorBoard(tmp_path)
