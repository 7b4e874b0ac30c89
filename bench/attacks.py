"""Clients that misbehave in what they do. Each gives what came of it, in a few words."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import grpc

from bench.misbehaviours import BAD_CALLS, COSTLY_CALLS, audio, config, outcome_of
from bench.relay import relay
from ditto.v1 import animation_pb2 as pb
from ditto.v1 import types_pb2 as types
from ditto.v1.animation_pb2_grpc import AnimationServiceStub

_OPTIONS = [
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    ("grpc.use_local_subchannel_pool", 1),
]
_TONE = (b"\x00\x10" * 80 + b"\x00\xf0" * 80) * 100
"""One second."""
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_RAW = types.VideoFormat(encoding=types.VIDEO_ENCODING_RGB24)


@dataclass(frozen=True)
class Target:
    """What is attacked."""

    gateway: str
    stages: dict[str, str]
    """Address of each stage."""
    pages: list[str]
    """Addresses of the metrics pages."""
    portrait: bytes


Attack = Callable[[Target], Awaitable[str]]


async def never_sends(target: Target) -> str:
    """Twenty calls without a word."""
    async with _channel(target.gateway) as channel:
        return _counted(await asyncio.gather(*(_silent(channel) for _ in range(20))))


async def sends_for_ever(target: Target) -> str:
    """Speech as fast as the wire takes it."""

    def endless() -> Iterator[pb.AnimateRequest]:
        yield config(target.portrait)
        while True:
            yield audio(_TONE)

    async with _channel(target.gateway) as channel:
        outcome = await outcome_of(channel, endless())
    return f"{outcome.status}: {outcome.details}"


async def a_minute_at_once(target: Target) -> str:
    """Sixty seconds of speech in one go; a hundred frames are read."""
    async with _channel(target.gateway) as channel:
        stub = AnimationServiceStub(channel)  # type: ignore[no-untyped-call]
        said = [config(target.portrait), *(audio(_TONE) for _ in range(60))]
        call, indices = stub.Animate(iter(said)), []
        async for response in call:
            if response.HasField("frame"):
                indices.append(response.frame.index)
            if len(indices) == 100:
                call.cancel()
                break
    return "100 frames in order" if indices == list(range(100)) else f"frames {indices[:9]}..."


async def reads_a_frame_a_second(target: Target) -> str:
    """Raw pictures, one taken a second, then none."""
    async with _channel(target.gateway) as channel:
        stub = AnimationServiceStub(channel)  # type: ignore[no-untyped-call]
        said = [config(target.portrait, video_format=_RAW), *(audio(_TONE) for _ in range(50))]
        call, taken = stub.Animate(iter(said)), 0
        try:
            async for response in call:
                if response.HasField("frame"):
                    taken += 1
                    await asyncio.sleep(1.0 if taken < 6 else 9.0)
        except grpc.aio.AioRpcError as error:
            return f"{taken} frames, then {error.code().name}: {error.details()}"
    return f"{taken} frames"


async def connection_is_reset(target: Target) -> str:
    """Three calls whose wire is cut."""
    return await _vanish(target, is_silent=False)


async def falls_silent(target: Target) -> str:
    """Three calls whose other end is gone without a word."""
    return await _vanish(target, is_silent=True)


async def two_hundred_calls(target: Target) -> str:
    """At once, on one connection, and each stays."""
    async with _channel(target.gateway) as channel:
        said = [config(target.portrait), audio(_TONE[:6400])]
        calls = (outcome_of(channel, _then_stay(said, 3.0)) for _ in range(200))
        return _counted([outcome.status for outcome in await asyncio.gather(*calls)])


async def a_gigabyte(target: Target) -> str:
    """In messages of 4 MiB after a good beginning."""
    sent = 0

    def flood() -> Iterator[pb.AnimateRequest]:
        nonlocal sent
        yield config(target.portrait)
        for _ in range(256):
            sent += 4
            yield audio(bytes(4 << 20))

    async with _channel(target.gateway) as channel:
        outcome = await outcome_of(channel, flood())
    return f"{outcome.status} after {sent} MiB: {outcome.details}"


async def a_gigabyte_of_portraits(target: Target) -> str:
    """Fifty calls at once, each with 20 MiB that are no picture."""
    async with _channel(target.gateway) as channel:
        said = [config(bytes(20 << 20)), audio(bytes(640))]
        calls = (outcome_of(channel, iter(said)) for _ in range(50))
        return _counted([outcome.status for outcome in await asyncio.gather(*calls)])


async def tiny_messages(target: Target) -> str:
    """Twenty thousand of one sample each."""
    said = [config(target.portrait), *(audio(_TONE[:2]) for _ in range(20_000))]
    async with _channel(target.gateway) as channel:
        outcome = await outcome_of(channel, said)
    return f"{outcome.status}, {outcome.frames} frames (32 are due)"


async def controls_without_end(target: Target) -> str:
    """Two thousand controls and fifty interrupts."""
    turned = pb.AnimateRequest(control=types.MotionControl(yaw_offset_degrees=3))
    stop = pb.AnimateRequest(interrupt=pb.Interrupt())
    said = [config(target.portrait), *([turned] * 40 + [stop, audio(_TONE[:1280])]) * 50]
    async with _channel(target.gateway) as channel:
        outcome = await outcome_of(channel, said)
    return f"{outcome.status} {outcome.details}, {outcome.frames} frames"


async def bad_calls(target: Target) -> str:
    """Everything that cannot be used, one after another."""
    wrong = []
    async with _channel(target.gateway) as channel:
        for case in (*BAD_CALLS, *COSTLY_CALLS):
            outcome = await case.run(channel, target.portrait)
            if outcome.status != case.status:
                wrong.append(f"{case.name}: {outcome.status} {outcome.details}")
    return "; ".join(wrong) or f"all {len(BAD_CALLS) + len(COSTLY_CALLS)} refused as they must be"


async def huge_metadata(target: Target) -> str:
    """A header of 64 KB, and one of 1 MB."""
    statuses = []
    async with _channel(target.gateway) as channel:
        stub = AnimationServiceStub(channel)  # type: ignore[no-untyped-call]
        for size in (64_000, 1_000_000):
            try:
                request = pb.GetServerInfoRequest()
                await stub.GetServerInfo(request, metadata=[("x", "y" * size)], timeout=10)
                statuses.append("OK")
            except grpc.aio.AioRpcError as error:
                statuses.append(error.code().name)
    return _counted(statuses)


async def random_bytes(target: Target) -> str:
    """Fifty connections with 64 KB of noise to each port."""
    chance, addresses = random.Random(0), [target.gateway, *target.stages.values()]  # noqa: S311
    said = [(address, chance.randbytes(1 << 16)) for address in addresses for _ in range(50)]
    ends = await asyncio.gather(*(_hold(address, noise, 20) for address, noise in said))
    return _counted(ends)


async def half_open(target: Target) -> str:
    """Three hundred connections that say nothing, or stop after the first line."""
    said = [b"", _PREFACE, _PREFACE + b"\0\0\0\x04\0\0\0\0\0"]
    held = (_hold(target.gateway, said[n % 3], 30) for n in range(300))
    return _counted(await asyncio.gather(*held))


async def half_open_pages(target: Target) -> str:
    """A hundred connections to each metrics page that never finish asking."""
    held = (_hold(page, b"GET /met", 30) for page in target.pages for _ in range(100))
    return _counted(await asyncio.gather(*held))


async def garbage_to_stages(target: Target) -> str:
    """Bytes that are no message, to each method of each stage."""
    methods = {
        "audio_encoder": ["AudioEncoderService/Encode", "StageStatusService/GetStageStatus"],
        "motion_dit": ["MotionDitService/Generate"],
        "renderer": ["RendererService/Render", "RendererService/PreparePortrait"],
    }
    chance, statuses = random.Random(1), []  # noqa: S311
    for stage, names in methods.items():
        async with _channel(target.stages[stage]) as channel:
            for name in names * 20:
                noise = chance.randbytes(chance.choice((1, 100, 100_000)))
                statuses.append(await _status_of(channel, f"/ditto.v1.{name}", noise))
    return _counted(statuses)


ATTACKS: tuple[Attack, ...] = (
    never_sends,
    sends_for_ever,
    a_minute_at_once,
    reads_a_frame_a_second,
    connection_is_reset,
    falls_silent,
    two_hundred_calls,
    a_gigabyte,
    a_gigabyte_of_portraits,
    tiny_messages,
    controls_without_end,
    bad_calls,
    huge_metadata,
    random_bytes,
    half_open,
    half_open_pages,
    garbage_to_stages,
)


@asynccontextmanager
async def _channel(address: str) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(address, options=_OPTIONS) as channel:
        yield channel


async def _silent(channel: grpc.aio.Channel) -> str:
    return (await outcome_of(channel, _then_stay([], 60.0))).status


async def _then_stay(
    requests: list[pb.AnimateRequest], seconds: float
) -> AsyncIterator[pb.AnimateRequest]:
    for request in requests:
        yield request
    await asyncio.sleep(seconds)


async def _vanish(target: Target, is_silent: bool) -> str:
    async with relay(target.gateway) as (wire, address), _channel(address) as channel:
        paced = config(target.portrait, pacing=types.PACING_REALTIME)
        said = [paced, *(audio(_TONE) for _ in range(5))]
        calls = [asyncio.create_task(outcome_of(channel, _then_stay(said, 60.0))) for _ in range(2)]
        await asyncio.sleep(2.0)
        if is_silent:
            wire.freeze()
        else:
            wire.reset()
        await asyncio.sleep(8.0 if is_silent else 2.0)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
    return "gone"


async def _hold(address: str, data: bytes, most_s: float) -> str:
    """Say something and wait until the other end has had enough."""
    host, _, port = address.rpartition(":")
    try:
        async with asyncio.timeout(most_s):
            reader, writer = await asyncio.open_connection(host, int(port))
            with contextlib.closing(writer):
                writer.write(data)
                await writer.drain()
                while await reader.read(1 << 16):
                    pass
    except TimeoutError:
        return "still open"
    except OSError:
        return "closed"
    return "closed"


async def _status_of(channel: grpc.aio.Channel, method: str, data: bytes) -> str:
    call = channel.stream_stream(method)(iter([data]), timeout=20)
    try:
        async for _ in call:
            pass
    except grpc.aio.AioRpcError as error:
        return error.code().name
    return "OK"


def _counted(words: list[str]) -> str:
    return ", ".join(f"{count} × {word}" for word, count in sorted(Counter(words).items()))
