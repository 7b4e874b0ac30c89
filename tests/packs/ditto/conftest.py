"""The pack's stages with tiny networks of the same code, and what they are fed with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from ditto import packs
from ditto.packs.ditto.audio_encoder import HubertAudioEncoder
from ditto.packs.ditto.motion_generator import LmdmMotionGenerator
from ditto.packs.ditto.renderer import DittoRenderer
from ditto.packs.pack import Pack
from ditto.stages import FaceIdentity, Image
from tests.e2e.portraits import astronaut
from tests.e2e.speech import samples


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pack]:
    """Its silence is computed into a cache folder of its own; the landmark file is shared."""
    loaded = packs.load("ditto", {"weights": "generated-tiny"})
    landmarks: Path = loaded.asset("face_landmarker")
    cache = tmp_path_factory.mktemp("cache")
    (cache / landmarks.name).symlink_to(landmarks)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DITTO_CACHE_DIR", str(cache))
        yield loaded


@pytest.fixture(scope="module")
def encoder(pack: Pack) -> HubertAudioEncoder:
    stage = pack.audio_encoder()
    assert isinstance(stage, HubertAudioEncoder)
    return stage


@pytest.fixture(scope="module")
def generator(pack: Pack) -> LmdmMotionGenerator:
    stage = pack.motion_generator()
    assert isinstance(stage, LmdmMotionGenerator)
    return stage


@pytest.fixture(scope="module")
def renderer(pack: Pack) -> DittoRenderer:
    stage = pack.renderer()
    assert isinstance(stage, DittoRenderer)
    return stage


@pytest.fixture(scope="module")
def speech() -> np.ndarray:
    """Two seconds."""
    return samples()[:32_000]


@pytest.fixture(scope="module")
def portrait() -> Image:
    return np.asarray(astronaut())


@pytest.fixture(scope="module")
def identity() -> FaceIdentity:
    rng = np.random.default_rng(0)
    return FaceIdentity(
        canonical_keypoints=rng.normal(0, 0.2, 63).astype(np.float32),
        reference_motion=rng.normal(0, 0.1, 265).astype(np.float32),
        eye_state=np.array([0.3, 0.3, 0, 0, 0, 0, 0, 0], np.float32),
    )
