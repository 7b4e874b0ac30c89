"""The exported ONNX graph computes what the torch network computes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
import torch

from ditto.models.motion_dit import MotionDiTParams
from ditto.packs.starter.motion_generator import StarterMotionGenerator
from ditto.training import loop
from ditto.training.dataset import Clip
from ditto.training.evaluation.generate import motion_frames
from ditto.training.export import INPUTS, Segment, export, load_network
from ditto.training.recipe import Recipe
from ditto.training.starter_task import StarterTask

PARAMS = MotionDiTParams(audio_dim=22, width=32, heads=2, layers=2)


@pytest.fixture(scope="module")
def trained(clip: Clip, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    path = tmp_path_factory.mktemp("export") / "motion_dit.onnx"
    recipe = Recipe(steps=10, batch=4, window_frames=20)
    trainer = loop.Trainer(StarterTask([clip], [clip], recipe, PARAMS), recipe)
    for _ in range(10):
        trainer.train_step()
    export(trainer.state(), path)
    return trainer.state(), path


@pytest.mark.parametrize("batch", [1, 3])
def test_onnx_equals_torch(trained: tuple[dict[str, Any], Path], batch: int) -> None:
    checkpoint, path = trained
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(0)
    inputs = {
        node.name: rng.normal(size=[batch, *node.shape[1:]]).astype(np.float32)
        for node in session.get_inputs()
    }
    with torch.no_grad():
        expected = Segment(load_network(checkpoint))(*(torch.from_numpy(inputs[n]) for n in INPUTS))
    for found, wanted in zip(session.run(None, inputs), expected, strict=True):
        np.testing.assert_allclose(found, wanted.numpy(), atol=1e-4)


def test_the_runtime_reads_what_it_needs_from_the_file(
    trained: tuple[dict[str, Any], Path], clip: Clip
) -> None:
    generator = StarterMotionGenerator(trained[1])
    assert (generator.segment_frames, generator.feature_dim) == (5, 24)
    motion = motion_frames(generator, clip.audio.astype(np.float32)[:33])
    assert motion.shape == (33, 265)
    assert np.isfinite(motion).all()
