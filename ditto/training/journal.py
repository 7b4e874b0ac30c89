"""What a training run writes down: mean losses and weights of every interval, and scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ditto.errors import SetupError
from ditto.training.adaptive import AdaptiveWeights
from ditto.training.losses import TERMS

Row = dict[str, float]


class Journal:
    """Losses of the present interval, and a row for each one that is over."""

    def __init__(self, groups: Mapping[str, Sequence[int]]) -> None:
        self.rows: list[Row] = []
        self._groups = {name: list(columns) for name, columns in groups.items()}
        self._sum, self._steps = torch.zeros(0), 0

    def add(self, losses: Tensor) -> None:
        """Take a loss table (4, C)."""
        losses = losses.cpu().float()
        self._sum = losses.clone() if not self._steps else self._sum + losses
        self._steps += 1

    def close_interval(
        self, step: int, scores: Mapping[str, float], adaptive: AdaptiveWeights
    ) -> None:
        """End an interval: a row of means, weights and scores."""
        mean = self._sum / max(1, self._steps)
        row: Row = {"step": float(step), **scores}
        for number, term in enumerate(TERMS):
            row[f"loss/{term}"] = float(mean[number].mean())
        for name, columns in self._groups.items():
            row[f"x0/{name}"] = float(mean[0, columns].mean())
        for name, weight in zip(adaptive.names, adaptive.weights.tolist(), strict=True):
            row[f"weight/{name}"] = weight
        self.rows.append(row)
        self._steps = 0

    def state(self) -> dict[str, Any]:
        """What a resumed run needs."""
        return {"rows": self.rows, "sum": self._sum, "steps": self._steps}

    def restore(self, state: dict[str, Any]) -> None:
        """Inverse of `state`."""
        self.rows, self._sum, self._steps = list(state["rows"]), state["sum"], state["steps"]


def draw_curves(rows: Sequence[Row], path: Path, title: str) -> None:
    """Losses, group weights and lip-sync score over steps, as a PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 3.4), layout="constrained")
    FigureCanvasAgg(figure)
    steps = [row["step"] for row in rows]
    panels = (("loss/", "mean loss"), ("x0/", "x0 loss by region"), ("weight/", "adaptive weight"))
    for number, (prefix, label) in enumerate(panels):
        axes = figure.add_subplot(1, 4, number + 1, xlabel="step", title=label)
        for name in (key for key in rows[0] if key.startswith(prefix)):
            if any(row[name] for row in rows):
                axes.plot(steps, [row[name] for row in rows], label=name.removeprefix(prefix))
        axes.set_yscale("linear" if prefix == "weight/" else "log")
        axes.legend(fontsize=7)
    axes = figure.add_subplot(1, 4, 4, xlabel="step", title="lip-sync score, tuning clips")
    axes.plot(steps, [row["lip_sync"] for row in rows], marker=".")
    figure.suptitle(title, fontsize=9)
    figure.savefig(path, dpi=110)


class TensorBoard:
    """The journal's rows and rendered frames as TensorBoard events."""

    def __init__(self, folder: Path) -> None:
        """Raises `SetupError` if TensorBoard is not installed."""
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise SetupError(
                "TensorBoard is not installed; pip install 'ditto-cluster[train]'"
            ) from None
        self._writer = SummaryWriter(str(folder))

    def write(self, row: Row, frames: Any = None) -> None:
        """A row; frames (T, H, W, 3) uint8 become one strip."""
        step = int(row["step"])
        for name, value in row.items():
            if name != "step":
                self._writer.add_scalar(name, value, step)
        if frames is not None:
            strip = frames.swapaxes(0, 1).reshape(frames.shape[1], -1, 3)
            self._writer.add_image("samples", strip, step, dataformats="HWC")
        self._writer.flush()
