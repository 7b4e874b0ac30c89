"""The client for asyncio before a real gateway with fake stages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import av
import pytest

from ditto.client import AsyncClient, Event, EventKind, Frame
from ditto.errors import AvatarNotFoundError, InvalidInputError
from tests.gateway.cluster import Cluster, running_cluster, tone
from tests.gateway.fake_renderer import loudness


@pytest.fixture
async def async_gateway(tmp_path: Path) -> AsyncIterator[Cluster]:
    """A gateway on the test's own loop."""
    async with running_cluster(tmp_path) as cluster:
        yield cluster


async def _pieces(seconds: float) -> AsyncIterator[bytes]:
    for _ in range(round(seconds / 0.1)):
        yield tone(0.1, 4000)
        await asyncio.sleep(0)


async def test_async_calls(async_gateway: Cluster, files: tuple[Path, Path]) -> None:
    async with AsyncClient(async_gateway.address) as client:
        for speech in (files[1], tone(1.0), _pieces(1.0), iter([tone(0.5), tone(0.5)])):
            call = await client.animate(files[0], speech)
            frames = [item async for item in call if isinstance(item, Frame)]
            assert [frame.index for frame in frames] == list(range(25))
            assert call.stats is not None
            assert call.stats.frames == 25


async def test_an_async_conversation(async_gateway: Cluster) -> None:
    async with AsyncClient(async_gateway.address) as client:
        async with await client.animate(b"face", pacing="realtime") as call:
            await call.speak(tone(20.0, 1000))
            await call.control(head_gain=0.5)
            frames = []
            async for item in call:
                if isinstance(item, Frame):
                    frames.append(item)
                    if len(frames) == 5:
                        await call.interrupt()
                elif isinstance(item, Event) and item.kind is EventKind.INTERRUPTED:
                    await call.speak(tone(0.4, 2000))
                    await call.end()
        assert loudness(frames[-1].data) == 2000


async def test_async_mp4_avatars_and_info(
    async_gateway: Cluster, files: tuple[Path, Path], tmp_path: Path
) -> None:
    async with AsyncClient(async_gateway.address) as client:
        avatar = await client.register(files[0])
        assert await client.avatar(avatar.avatar_id) == avatar
        call = await client.animate(avatar, files[1], video="mp4")
        await call.save(tmp_path / "talking.mp4")
        with av.open(str(tmp_path / "talking.mp4")) as file:
            assert sum(1 for _ in file.decode(video=0)) == 25
        await client.delete(avatar)
        with pytest.raises(AvatarNotFoundError):
            await client.delete(avatar)
        assert (await client.info()).packs[0].name == "starter"


async def test_async_errors(async_gateway: Cluster) -> None:
    async with AsyncClient(async_gateway.address) as client:
        for _ in range(20):  # a call that is refused while it still sends
            with pytest.raises(InvalidInputError, match="sampling_steps"):
                await client.animate(b"face", tone(3.0), sampling_steps=99)

        async def broken() -> AsyncIterator[bytes]:
            yield tone(1.0)
            raise OSError("the microphone is gone")

        with pytest.raises(OSError, match="microphone"):
            _ = [item async for item in await client.animate(b"face", broken())]
    assert await async_gateway.all_slots_free()


async def test_leaving_an_async_call_frees_it(async_gateway: Cluster) -> None:
    async with AsyncClient(async_gateway.address) as client:
        async with await client.animate(b"face", _pieces(60)) as call:
            await anext(aiter(call))
        assert await async_gateway.all_slots_free()
