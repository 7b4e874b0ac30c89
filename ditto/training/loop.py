"""The training loop of the starter's motion model: one CPU core, resumable, the same each time."""

from __future__ import annotations

import copy
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from ditto.models.motion_dit import MotionDiT, MotionDiTParams
from ditto.packs.starter import coordinates
from ditto.training.dataset import Batch, Clip, Windows, statistics
from ditto.training.losses import Losses, motion_losses

LIP_GAP_WEIGHT = 2.0


@dataclass(frozen=True)
class Recipe:
    """Every number of a training run."""

    steps: int = 2000
    batch: int = 32
    window_frames: int = 40
    learning_rate: float = 1e-3
    weight_decay: float = 0.02
    warm_up_share: float = 0.08
    ema: float = 0.995
    prefix_noise: float = 0.04
    """Largest SD of the noise on shown frames, in standardised units."""
    prefix_bias: float = 0.3
    """Largest SD of an offset that shown frames share: teaches the way back, so nothing drifts."""
    own_prefix_share: float = 0.6
    """Share of windows whose shown frames are the network's own, as they are at run time."""
    audio_noise: float = 0.5
    """Largest SD of the noise on features, in their own SDs."""
    audio_drop: float = 0.1
    """Share of blocks without audio, for guidance."""
    pure_noise_share: float = 0.3
    """Share of blocks trained at a noise level near 1, where few-step sampling starts."""
    seed: int = 0


