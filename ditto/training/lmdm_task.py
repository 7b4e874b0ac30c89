"""Training of the full-size LMDM as published (paper 3.2.2, 4.1).

Segments of 80 frames; a, s, e and c_ref aligned and concatenated into cross-attention, m_ref (the
frame before the segment) replicated and concatenated with the noise, c_ref from a random frame of
the clip; the guidance branch without conditions is trained beside.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ditto.diffusion.ddim import sample_ddim
from ditto.diffusion.schedule import TIMESTEPS, alphas_cumprod, ddim_schedule
from ditto.errors import InvalidInputError
from ditto.models.lmdm import Lmdm, LmdmParams
from ditto.motion import layout
from ditto.motion.condition import NEUTRAL, ConditionSource, assemble, emotion_vectors
from ditto.training.dataset import Clip
from ditto.training.losses import segment_losses
from ditto.training.recipe import Recipe
from ditto.training.task import TermWeights, Windows

Array = NDArray[np.float32]

_EXTRA_CONDITIONS = 8 + 8 + layout.EXPRESSION_DIM
"""Emotion, eyes, keypoints."""
_SAMPLING_STEPS = 10
_JAW = layout.EXPRESSION.start + 3 * layout.JAW_KEYPOINT + 1
"""Dimension 58 of the expression, which opens the mouth (paper 3.2.3)."""
_SMALLEST_SPREAD = 0.1
"""Of a number, beside its region's, in the weights of the losses."""


def _regions() -> dict[str, list[int]]:
    """Columns of the 265 by control region."""
    keypoints = {
        "lips": layout.LIP_KEYPOINTS,
        "eyes": layout.EYE_KEYPOINTS,
        "brows and cheeks": layout.BROW_KEYPOINTS + layout.CHEEK_KEYPOINTS,
    }
    groups = {"head": list(range(layout.EXPRESSION.start))}
    for name, points in keypoints.items():
        groups[name] = [layout.EXPRESSION.start + 3 * p + axis for p in points for axis in range(3)]
    known = {column for columns in groups.values() for column in columns}
    groups["rest of the face"] = [c for c in range(layout.MOTION_DIM) if c not in known]
    return groups


