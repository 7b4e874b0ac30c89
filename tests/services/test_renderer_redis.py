"""The renderer process while Redis is down, slow, full or wrong: calls go on, and ops are told."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from hashlib import sha256

import numpy as np
import pytest

from ditto.serving.frames import block_of
from ditto.v1 import types_pb2
from ditto.v1.renderer_pb2 import PreparePortraitResponse, RenderConfig, RenderRequest
from ditto.v1.renderer_pb2_grpc import RendererServiceStub
from tests.redis_process import RedisProcess
from tests.redis_proxy import RedisProxy
from tests.services.processes import ServiceProcess, serving
from tests.services.rendering import portrait, prepare

pytestmark = pytest.mark.slow

SLOW_S = 2.0


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisProcess]:
    """Not started yet."""
    server = RedisProcess(tmp_path_factory.mktemp("redis"))
    yield server
    server.kill()


@pytest.fixture(scope="module")
def proxy(redis: RedisProcess) -> Iterator[RedisProxy]:
    between = RedisProxy(redis.socket)
    yield between
    between.close()


@pytest.fixture(scope="module")
def service(proxy: RedisProxy) -> Iterator[ServiceProcess]:
    """Keeps nothing itself, so that every look-up is one in Redis."""
    with serving("renderer", f"redis_url={proxy.url}", "cache_local_bytes=0") as running:
        yield running


def reading(service: ServiceProcess, name: str, **labels: str) -> float:
    """One number of the metrics page."""
    for line in service.metrics().splitlines():
        if line.startswith(name) and all(f'{k}="{v}"' in line for k, v in labels.items()):
            return float(line.rsplit(" ", 1)[1])
    raise AssertionError(f"no {name} with {labels}")


def is_up(service: ServiceProcess) -> bool:
    return reading(service, "ditto_redis_up") == 1


def until(is_so: Callable[[], bool], within_s: float = 15.0) -> float:
    """Wait for a condition; give how long it took."""
    begun = time.monotonic()
    while not is_so():
        assert time.monotonic() - begun < within_s
        time.sleep(0.05)
    return time.monotonic() - begun


async def pictures(
    service: ServiceProcess,
    prepared: PreparePortraitResponse,
    image: bytes,
    halfway: Callable[[], object] = lambda: None,
) -> list[str]:
    """Hashes of ten frames of a session, half of them after `halfway`."""
    rest = np.array(prepared.identity.reference_motion, np.float32)
    config = RenderConfig(
        content_key=prepared.content_key,
        video_format=types_pb2.VideoFormat(encoding=types_pb2.VIDEO_ENCODING_JPEG),
    )
    async with service.channel() as channel:
        call = RendererServiceStub(channel).Render()
        await call.write(RenderRequest(config=config))
        reply = await call.read()
        if reply.HasField("portrait_needed"):
            await call.write(RenderRequest(portrait=image))
            reply = await call.read()
        assert reply.HasField("accepted")
        hashes = []
        for first in (0, 5):
            await call.write(RenderRequest(motion=block_of(first, np.tile(rest, (5, 1)))))
            hashes += [sha256((await call.read()).frame.data).hexdigest() for _ in range(5)]
            if not first:
                halfway()
        await call.done_writing()
    return hashes


async def test_redis_is_down_at_the_start_and_is_used_once_it_comes(
    redis: RedisProcess, service: ServiceProcess
) -> None:
    assert not is_up(service)
    image = portrait(1)
    prepared = await prepare(service, image)
    assert prepared.source == "computed"
    assert len(await pictures(service, prepared, image)) == 10
    redis.start()
    print(f"used {until(lambda: is_up(service)):.1f} s after its start")
    assert (await prepare(service, image)).source == "computed"
    assert (await prepare(service, image)).source == "redis"


async def test_redis_dies_in_the_middle_of_a_session(
    redis: RedisProcess, service: ServiceProcess
) -> None:
    image = portrait(2)
    prepared = await prepare(service, image)
    calm = await pictures(service, prepared, image)
    assert await pictures(service, prepared, image, redis.kill) == calm
    print(f"told {until(lambda: not is_up(service)):.1f} s after its death")
    assert (await prepare(service, image)).source == "computed"
    assert await pictures(service, prepared, image) == calm
    redis.start()
    until(lambda: is_up(service))


async def test_a_slow_redis_costs_one_call_once(proxy: RedisProxy, service: ServiceProcess) -> None:
    image = portrait(3)
    await prepare(service, image)
    before = reading(service, "ditto_cache_requests_total", tier="redis", result="error")
    proxy.delay_s = SLOW_S
    took_s = []
    for tint in range(4, 9):
        begun = time.monotonic()
        prepared = await prepare(service, portrait(tint))
        took_s.append(time.monotonic() - begun - prepared.prepare_ms / 1000)
        assert prepared.source == "computed"
    waited = reading(service, "ditto_cache_requests_total", tier="redis", result="error") - before
    print("waited beside preparing:", " ".join(f"{each:.2f}" for each in took_s), "s")
    assert waited <= 1
    assert not is_up(service)
    assert min(took_s[1:]) < SLOW_S / 4
    proxy.delay_s = 0.0
    until(lambda: is_up(service))
    assert (await prepare(service, image)).source == "redis"


async def test_a_full_redis_refuses_and_is_reported(
    redis: RedisProcess, service: ServiceProcess
) -> None:
    kept = portrait(10)
    await prepare(service, kept)
    errors = reading(service, "ditto_redis_errors_total")
    redis.client.config_set("maxmemory-policy", "noeviction")
    redis.client.config_set("maxmemory", 1)
    try:
        assert (await prepare(service, portrait(11))).source == "computed"
        assert (await prepare(service, portrait(11))).source == "computed"
        assert (await prepare(service, kept)).source == "redis"
    finally:
        redis.client.config_set("maxmemory", 256 << 20)
        redis.client.config_set("maxmemory-policy", "allkeys-lru")
    assert reading(service, "ditto_redis_errors_total") == errors + 2
    assert is_up(service)


async def test_a_full_redis_that_evicts_keeps_what_was_used_last(
    redis: RedisProcess, service: ServiceProcess
) -> None:
    redis.client.flushall()
    await prepare(service, portrait(20))
    size = redis.client.memory_usage(redis.client.keys("*appearance*")[0])
    used = redis.client.info("memory")["used_memory"]
    redis.client.config_set("maxmemory", used + int(3.5 * size))
    try:
        for tint in range(21, 27):
            assert (await prepare(service, portrait(tint))).source == "computed"
        assert (await prepare(service, portrait(26))).source == "redis"
        assert redis.client.info("stats")["evicted_keys"] > 0
    finally:
        redis.client.config_set("maxmemory", 256 << 20)
    assert is_up(service)


@pytest.mark.parametrize(
    "harm", ["a flipped bit", "truncated", "empty", "other version", "other type", "other key"]
)
async def test_garbage_is_computed_again_and_never_shown(
    redis: RedisProcess, service: ServiceProcess, harm: str
) -> None:
    redis.client.flushall()
    image = portrait(30)
    prepared = await prepare(service, image)
    calm = await pictures(service, prepared, image)
    (key,) = redis.client.keys("*appearance*")
    stored = redis.client.get(key)
    half = len(stored) // 2
    damaged = {
        "a flipped bit": stored[:half] + bytes([stored[half] ^ 1]) + stored[half + 1 :],
        "truncated": stored[:half],
        "empty": b"",
        "other version": re.sub(rb"^DCV1", b"DCV0", stored),
    }
    if harm == "other type":
        redis.client.delete(key)
        redis.client.lpush(key, "a list")
    elif harm == "other key":
        await prepare(service, portrait(31))
        (other,) = set(redis.client.keys("*appearance*")) - {key}
        redis.client.rename(other, key)
    else:
        redis.client.set(key, damaged[harm])
    assert await pictures(service, prepared, image) == calm
    assert redis.client.get(key) == stored
    assert (await prepare(service, image)).source == "redis"
    assert is_up(service)
