"""Whoever reaches a stage's port with broken streams gets typed errors, soon and cheaply."""

from __future__ import annotations

import asyncio

import grpc
import pytest

from ditto import packs
from ditto.v1 import renderer_pb2 as render_pb
from ditto.v1.renderer_pb2_grpc import RendererServiceStub
from services.audio_encoder import config as audio_config
from services.audio_encoder import loader as audio_loader
from services.motion_dit import config as motion_config
from services.motion_dit import loader as motion_loader
from services.renderer import config as render_config
from services.renderer import loader as render_loader
from tests.e2e import portraits
from tests.fuzz.answered import Answers, addresses, answers_to, served
from tests.fuzz.messages import streams
from tests.fuzz.stage_streams import encoder_streams, motion_streams, render_streams

MEMORY_BYTES = 300 << 20
COUNTS = [60, pytest.param(3000, marks=pytest.mark.slow)]
PICTURE_COUNTS = [12, pytest.param(500, marks=pytest.mark.slow)]


def _assert_refused_in_order(answers: Answers) -> None:
    assert not answers.untyped, "\n".join(answers.untyped[:5])
    assert answers.statuses["OK"]
    assert len(answers.statuses) >= 3
    assert answers.grown_bytes < MEMORY_BYTES


@pytest.mark.parametrize("count", COUNTS)
async def test_audio_encoder(count: int) -> None:
    config = audio_config.AudioEncoderConfig(**addresses(), slots=8)
    async with served(config, audio_loader.make_load(config)) as address:
        cases = streams(encoder_streams(), count, seed=1)
        answers = await answers_to(address, "/ditto.v1.AudioEncoderService/Encode", cases)
    _assert_refused_in_order(answers)


@pytest.mark.parametrize("count", COUNTS)
async def test_motion_dit(count: int) -> None:
    config = motion_config.MotionDitConfig(**addresses(), slots=8)
    feature_dim = packs.load("starter").manifest.feature_dim
    async with served(config, motion_loader.make_load(config)) as address:
        cases = streams(motion_streams(feature_dim), count, seed=2)
        answers = await answers_to(address, "/ditto.v1.MotionDitService/Generate", cases)
    _assert_refused_in_order(answers)


@pytest.mark.parametrize("count", PICTURE_COUNTS)
async def test_renderer(count: int) -> None:
    config = render_config.RendererConfig(**addresses(), slots=8)
    portrait = await asyncio.to_thread(portraits.encoded, portraits.astronaut(), "JPEG", quality=90)
    async with served(config, render_loader.make_load(config)) as address:
        async with grpc.aio.insecure_channel(address) as channel:
            request = render_pb.PreparePortraitRequest(portrait=portrait)
            prepared = await RendererServiceStub(channel).PreparePortrait(request)
        cases = streams(render_streams(prepared.content_key), count, seed=3)
        answers = await answers_to(address, "/ditto.v1.RendererService/Render", cases)
    _assert_refused_in_order(answers)