class Trainer:
    """A network, its average, its optimiser and its place in the run."""

    def __init__(self, clips: list[Clip], recipe: Recipe, params: MotionDiTParams) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe, self.params = recipe, params
        self.step = 0
        self.rng = np.random.default_rng(recipe.seed)
        self.windows = Windows(clips, recipe.window_frames, params.block_frames)
        facts = statistics(self.windows, np.random.default_rng(recipe.seed + 1))
        self.mean, self.scale, self.calmness = (torch.from_numpy(fact) for fact in facts)
        self.network = MotionDiT(params)
        self.network.carry[[coordinates.index(name) for name in coordinates.CONDITIONED]] = 0
        self._fit_audio_scale()
        self.average = copy.deepcopy(self.network).eval()
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(),
            recipe.learning_rate,
            betas=(0.9, 0.98),
            weight_decay=recipe.weight_decay,
        )
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimiser, recipe.learning_rate, recipe.steps, pct_start=recipe.warm_up_share
        )

    def _fit_audio_scale(self) -> None:
        audio = self.windows.draw(200, np.random.default_rng(self.recipe.seed + 2)).audio
        rows = torch.from_numpy(audio).flatten(0, 1)
        self.network.audio_mean.copy_(rows.mean(0))
        self.network.audio_scale.copy_(rows.std(0) + 0.05)

    def train_step(self) -> Losses:
        """One batch forward, back, and one step of weights and average."""
        batch = self.windows.draw(self.recipe.batch, self.rng)
        losses = self.losses(self.network.train(), batch)
        self.optimiser.zero_grad(set_to_none=True)
        losses.total().backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        self.schedule.step()
        self._update_average()
        self.step += 1
        return losses

    def losses(self, network: MotionDiT, batch: Batch) -> Losses:
        """Noise a batch, drop some conditions, denoise it, compare."""
        recipe, block = self.recipe, self.params.block_frames
        motion = self._standard(batch.motion)
        size, frames = motion.shape[:2]
        t = self._noise_levels(size, frames // block)
        level = t.repeat_interleave(block, 1)[..., None] * (math.pi / 2)
        noisy = level.cos() * motion + level.sin() * torch.randn_like(motion)
        audio = torch.from_numpy(batch.audio)
        hiss = recipe.audio_noise * torch.rand(size, 1, 1) * torch.randn_like(audio)
        audio = audio + hiss * network.audio_scale
        enhanced, heard = torch.from_numpy(batch.enhanced), torch.from_numpy(batch.heard)
        kept = torch.rand(size, frames // block) >= recipe.audio_drop
        kept = kept.repeat_interleave(block, 1) & heard
        tokens = network.condition(audio, enhanced, heard), network.condition(audio, enhanced, kept)
        steer = self._standard(batch.steer)
        shown = self._shown(network, motion, steer, tokens[0], heard)
        predicted = network(shown, noisy, steer, tokens, t)
        return motion_losses(predicted, motion, shown, self._weights(batch), self.calmness, block)

    @torch.no_grad()
    def _shown(
        self, network: MotionDiT, motion: Tensor, steer: Tensor, tokens: Tensor, heard: Tensor
    ) -> Tensor:
        """(B, N, C) frames that blocks see before them: exact, noisy, or one-step samples."""
        own = round(len(motion) * self.recipe.own_prefix_share)
        t = torch.ones(own, motion.shape[1] // self.params.block_frames)
        heard_tokens = (tokens[:own], tokens[:own])
        noise = torch.randn_like(motion[:own])
        sampled = network(motion[:own], noise, steer[:own], heard_tokens, t)
        first = self.params.block_frames  # sampled behind nothing, which serving never does
        frames = torch.cat([motion[:, :first], torch.cat([sampled, motion[own:]])[:, first:]], 1)
        jitter = self.recipe.prefix_noise * _random_size(motion) * torch.randn_like(motion)
        bias = self.recipe.prefix_bias * _random_size(motion) * torch.randn_like(motion[:, :1])
        carried = network.carry > 0
        return torch.where(heard[..., None] & carried, frames + jitter + bias, motion)

    def _noise_levels(self, size: int, blocks: int) -> Tensor:
        t = torch.rand(size, blocks)
        start = torch.rand(size, blocks) < self.recipe.pure_noise_share
        return torch.where(start, 1 - 0.05 * torch.rand(size, blocks), t)

    def _standard(self, motion: np.ndarray) -> Tensor:
        return (torch.from_numpy(motion) - self.mean) / self.scale

    def _weights(self, batch: Batch) -> Tensor:
        weights = torch.ones(*batch.motion.shape)
        closing = torch.from_numpy(batch.weight)
        weights[..., coordinates.index("lipGap")] = LIP_GAP_WEIGHT * closing
        for name in ("jawOpen", "mouthPress"):
            weights[..., coordinates.index(name)] = (1 + closing) / 2
        return weights

    @torch.no_grad()
    def _update_average(self) -> None:
        keep = min(self.recipe.ema, 1 - 1 / (self.step / 10 + 1.01))
        pairs = zip(self.average.parameters(), self.network.parameters(), strict=True)
        for mean, weight in pairs:
            mean.lerp_(weight, 1 - keep)

    def state(self) -> dict[str, Any]:
        """Everything a run needs to go on exactly where it stopped."""
        return {
            "step": self.step,
            "recipe": asdict(self.recipe),
            "params": asdict(self.params),
            "mean": self.mean,
            "scale": self.scale,
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "schedule": self.schedule.state_dict(),
            "numpy_rng": self.rng.bit_generator.state,
            "torch_rng": torch.get_rng_state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Inverse of `state`, for the same clips and recipe."""
        self.step, self.mean, self.scale = state["step"], state["mean"], state["scale"]
        for name in ("network", "average", "optimiser", "schedule"):
            getattr(self, name).load_state_dict(state[name])
        self.rng.bit_generator.state = state["numpy_rng"]
        torch.set_rng_state(state["torch_rng"])


def _random_size(motion: Tensor) -> Tensor:
    return torch.rand(len(motion), 1, 1)


def train(
    clips: list[Clip],
    checkpoint: Path,
    recipe: Recipe,
    params: MotionDiTParams | None = None,
    save_every: int = 250,
) -> Trainer:
    """Run a recipe to its end, saving ``checkpoint`` on the way; goes on from it if it exists."""
    torch.set_num_threads(1)
    trainer = Trainer(clips, recipe, params or MotionDiTParams())
    if checkpoint.exists():
        trainer.restore(torch.load(checkpoint, weights_only=True))
    with tqdm(total=recipe.steps, initial=trainer.step, desc="train", unit="step") as progress:
        while trainer.step < recipe.steps:
            losses = trainer.train_step()
            progress.update()
            if trainer.step % 50 == 0:
                progress.set_postfix(
                    x0=f"{losses.position:.3f}",
                    velocity=f"{losses.velocity:.3f}",
                    acceleration=f"{losses.acceleration:.3f}",
                )
            if trainer.step % save_every == 0 or trainer.step == recipe.steps:
                save(trainer, checkpoint)
    return trainer


def save(trainer: Trainer, checkpoint: Path) -> None:
    part = checkpoint.with_suffix(".part")
    torch.save(trainer.state(), part)
    part.rename(checkpoint)
