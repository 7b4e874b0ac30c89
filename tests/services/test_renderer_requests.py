"""What a renderer process refuses in a session, and how soon it has room again."""

from __future__ import annotations

import time

import numpy as np
import pytest

from ditto import errors
from ditto.serving.frames import block_of
from ditto.v1.renderer_pb2 import RenderConfig, RenderRequest
from ditto.v1.renderer_pb2_grpc import RendererServiceStub
from tests.services.rendering import SLOTS, motion_of, portrait, prepare, refusal, render


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"view": 9}, errors.InvalidInputError, "view"),
        ({"encoding": 9}, errors.InvalidInputError, "video_format.encoding"),
    ],
)
async def test_settings_outside_the_contract_are_named(renderer, changes, error, said):
    prepared = await prepare(renderer, portrait())
    arrived = await refusal(render(renderer, prepared.content_key, **changes))
    assert isinstance(arrived, error)
    assert said in str(arrived)


async def test_gaps_and_repeats_in_the_motion_are_refused(renderer):
    prepared = await prepare(renderer, portrait())
    motion = motion_of(prepared, 2)
    for second in (1, 3):
        session = render(renderer, prepared.content_key, (0, motion), (second, motion))
        assert isinstance(await refusal(session), errors.ProtocolError)


async def test_requests_in_the_wrong_order_are_refused(renderer):
    motion = RenderRequest(motion=block_of(0, np.zeros((1, 265), np.float32)))
    config = RenderRequest(config=RenderConfig(content_key="1" * 64))
    async with renderer.channel() as channel:
        stub = RendererServiceStub(channel)
        for requests in ([motion], [config, motion], [config]):

            async def read_all(requests=requests) -> None:
                _ = [reply async for reply in stub.Render(iter(requests))]

            assert isinstance(await refusal(read_all()), errors.ProtocolError)


async def test_a_cancelled_session_frees_its_slot_at_once(renderer):
    prepared = await prepare(renderer, portrait())
    request = RenderRequest(config=RenderConfig(content_key=prepared.content_key))
    async with renderer.channel() as channel:
        calls = [RendererServiceStub(channel).Render() for _ in range(SLOTS)]
        for call in calls:
            await call.write(request)
            await call.read()
            await call.write(RenderRequest(motion=block_of(0, motion_of(prepared, 100))))
            await call.read()
        full = await refusal(render(renderer, prepared.content_key))
        assert isinstance(full, errors.AtCapacityError)
        for call in calls:
            call.cancel()
        begun = time.monotonic()
        while (await renderer.status()).free_slots < SLOTS:
            assert time.monotonic() - begun < 1
    result = await render(renderer, prepared.content_key, (0, motion_of(prepared, 1)))
    assert len(result.frames) == 1
