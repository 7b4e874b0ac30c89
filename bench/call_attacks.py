"""Clients whose calls misbehave in what they do. Each gives what came of it, in a few words."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import grpc

from bench.attack import TONE, Attack, Target, counted, open_channel, then_stay
from bench.misbehaviours import BAD_CALLS, COSTLY_CALLS, audio, config, outcome_of
from ditto.v1 import animation_pb2 as pb
from ditto.v1 import types_pb2 as types
from ditto.v1.animation_pb2_grpc import AnimationServiceStub

_RAW = types.VideoFormat(encoding=types.VIDEO_ENCODING_RGB24)


async def never_sends(target: Target) -> str:
    """Twenty calls without a word."""
    async with open_channel(target.gateway) as channel:
        return counted(await asyncio.gather(*(_silent(channel) for _ in range(20))))


async def sends_for_ever(target: Target) -> str:
    """Speech as fast as the wire takes it."""

    def endless() -> Iterator[pb.AnimateRequest]:
        yield config(target.portrait)
        while True:
            yield audio(TONE)

    async with open_channel(target.gateway) as channel:
        outcome = await outcome_of(channel, endless())
    return f"{outcome.status}: {outcome.details}"


async def a_minute_at_once(target: Target) -> str:
    """Sixty seconds of speech in one go; a hundred frames are read."""
    async with open_channel(target.gateway) as channel:
        stub = AnimationServiceStub(channel)  # type: ignore[no-untyped-call]
        said = [config(target.portrait), *(audio(TONE) for _ in range(60))]
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
    async with open_channel(target.gateway) as channel:
        stub = AnimationServiceStub(channel)  # type: ignore[no-untyped-call]
        said = [config(target.portrait, video_format=_RAW), *(audio(TONE) for _ in range(50))]
        call, taken = stub.Animate(iter(said)), 0
        try:
            async for response in call:
                if response.HasField("frame"):
                    taken += 1
                    await asyncio.sleep(1.0 if taken < 6 else 9.0)
        except grpc.aio.AioRpcError as error:
            return f"{taken} frames, then {error.code().name}: {error.details()}"
    return f"{taken} frames"


async def two_hundred_calls(target: Target) -> str:
    """At once, on one connection, and each stays."""
    async with open_channel(target.gateway) as channel:
        said = [config(target.portrait), audio(TONE[:6400])]
        calls = (outcome_of(channel, then_stay(said, 3.0)) for _ in range(200))
        return counted([outcome.status for outcome in await asyncio.gather(*calls)])


async def a_gigabyte(target: Target) -> str:
    """In messages of 4 MiB after a good beginning."""
    sent = 0

    def flood() -> Iterator[pb.AnimateRequest]:
        nonlocal sent
        yield config(target.portrait)
        for _ in range(256):
            sent += 4
            yield audio(bytes(4 << 20))

    async with open_channel(target.gateway) as channel:
        outcome = await outcome_of(channel, flood())
    return f"{outcome.status} after {sent} MiB: {outcome.details}"


async def a_gigabyte_of_portraits(target: Target) -> str:
    """Fifty calls at once, each with 20 MiB that are no picture."""
    async with open_channel(target.gateway) as channel:
        said = [config(bytes(20 << 20)), audio(bytes(640))]
        calls = (outcome_of(channel, iter(said)) for _ in range(50))
        return counted([outcome.status for outcome in await asyncio.gather(*calls)])


async def tiny_messages(target: Target) -> str:
    """Twenty thousand of one sample each."""
    said = [config(target.portrait), *(audio(TONE[:2]) for _ in range(20_000))]
    async with open_channel(target.gateway) as channel:
        outcome = await outcome_of(channel, said)
    return f"{outcome.status}, {outcome.frames} frames (32 are due)"


async def controls_without_end(target: Target) -> str:
    """Two thousand controls and fifty interrupts."""
    turned = pb.AnimateRequest(control=types.MotionControl(yaw_offset_degrees=3))
    stop = pb.AnimateRequest(interrupt=pb.Interrupt())
    said = [config(target.portrait), *([turned] * 40 + [stop, audio(TONE[:1280])]) * 50]
    async with open_channel(target.gateway) as channel:
        outcome = await outcome_of(channel, said)
    return f"{outcome.status} {outcome.details}, {outcome.frames} frames"


async def bad_calls(target: Target) -> str:
    """Everything that cannot be used, one after another."""
    wrong = []
    async with open_channel(target.gateway) as channel:
        for case in (*BAD_CALLS, *COSTLY_CALLS):
            outcome = await case.run(channel, target.portrait)
            if outcome.status != case.status:
                wrong.append(f"{case.name}: {outcome.status} {outcome.details}")
    return "; ".join(wrong) or f"all {len(BAD_CALLS) + len(COSTLY_CALLS)} refused as they must be"


CALL_ATTACKS: tuple[Attack, ...] = (
    never_sends,
    sends_for_ever,
    a_minute_at_once,
    reads_a_frame_a_second,
    two_hundred_calls,
    a_gigabyte,
    a_gigabyte_of_portraits,
    tiny_messages,
    controls_without_end,
    bad_calls,
)


async def _silent(channel: grpc.aio.Channel) -> str:
    return (await outcome_of(channel, then_stay([], 60.0))).status
