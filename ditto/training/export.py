"""A trained motion model as one ONNX file, with what the runtime must know in its metadata."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnx
import torch
from torch import Tensor, nn

from ditto.models.motion_dit import MotionDiT, MotionDiTParams

INPUTS = ("shown", "shown_tokens", "noisy", "steer", "audio", "enhanced", "t", "guidance")
OUTPUTS = ("clean", "tokens", "silent_tokens")


class Segment(nn.Module):
    """One denoising step as the runtime calls it; motion in standardised coordinates."""

    def __init__(self, network: MotionDiT) -> None:
        super().__init__()
        self.network = network

    def forward(
        self,
        shown: Tensor,
        shown_tokens: Tensor,
        noisy: Tensor,
        steer: Tensor,
        audio: Tensor,
        enhanced: Tensor,
        t: Tensor,
        guidance: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """shown (B, P, C), shown_tokens (B, P, D), noisy (B, K, C), steer (B, P + K, C),
        audio (B, K, A), enhanced (B, K, E), t (B,), guidance (B, C) to x0 (B, K, C) and the block's
        tokens (B, K, D) with and without audio, which become shown tokens later."""
        tokens = self.network.condition(audio, enhanced)
        silent = torch.zeros_like(audio[..., 0], dtype=torch.bool)
        unheard = self.network.condition(audio, enhanced, silent)
        every = torch.cat([shown_tokens, tokens, unheard], 1)
        clean = self.network.denoise(shown, noisy, steer, every, t, guidance)
        return clean, tokens, unheard


def load_network(checkpoint: dict[str, Any]) -> MotionDiT:
    """The averaged network of a training checkpoint."""
    network = MotionDiT(MotionDiTParams(**checkpoint["params"]))
    network.load_state_dict(checkpoint["average"])
    return network.eval()


def export(checkpoint: dict[str, Any], path: Path) -> None:
    """Write the ONNX graph of a checkpoint's averaged network."""
    facts = {"training_steps": checkpoint["step"]}
    export_network(load_network(checkpoint), checkpoint["mean"], checkpoint["scale"], path, facts)


def export_network(
    network: MotionDiT,
    mean: Tensor,
    scale: Tensor,
    path: Path,
    facts: Mapping[str, float] | None = None,
) -> None:
    """Write the ONNX graph (dynamic batch) with mean and scale (C,) and facts as metadata."""
    params = network.params
    prefix, block, width = params.prefix_frames, params.block_frames, params.width
    shapes = {
        "shown": (prefix, params.coordinates),
        "shown_tokens": (prefix, width),
        "noisy": (block, params.coordinates),
        "steer": (prefix + block, params.coordinates),
        "audio": (block, params.audio_dim),
        "enhanced": (block, params.enhanced_dim),
        "t": (),
        "guidance": (params.coordinates,),
    }
    examples = tuple(torch.rand(2, *shapes[name]) for name in INPUTS)
    torch.onnx.export(
        Segment(network.eval()),
        examples,
        str(path),
        input_names=list(INPUTS),
        output_names=list(OUTPUTS),
        dynamic_axes={name: {0: "batch"} for name in (*INPUTS, *OUTPUTS)},
        opset_version=17,
        dynamo=False,
    )
    graph = onnx.load(path)
    noted = {"mean": mean.tolist(), "scale": scale.tolist(), **(facts or {})}
    onnx.helper.set_model_props(graph, {key: json.dumps(value) for key, value in noted.items()})
    onnx.checker.check_model(graph)
    onnx.save(graph, path)
