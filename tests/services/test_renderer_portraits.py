"""Portraits in real renderer processes: prepared once for all, asked for again where lost."""

from __future__ import annotations

import asyncio
import time

import cv2
import grpc
import numpy as np
import pytest

from ditto import errors
from ditto.v1.renderer_pb2 import DropPortraitRequest
from ditto.v1.renderer_pb2_grpc import RendererServiceStub
from services.renderer.config import RendererConfig
from tests.services.processes import ServiceProcess
from tests.services.rendering import motion_of, portrait, prepare, refusal, render


async def test_preparing_once_is_enough_for_every_replica(renderer, twin):
    image = portrait(tint=1)
    first, again = await prepare(renderer, image), await prepare(renderer, image)
    elsewhere = await prepare(twin, image)
    assert [each.source for each in (first, again, elsewhere)] == ["computed", "local", "redis"]
    assert first.prepare_ms > 0
    assert again.prepare_ms == elsewhere.prepare_ms == 0
    assert len({each.content_key for each in (first, again, elsewhere)}) == 1
    assert first.identity == again.identity == elsewhere.identity
    assert 'ditto_cache_requests_total{result="hit",tier="redis"}' in twin.metrics()


def portraits_prepared(renderer: ServiceProcess) -> float:
    (line,) = (
        line
        for line in renderer.metrics().splitlines()
        if line.startswith("ditto_prepare_seconds_count")
    )
    return float(line.split()[-1])


async def test_portraits_asked_for_together_are_prepared_once(renderer):
    before = portraits_prepared(renderer)
    image = portrait(tint=2)
    answers = await asyncio.gather(*(prepare(renderer, image) for _ in range(5)))
    assert {each.source for each in answers} == {"computed"}
    assert portraits_prepared(renderer) == before + 1


async def test_more_portraits_than_may_wait_are_refused(renderer):
    images = [portrait(tint=100 + number) for number in range(12)]
    answers = await asyncio.gather(
        *(prepare(renderer, image) for image in images), return_exceptions=True
    )
    refused = [answer for answer in answers if isinstance(answer, grpc.aio.AioRpcError)]
    most = RendererConfig.model_fields["pending_portraits"].default
    assert 1 <= len(refused) <= 12 - most
    assert {error.code() for error in refused} == {grpc.StatusCode.RESOURCE_EXHAUSTED}


async def test_another_image_has_another_key(renderer):
    one, other = (
        await prepare(renderer, portrait(tint=3)),
        await prepare(renderer, portrait(tint=4)),
    )
    assert one.content_key != other.content_key


async def test_a_lost_appearance_is_asked_for_again(renderer, twin):
    image = portrait(tint=5)
    prepared = await prepare(renderer, image)
    async with renderer.channel() as channel:
        request = DropPortraitRequest(content_key=prepared.content_key)
        await RendererServiceStub(channel).DropPortrait(request)
    blocks = (0, motion_of(prepared, 2))
    for replica in (renderer, twin):
        result = await render(replica, prepared.content_key, blocks, image=image)
        assert len(result.frames) == 2
        assert result.was_asked == (replica is renderer)
    again = await render(renderer, prepared.content_key, blocks)
    assert not again.was_asked


async def test_the_wrong_portrait_is_refused(renderer):
    error = await refusal(render(renderer, "0" * 64, image=portrait()))
    assert isinstance(error, errors.InvalidInputError)
    assert error.field == "portrait"


@pytest.mark.parametrize(
    ("image", "error"),
    [
        (b"", errors.InvalidInputError),
        (b"no image", errors.InvalidInputError),
        (portrait()[:3000], errors.InvalidInputError),
        (cv2.imencode(".png", np.full((300, 300, 3), 90, np.uint8))[1].tobytes(), errors.FaceError),
        (b"\x89PNG\r\n\x1a\n" + bytes(25 << 20), errors.InvalidInputError),
    ],
    ids=["empty", "text", "truncated", "no-face", "too-large"],
)
async def test_unusable_portraits_are_typed_errors(renderer, image, error):
    assert isinstance(await refusal(prepare(renderer, image)), error)


async def test_without_its_redis_a_replica_asks_for_the_portrait_and_goes_on(twin, redis):
    image = portrait()
    prepared = await prepare(twin, image)
    redis.freeze()
    try:
        begun = time.monotonic()
        blocks = (0, motion_of(prepared, 5))
        result = await render(twin, prepared.content_key, blocks, image=image)
        assert (len(result.frames), result.was_asked) == (5, True)
        assert time.monotonic() - begun < 4
    finally:
        redis.thaw()
