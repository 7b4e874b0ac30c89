"""Training of the starter's motion network: noise levels, shown frames, conditions and losses."""

from __future__ import annotations

import copy
import math
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ditto.models.motion_dit import MotionDiT, MotionDiTParams
from ditto.packs.starter import brightness, conditions, coordinates
from ditto.packs.starter.motion_generator import StarterMotionGenerator
from ditto.training import windows
from ditto.training.dataset import Clip
from ditto.training.evaluation.generate import motion_frames, to_coordinates
from ditto.training.export import export_network
from ditto.training.losses import block_losses
from ditto.training.recipe import Recipe
from ditto.training.task import TermWeights, Windows

LIP_GAP_WEIGHT = 2.0
_SAMPLE_FRAMES = 200
GROUPS = {
    "lips": coordinates.MOUTH,
    "eyes": tuple(
        i for i, name in enumerate(coordinates.NAMES) if name.startswith(("eye", "gaze"))
    ),
    "brows and cheeks": tuple(
        i for i, name in enumerate(coordinates.NAMES) if name.startswith(("brow", "cheek"))
    ),
    "head": tuple(range(coordinates.COUNT))[coordinates.POSE_PART],
}


class StarterTask:
    """`ditto.training.task.Task` of `MotionDiT`."""

    groups = GROUPS

    def __init__(
        self,
        clips: list[Clip],
        tuning: list[Clip],
        recipe: Recipe,
        params: MotionDiTParams | None = None,
    ) -> None:
        """clips train, tuning ones choose the checkpoint; their speakers differ."""
        torch.manual_seed(recipe.seed)
        speech_dim = clips[0].audio.shape[1] - brightness.COUNT
        params = params or MotionDiTParams(audio_dim=speech_dim, clean_prefix=recipe.clean_prefix)
        self.recipe, self.tuning = recipe, tuning
        self.frames = sum(len(clip.audio) for clip in clips)
        self.windows = windows.Windows(
            clips, recipe.window_frames, params.block_frames, flip=recipe.flip
        )
        rng = np.random.default_rng([recipe.seed, 1])
        mean, scale, calmness = map(torch.from_numpy, windows.statistics(self.windows, rng))
        calmness[list(coordinates.MOUTH)] *= recipe.mouth_smoothness
        self.network = MotionDiT(params)
        self._set_constants(rng)
        self.objective = BlockObjective(self.network, recipe, mean, scale, calmness)
        temporal = float(recipe.temporal_losses)
        self.term_weights = TermWeights(velocity=temporal, acceleration=0.5 * temporal)

    @torch.no_grad()
    def _set_constants(self, rng: np.random.Generator) -> None:
        """What is no weight: the spread of the features, and which inputs are hidden."""
        network, recipe = self.network, self.recipe
        conditioned = [coordinates.index(name) for name in coordinates.CONDITIONED]
        network.carry[conditioned if recipe.clean_prefix else slice(None)] = 0
        if not recipe.canonical_keypoints:
            network.enhanced_mask[conditions.KEYPOINTS] = 0
        if not recipe.emotion:
            network.enhanced_mask[conditions.EMOTION] = 0
        rows = torch.from_numpy(self.windows.draw(200, rng).audio).flatten(0, 1)
        rows = rows[:, brightness.SPEECH]
        network.audio_mean.copy_(rows.mean(0))
        network.audio_scale.copy_(rows.std(0) + 0.05)

    def draw(self, count: int, rng: np.random.Generator) -> Windows:
        """Windows as tensors, in coordinates."""
        batch = self.windows.draw(count, rng)
        return {name: torch.from_numpy(array) for name, array in vars(batch).items()}

    def facts(self) -> dict[str, Any]:
        """Sizes, and how motion is standardised."""
        objective = self.objective
        return {
            "params": asdict(self.network.params),
            "mean": objective.mean.cpu(),
            "scale": objective.scale.cpu(),
        }

    def score(self, network: nn.Module) -> dict[str, float]:
        """Mean correlation of generated and target lip gap, over the tuning clips' speech."""
        generator, gap = self._generator(network), coordinates.index("lipGap")
        values = []
        for clip in self.tuning:
            motion = to_coordinates(motion_frames(generator, clip.audio.astype(np.float32)))
            target = clip.face[0, clip.speaking, gap]
            values.append(np.corrcoef(motion[clip.speaking, gap], target)[0, 1])
        return {"lip_sync": float(np.mean(values))}

    def sample(self, network: nn.Module) -> NDArray[np.float32]:
        """Motion (T, 265) of the first tuning clip's start."""
        audio = self.tuning[0].audio[:_SAMPLE_FRAMES].astype(np.float32)
        return motion_frames(self._generator(network), audio)

    def _generator(self, network: nn.Module) -> StarterMotionGenerator:
        """The network as it serves: exported, block by block."""
        exported = cast(MotionDiT, copy.deepcopy(network).cpu())
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "motion_dit.onnx"
            objective = self.objective
            export_network(exported, objective.mean.cpu(), objective.scale.cpu(), path)
            return StarterMotionGenerator(path)


