"""The motion_dit service as a real process with the starter pack's generator."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
import numpy as np
import pytest

from ditto.packs import load
from ditto.serving.face_identity import message_of
from ditto.serving.frames import block_of
from ditto.v1 import types_pb2
from ditto.v1.motion_dit_pb2 import GenerateConfig, GeneratedMotion, GenerateRequest
from ditto.v1.motion_dit_pb2_grpc import MotionDitServiceStub
from services.renderer.drawn_face import draw_face
from tests.services.processes import ServiceProcess, serving


@pytest.fixture(scope="module")
def service() -> Iterator[ServiceProcess]:
    with serving("motion_dit") as running:
        yield running


@pytest.fixture(scope="module")
def identity() -> types_pb2.FaceIdentity:
    return message_of(load("starter").renderer().prepare(draw_face()).identity)


@pytest.fixture(scope="module")
def features() -> list[GenerateRequest]:
    """52 frames in blocks as the encoder sends them, and a short last one."""
    rows = np.random.default_rng(0).normal(size=(52, load("starter").manifest.feature_dim))
    return [
        GenerateRequest(features=block_of(at, rows[at : at + 5].astype(np.float32)))
        for at in range(0, 52, 5)
    ]


async def generate(
    service: ServiceProcess, config: GenerateConfig, requests: list[GenerateRequest]
) -> list[GeneratedMotion]:
    async with service.channel() as channel:
        call = MotionDitServiceStub(channel).Generate(
            iter([GenerateRequest(config=config), *requests])
        )
        replies = [reply async for reply in call]
    return [reply.motion for reply in replies if reply.HasField("motion")]


def frames(replies: list[GeneratedMotion]) -> np.ndarray:
    blocks = [np.frombuffer(reply.frames.data, "<f4").reshape(-1, 265) for reply in replies]
    return np.concatenate(blocks)


def config_of(identity: types_pb2.FaceIdentity, seed: int = 0, **fields: object) -> GenerateConfig:
    return GenerateConfig(identity=identity, seed=seed, emotion_intensity=1, **fields)


async def test_seeds_repeat_and_differ(service, identity, features):
    once, again, other = [
        frames(await generate(service, config_of(identity, seed), features)) for seed in (1, 1, 2)
    ]
    assert once.shape == (52, 265)
    assert np.array_equal(once, again)
    assert not np.array_equal(once, other)


async def test_a_session_moves_by_its_checkpoint(service, identity, features):
    whole = await generate(service, config_of(identity), features)
    kept = whole[3]
    moved = config_of(identity, checkpoint=kept.checkpoint)
    rest = await generate(service, moved, features[kept.requests_taken :])
    assert np.array_equal(frames([*whole[:4], *rest]), frames(whole))


async def test_a_checkpoint_of_another_pack_is_refused(service, identity, features):
    reply = (await generate(service, config_of(identity), features))[0]
    foreign = reply.checkpoint.replace(load("starter").hash.encode(), b"0" * 16)
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await generate(service, config_of(identity, checkpoint=foreign), [])
    assert failed.value.code() is grpc.StatusCode.FAILED_PRECONDITION


async def test_steps_are_measured(service, identity, features):
    replies = await generate(service, config_of(identity), features)
    assert all(reply.timing.compute_us > 0 for reply in replies)
    assert 'ditto_rtf_count{module="motion_dit"}' in service.metrics()
