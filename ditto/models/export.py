"""ONNX graphs of the published networks: dynamic batch, the released names of inputs and outputs.

Graphs are made from the inference forms. Beside the released graph of the motion model, which
denoises one step, `lmdm_segment` samples a whole segment inside the graph.
"""

from __future__ import annotations

import logging
import warnings
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from ditto.diffusion.schedule import alphas_cumprod
from ditto.models.folding import fold
from ditto.models.lmdm import Lmdm
from ditto.models.lmdm_segment import SegmentSampler

OPSET = 20
"""The first with a rank-5 GridSample."""


@dataclass(frozen=True)
class GraphLayout:
    """Names of a graph's inputs and outputs, and the inputs' shapes, where -1 is the batch."""

    inputs: dict[str, tuple[int, ...]]
    outputs: tuple[str, ...]


KEYPOINTS = (-1, 21, 3)
LAYOUTS: dict[str, GraphLayout] = {
    "appearance_extractor": GraphLayout({"image": (-1, 3, 256, 256)}, ("pred",)),
    "motion_extractor": GraphLayout(
        {"image": (-1, 3, 256, 256)}, ("pitch", "yaw", "roll", "t", "exp", "scale", "kp")
    ),
    "warp_network": GraphLayout(
        {"feature_3d": (-1, 32, 16, 64, 64), "kp_source": KEYPOINTS, "kp_driving": KEYPOINTS},
        ("out",),
    ),
    "decoder": GraphLayout({"feature": (-1, 256, 64, 64)}, ("output",)),
    "stitch_network": GraphLayout({"kp_source": KEYPOINTS, "kp_driving": KEYPOINTS}, ("out",)),
    "lmdm": GraphLayout(
        {
            "x": (-1, 80, 265),
            "cond_frame": (-1, 265),
            "cond": (-1, 80, 1103),
            "time_cond": (-1,),
        },
        ("pred_noise", "x_start"),
    ),
}


class GuidedDenoiser(nn.Module):
    """The released motion graph: one guided step, with the noise that it implies."""

    noise_from_x: Tensor
    clean_per_noise: Tensor

    def __init__(self, lmdm: Lmdm) -> None:
        super().__init__()
        self.lmdm = lmdm
        signal = torch.from_numpy(alphas_cumprod())
        # In float32 on purpose: the released graph's rounding at low timesteps is part of it.
        self.register_buffer("noise_from_x", (1 / (1 - signal)).sqrt())
        self.register_buffer("clean_per_noise", (1 / signal - 1).sqrt())

    def forward(
        self, x: Tensor, cond_frame: Tensor, cond: Tensor, time_cond: Tensor
    ) -> tuple[Tensor, Tensor]:
        """x (B, T, M), cond_frame (B, M), cond (B, T, 1103), time_cond (B,) to noise and x0."""
        clean = self.lmdm.guided(x, cond_frame, cond, time_cond)
        from_x = self.noise_from_x[time_cond][:, None, None]
        per_noise = self.clean_per_noise[time_cond][:, None, None]
        return x * from_x - clean / per_noise, clean


def export_network(name: str, network: nn.Module, path: Path) -> None:
    """Write the ONNX graph of a published network of its released size."""
    layout = LAYOUTS[name]
    example = {key: torch.zeros(2, *shape[1:]) for key, shape in layout.inputs.items()}
    if isinstance(network, Lmdm):
        example["cond"] = torch.zeros(2, network.params.frames, network.params.cond_dim)
        example["time_cond"] = torch.zeros(2, dtype=torch.int64)
        network = GuidedDenoiser(network)
    export_module(fold(network), example, layout.outputs, path)


def export_segment(network: Lmdm, steps: int, path: Path) -> None:
    """Write a graph that samples a whole segment: `SegmentSampler` with its step count built in.

    Inputs: initial_noise (B, T, M), step_noises (S - 1, B, T, M), cond_frame (B, M), cond
    (B, T, 1103); output: motion (B, T, M).
    """
    p = network.params
    example = {
        "initial_noise": torch.zeros(2, p.frames, p.motion_dim),
        "step_noises": torch.zeros(steps - 1, 2, p.frames, p.motion_dim),
        "cond_frame": torch.zeros(2, p.motion_dim),
        "cond": torch.zeros(2, p.frames, p.cond_dim),
    }
    sampler = SegmentSampler(network, steps)
    export_module(sampler, example, ("motion",), path, batch_axis={"step_noises": 1})


def export_module(
    module: nn.Module,
    example: dict[str, Tensor],
    outputs: tuple[str, ...],
    path: Path,
    batch_axis: dict[str, int] | None = None,
) -> None:
    """Write any module's graph: example inputs by name, batch on axis 0 unless said otherwise."""
    batch = torch.export.Dim("batch", min=1, max=64)
    axes = {name: {(batch_axis or {}).get(name, 0): batch} for name in example}
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module.eval(),
            tuple(example.values()),
            path,
            input_names=list(example),
            output_names=list(outputs),
            dynamic_shapes=tuple(axes.values()),
            opset_version=OPSET,
            dynamo=True,
            external_data=False,
            verbose=False,
        )