class BlockObjective(nn.Module):
    """Noises windows, drops some conditions, denoises block by block, compares."""

    mean: Tensor
    scale: Tensor
    calmness: Tensor

    def __init__(
        self, network: MotionDiT, recipe: Recipe, mean: Tensor, scale: Tensor, calmness: Tensor
    ) -> None:
        """mean, scale, calmness (C,): how motion is standardised, and see `block_losses`."""
        super().__init__()
        self.network, self.recipe = network, recipe
        for name, fact in (("mean", mean), ("scale", scale), ("calmness", calmness)):
            self.register_buffer(name, fact)

    def forward(self, batch: Windows) -> Tensor:
        """Windows (B, N, ...) to a loss table (4, C)."""
        network, recipe, block = self.network, self.recipe, self.network.params.block_frames
        motion = self._standard(batch["motion"])
        size, frames, _ = motion.shape
        t = self._noise_levels(size, frames // block)
        level = t.repeat_interleave(block, 1)[..., None] * (math.pi / 2)
        noisy = level.cos() * motion + level.sin() * torch.randn_like(motion)
        audio = batch["audio"][..., brightness.SPEECH]
        hiss = recipe.audio_noise * self._uniform(size, 1, 1) * torch.randn_like(audio)
        audio = audio + hiss * network.audio_scale
        enhanced, heard = batch["enhanced"], batch["heard"]
        kept = self._uniform(size, frames // block) >= recipe.guidance_drop
        kept = kept.repeat_interleave(block, 1) & heard
        tokens = network.condition(audio, enhanced, heard), network.condition(audio, enhanced, kept)
        steer = self._standard(batch["steer"])
        shown = self._shown(motion, steer, tokens[0], heard)
        predicted = network(shown, noisy, steer, tokens, t).float()
        weights = _weights(batch)
        return block_losses(predicted, motion, shown, weights, self.calmness, block)

    @torch.no_grad()
    def _shown(self, motion: Tensor, steer: Tensor, tokens: Tensor, heard: Tensor) -> Tensor:
        """(B, N, C) frames that blocks see before them: exact, noisy, or one-step samples."""
        recipe, block = self.recipe, self.network.params.block_frames
        own = round(len(motion) * recipe.own_prefix_share)
        t = torch.ones(own, motion.shape[1] // block, device=motion.device)
        heard_tokens = (tokens[:own], tokens[:own])
        noise = torch.randn_like(motion[:own])
        sampled = self.network(motion[:own], noise, steer[:own], heard_tokens, t).float()
        # the first block is sampled behind nothing, which serving never does
        frames = torch.cat([motion[:, :block], torch.cat([sampled, motion[own:]])[:, block:]], 1)
        size = len(motion)
        jitter = recipe.prefix_noise * self._uniform(size, 1, 1) * torch.randn_like(motion)
        bias = recipe.prefix_bias * self._uniform(size, 1, 1) * torch.randn_like(motion[:, :1])
        carried = self.network.carry > 0
        return torch.where(heard[..., None] & carried, frames + jitter + bias, motion)

    def _noise_levels(self, size: int, blocks: int) -> Tensor:
        start = self._uniform(size, blocks) < self.recipe.pure_noise_share
        near_one = 1 - 0.05 * self._uniform(size, blocks)
        return torch.where(start, near_one, self._uniform(size, blocks))

    def _uniform(self, *shape: int) -> Tensor:
        return torch.rand(shape, device=self.mean.device)

    def _standard(self, motion: Tensor) -> Tensor:
        return (motion - self.mean) / self.scale


def _weights(batch: Windows) -> Tensor:
    """(B, N, C): near-closed lips count more."""
    weights = torch.ones_like(batch["motion"])
    closing = batch["weight"]
    weights[..., coordinates.index("lipGap")] = LIP_GAP_WEIGHT * closing
    for name in ("jawOpen", "mouthPress"):
        weights[..., coordinates.index(name)] = (1 + closing) / 2
    return weights