class LmdmTask:
    """`ditto.training.task.Task` of `Lmdm`."""

    def __init__(
        self,
        clips: list[Clip],
        tuning: list[Clip],
        recipe: Recipe,
        params: LmdmParams | None = None,
    ) -> None:
        """Clips of a pack's own motion space. Raises `InvalidInputError` for other clips."""
        torch.manual_seed(recipe.seed)
        width = clips[0].face.shape[2]
        if width != layout.MOTION_DIM:
            raise InvalidInputError("data", f"{width} motion numbers a frame; 265 are needed")
        self.recipe = recipe
        self._clips = [clip for clip in clips if len(clip.audio) > recipe.window_frames]
        self._tuning = [clip for clip in tuning if len(clip.audio) > recipe.window_frames]
        if not self._clips or not self._tuning:
            raise InvalidInputError("data", f"no clip is over {recipe.window_frames} frames long")
        self.frames = sum(len(clip.audio) for clip in self._clips)
        lengths = np.array([len(clip.audio) for clip in self._clips], np.float64)
        self._share = lengths / lengths.sum()
        conditions = clips[0].audio.shape[1] + _EXTRA_CONDITIONS
        self.network = Lmdm(params or LmdmParams(frames=recipe.window_frames, cond_dim=conditions))
        self.groups = _regions()
        weight = torch.from_numpy(_balance(self._clips, self.groups))
        self.objective = SegmentObjective(self.network, recipe, weight)
        temporal = float(recipe.temporal_losses)
        self.term_weights = TermWeights(velocity=temporal, acceleration=temporal)

    def draw(self, count: int, rng: np.random.Generator) -> Windows:
        """``count`` segments: motion (B, T, 265), initial (B, 265), conditions (B, T, D)."""
        picks = rng.choice(len(self._clips), count, p=self._share)
        windows = [self._window(self._clips[pick], rng) for pick in picks]
        names = ("motion", "initial", "conditions")
        parts = zip(*windows, strict=True)
        return {
            name: torch.from_numpy(np.stack(rows)) for name, rows in zip(names, parts, strict=True)
        }

    def _window(self, clip: Clip, rng: np.random.Generator) -> tuple[Array, Array, Array]:
        frames = self.recipe.window_frames
        start = int(rng.integers(1, len(clip.audio) - frames + 1))
        life = int(rng.integers(len(clip.face))) if self.recipe.flip else 0
        return self._segment(clip, start, life, int(rng.integers(len(clip.audio))))

    def _segment(
        self, clip: Clip, start: int, life: int, keypoint_frame: int
    ) -> tuple[Array, Array, Array]:
        assert clip.keypoints is not None, "clips of videos have keypoints"
        rows = slice(start, start + self.recipe.window_frames)
        motion = np.array(clip.face[life, rows], np.float32)
        initial = np.array(clip.face[life, start - 1], np.float32)
        kept = np.float32(self.recipe.canonical_keypoints)
        emotions = emotion_vectors(NEUTRAL if clip.emotion is None else clip.emotion)
        eyes = np.asarray(clip.eyes[life, rows])
        source = ConditionSource(
            keypoints=kept * np.asarray(clip.keypoints[life, keypoint_frame]),
            eye_open=eyes[:, :2],
            eye_ball=eyes[:, 2:],
            emotions=np.float32(self.recipe.emotion) * emotions,
        )
        return motion, initial, assemble(clip.audio[rows].astype(np.float32), 0, source)

    def facts(self) -> dict[str, Any]:
        """Sizes."""
        return {"params": asdict(self.network.params)}

    def score(self, network: nn.Module) -> dict[str, float]:
        """Mean correlation of the generated and the real jaw over the tuning clips."""
        values = []
        for clip in self._tuning:
            made = self._sample(cast(Lmdm, network), clip)
            real = np.asarray(clip.face[0, 1 : len(made) + 1])
            values.append(np.corrcoef(made[:, _JAW], real[:, _JAW])[0, 1])
        return {"lip_sync": float(np.mean(values))}

    def sample(self, network: nn.Module) -> Array:
        """Motion (T, 265) of the first tuning clip's start."""
        return self._sample(cast(Lmdm, network), self._tuning[0])

    @torch.no_grad()
    def _sample(self, network: Lmdm, clip: Clip) -> Array:
        device = next(network.parameters()).device
        motion, initial, conditions = (
            torch.from_numpy(rows)[None].to(device) for rows in self._segment(clip, 1, 0, 0)
        )
        schedule = ddim_schedule(_SAMPLING_STEPS)
        generator = torch.Generator().manual_seed(0)
        noise = [
            torch.randn(motion.shape, generator=generator).to(device) for _ in range(len(schedule))
        ]

        def denoise(x: Tensor, index: int) -> Tensor:
            time = torch.full((1,), schedule[index].time, device=device)
            return network.guided(x, initial, conditions, time)

        made = sample_ddim(denoise, noise[0], noise[1:], schedule)
        return np.asarray(made[0].cpu(), np.float32)


class SegmentObjective(nn.Module):
    """Noises segments at a random timestep, drops some conditions, denoises, compares."""

    weight: Tensor
    alphas: Tensor

    def __init__(self, network: Lmdm, recipe: Recipe, weight: Tensor) -> None:
        """weight (265,): see `_balance`."""
        super().__init__()
        self.network, self.recipe = network, recipe
        self.register_buffer("weight", weight)
        self.register_buffer("alphas", torch.from_numpy(alphas_cumprod()))

    def forward(self, batch: Windows) -> Tensor:
        """Segments (B, T, ...) to a loss table (4, 265)."""
        network, motion, initial = self.network, batch["motion"], batch["initial"]
        size = len(motion)
        time = torch.randint(TIMESTEPS, (size,), device=motion.device)
        kept = self.alphas[time][:, None, None]
        noisy = kept.sqrt() * motion + (1 - kept).sqrt() * torch.randn_like(motion)
        tokens = network.encode_condition(batch["conditions"])  # B T D
        pooled = network.pool(tokens)
        dropped = torch.rand(size, device=motion.device) < self.recipe.guidance_drop
        tokens = torch.where(dropped[:, None, None], network.null_cond_embed, tokens)
        pooled = torch.where(dropped[:, None], network.null_cond_hidden, pooled)
        predicted = network.denoise(noisy, initial, tokens, pooled, time).float()
        return segment_losses(predicted, motion, initial, self.weight)


def _balance(clips: list[Clip], groups: dict[str, list[int]]) -> Array:
    """(265,) 1 / variance of each number, so that bin logits do not drown expression deltas."""
    rows = np.concatenate([np.asarray(clip.face[0]) for clip in clips[:200]])
    spread = rows.std(0)
    for columns in groups.values():
        typical = float(np.sqrt((spread[columns] ** 2).mean()))
        spread[columns] = np.maximum(spread[columns], _SMALLEST_SPREAD * typical + 1e-4)
    return np.asarray(1 / spread**2, np.float32)
