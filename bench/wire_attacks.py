"""Clients that misbehave on the wire. Each gives what came of it, in a few words."""

from __future__ import annotations

import asyncio
import contextlib
import random
from typing import Any

import grpc

from bench.attack import TONE, Attack, Target, counted, open_channel, then_stay
from bench.misbehaviours import audio, config, outcome_of
from bench.relay import relay
from ditto.v1 import animation_pb2 as pb
from ditto.v1 import types_pb2 as types
from ditto.v1.animation_pb2_grpc import AnimationServiceStub

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


async def connection_is_reset(target: Target) -> str:
    """Two calls whose wire is cut."""
    return await _vanish(target, is_silent=False)


async def falls_silent(target: Target) -> str:
    """Two calls whose other end is gone without a word."""
    return await _vanish(target, is_silent=True)


async def huge_metadata(target: Target) -> str:
    """A header of 64 KB, and one of 1 MB."""
    statuses = []
    async with open_channel(target.gateway) as channel:
        stub = AnimationServiceStub(channel)  # type: ignore[no-untyped-call]
        for size in (64_000, 1_000_000):
            try:
                request = pb.GetServerInfoRequest()
                await stub.GetServerInfo(request, metadata=[("x", "y" * size)], timeout=10)
                statuses.append("OK")
            except grpc.aio.AioRpcError as error:
                statuses.append(error.code().name)
    return counted(statuses)


async def random_bytes(target: Target) -> str:
    """Fifty connections with 64 KB of noise to each port."""
    chance, addresses = random.Random(0), [target.gateway, *target.stages.values()]  # noqa: S311
    said = [(address, chance.randbytes(1 << 16)) for address in addresses for _ in range(50)]
    ends = await asyncio.gather(*(_hold(address, noise, 20) for address, noise in said))
    return counted(ends)


async def half_open(target: Target) -> str:
    """Three hundred connections that say nothing, or stop after the first line."""
    said = [b"", _PREFACE, _PREFACE + b"\0\0\0\x04\0\0\0\0\0"]
    held = (_hold(target.gateway, said[n % 3], 30) for n in range(300))
    return counted(await asyncio.gather(*held))


async def half_open_pages(target: Target) -> str:
    """A hundred connections to each metrics page that never finish asking."""
    held = (_hold(page, b"GET /met", 30) for page in target.pages for _ in range(100))
    return counted(await asyncio.gather(*held))


async def garbage_to_stages(target: Target) -> str:
    """Bytes that are no message, to each method of each stage."""
    methods = {
        "audio_encoder": ["AudioEncoderService/Encode", "StageStatusService/GetStageStatus"],
        "motion_dit": ["MotionDitService/Generate"],
        "renderer": ["RendererService/Render", "RendererService/PreparePortrait"],
    }
    chance, statuses = random.Random(1), []  # noqa: S311
    for stage, names in methods.items():
        async with open_channel(target.stages[stage]) as channel:
            for name in names * 20:
                noise = chance.randbytes(chance.choice((1, 100, 100_000)))
                statuses.append(await _status_of(channel, f"/ditto.v1.{name}", noise))
    return counted(statuses)


WIRE_ATTACKS: tuple[Attack, ...] = (
    connection_is_reset,
    falls_silent,
    huge_metadata,
    random_bytes,
    half_open,
    half_open_pages,
    garbage_to_stages,
)


async def _vanish(target: Target, is_silent: bool) -> str:
    async with relay(target.gateway) as (wire, address), open_channel(address) as channel:
        paced = config(target.portrait, pacing=types.PACING_REALTIME)
        said = [paced, *(audio(TONE) for _ in range(5))]
        calls = [asyncio.create_task(outcome_of(channel, then_stay(said, 60.0))) for _ in range(2)]
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
    opened: Any = channel.stream_stream(method)  # type: ignore[call-arg]
    call = opened(iter([data]), timeout=20)
    try:
        async for _ in call:
            pass
    except grpc.aio.AioRpcError as error:
        return error.code().name
    return "OK"
