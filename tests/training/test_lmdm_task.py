"""The full-size network's training, at toy size: the paper's losses, conditions and guidance."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ditto.errors import InvalidInputError
from ditto.models.checkpoint import read_state
from ditto.models.lmdm import Lmdm, LmdmParams
from ditto.motion.condition import emotion_vectors
from ditto.packs.starter import coordinates
from ditto.training import loop
from ditto.training.command import write_model
from ditto.training.dataset import Clip
from ditto.training.evaluation.generate import NEUTRAL_FACE
from ditto.training.lmdm_task import LmdmTask
from ditto.training.losses import segment_losses
from ditto.training.recipe import FULL_SIZE

RECIPE = replace(FULL_SIZE, steps=60, batch=4, learning_rate=3e-3, ema=0.9)
PARAMS = LmdmParams(cond_dim=24 + 79, width=32, heads=2, hidden=32, layers=1, cond_layers=1)
RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def video_clip(clip: Clip) -> Clip:
    """The example as a pack's own extractor would give it: 265 numbers, two lives."""
    lives = [coordinates.lift(face, NEUTRAL_FACE.reference_motion) for face in clip.face[:2]]
    keypoints = RNG.normal(0, 0.2, (2, len(clip.audio), 63)).astype(np.float32)
    return replace(clip, face=np.stack(lives), eyes=clip.eyes[:2], emotion=3, keypoints=keypoints)


def test_it_trains_through_the_same_loop_and_resumes_exactly(
    video_clip: Clip, tmp_path: Path
) -> None:
    recipe = replace(RECIPE, steps=6)
    whole = loop.train(
        LmdmTask([video_clip], [video_clip], recipe, PARAMS), tmp_path / "a", recipe, judge_every=3
    )
    half = loop.Trainer(LmdmTask([video_clip], [video_clip], recipe, PARAMS), recipe)
    for _ in range(3):
        half.train_step()
    half.judge()
    (tmp_path / "b").mkdir()
    loop.save(half, tmp_path / "b" / loop.LAST)
    resumed = loop.train(
        LmdmTask([video_clip], [video_clip], recipe, PARAMS), tmp_path / "b", recipe, judge_every=3
    )
    for name, weight in whole.average.state_dict().items():
        assert torch.equal(weight, resumed.average.state_dict()[name]), name
    assert whole.task.sample(whole.average).shape == (80, 265)


def test_its_losses_fall(video_clip: Clip) -> None:
    trainer = loop.Trainer(LmdmTask([video_clip], [video_clip], RECIPE, PARAMS), RECIPE)
    history = [float(trainer.train_step()[0].mean()) for _ in range(RECIPE.steps)]
    assert np.mean(history[-10:]) < 0.7 * np.mean(history[:5])


def test_a_segment_is_aligned_with_its_conditions(video_clip: Clip) -> None:
    task = LmdmTask([video_clip], [video_clip], RECIPE, PARAMS)
    windows = task.draw(6, np.random.default_rng(0))
    assert windows["motion"].shape == (6, 80, 265)
    assert windows["conditions"].shape == (6, 80, 24 + 79)
    for motion, initial, conditions in zip(*windows.values(), strict=True):
        audio = conditions[:, :24].numpy()
        start = next(
            at
            for at in range(1, len(video_clip.audio) - 79)
            if np.array_equal(video_clip.audio[at : at + 80].astype(np.float32), audio)
        )
        life = next(
            life
            for life in range(2)
            if np.array_equal(video_clip.face[life, start : start + 80], motion)
        )
        np.testing.assert_array_equal(initial, video_clip.face[life, start - 1])
        np.testing.assert_allclose(conditions[:, 24:32], emotion_vectors(3).repeat(80, 0))
        np.testing.assert_allclose(conditions[:, 32:40], video_clip.eyes[life, start : start + 80])
        assert video_clip.keypoints is not None
        gaps = np.abs(video_clip.keypoints[life] - conditions[0, 40:].numpy()).max(1)
        assert gaps.min() == 0
        assert (conditions[:, 40:] == conditions[0, 40:]).all()


def test_the_mirrored_life_is_left_out_without_flip(video_clip: Clip) -> None:
    task = LmdmTask([video_clip], [video_clip], replace(RECIPE, flip=False), PARAMS)
    eyes = task.draw(20, np.random.default_rng(0))["conditions"][:, :, 32:40].numpy()
    rows = {row.tobytes() for row in np.asarray(video_clip.eyes[0])}
    assert all(row.tobytes() in rows for row in eyes.reshape(-1, 8))


def test_losses_are_the_paper_s_equations() -> None:
    predicted, target = torch.randn(2, 5, 3), torch.randn(2, 5, 3)
    initial, weight = torch.randn(2, 3), torch.tensor([1.0, 2.0, 0.0])
    table = segment_losses(predicted, target, initial, weight).numpy()
    error, share = (predicted - target).numpy(), weight.numpy()
    np.testing.assert_allclose(table[0], share * (error**2).mean((0, 1)), rtol=1e-5)
    change = np.diff(error, axis=1)
    np.testing.assert_allclose(table[1], share * (change**2).mean((0, 1)), rtol=1e-5)
    np.testing.assert_allclose(
        table[2], share * (np.diff(change, axis=1) ** 2).mean((0, 1)), rtol=1e-5
    )
    first = (predicted[:, 0] - initial).numpy()
    np.testing.assert_allclose(table[3], share * (first**2).mean(0), rtol=1e-5)


def test_guidance_dropout_trains_the_branch_without_conditions(video_clip: Clip) -> None:
    gradients = {}
    for share in (0.0, 1.0):
        recipe = replace(RECIPE, guidance_drop=share)
        task = LmdmTask([video_clip], [video_clip], recipe, PARAMS)
        torch.manual_seed(0)
        task.objective(task.draw(4, np.random.default_rng(0))).sum().backward()
        network = task.network
        gradients[share] = (
            _size(network.null_cond_embed.grad),
            _size(network.cond_projection.weight.grad),
        )
    assert gradients[0.0][0] == 0
    assert gradients[0.0][1] > 0
    assert gradients[1.0][0] > 0
    assert gradients[1.0][1] == 0


def _size(gradient: torch.Tensor | None) -> float:
    assert gradient is not None
    return float(gradient.abs().sum())


def test_clips_of_another_space_are_refused(clip: Clip) -> None:
    with pytest.raises(InvalidInputError, match="265"):
        LmdmTask([clip], [clip], RECIPE, PARAMS)


def test_the_export_has_the_released_layout(video_clip: Clip, tmp_path: Path) -> None:
    trainer = loop.Trainer(LmdmTask([video_clip], [video_clip], RECIPE, PARAMS), RECIPE)
    write_model("lmdm", trainer.state(), tmp_path / "lmdm.pth")
    state = read_state("lmdm", tmp_path / "lmdm.pth")
    Lmdm(PARAMS).load_state_dict(state, strict=True)
    for name, weight in trainer.average.state_dict().items():
        assert torch.equal(weight, state[name]), name
