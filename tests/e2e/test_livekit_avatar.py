"""The LiveKit Agents adapter, with the package's own types, on a real cluster."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest
import soxr
from livekit import rtc
from livekit.agents.voice.avatar import AudioSegmentEnd, VideoGenerator

from ditto.client import AsyncClient
from ditto.client.livekit_avatar import LivekitVideoGenerator
from ditto.errors import InvalidInputError
from ditto.local_cluster import LocalCluster
from tests.e2e import speech

RATE_HZ = 24_000
PORTRAIT = Path(__file__).resolve().parents[2] / "examples/astronaut.jpg"


def voice(seconds: float) -> list[rtc.AudioFrame]:
    """The recording as 20 ms frames at 24 kHz."""
    said = soxr.resample(
        speech.samples()[16_000 : 16_000 + round(seconds * 16_000)], 16_000, RATE_HZ
    )
    pcm, size = speech.s16le(said), RATE_HZ // 50 * 2
    pieces = [pcm[at : at + size] for at in range(0, len(pcm), size)]
    return [rtc.AudioFrame(piece, RATE_HZ, 1, len(piece) // 2) for piece in pieces]


async def until_end(generator: LivekitVideoGenerator) -> tuple[list[np.ndarray], int]:
    """Pictures and samples up to the end of a segment."""
    pictures, samples = [], 0
    async for item in generator:
        if isinstance(item, rtc.VideoFrame):
            assert (item.width, item.height) == (512, 512)
            pictures.append(np.frombuffer(item.data, np.uint8).reshape(512, 512, 3))
        elif isinstance(item, rtc.AudioFrame):
            samples += item.samples_per_channel
        else:
            return pictures, samples
    raise AssertionError("the call ended before the segment")


async def test_a_voice_comes_back_with_its_pictures(cluster: LocalCluster) -> None:
    said = voice(1.2)
    async with (
        AsyncClient(cluster.address) as client,
        await LivekitVideoGenerator.open(client, PORTRAIT) as generator,
    ):
        assert isinstance(generator, VideoGenerator)
        for frame in said:
            await generator.push_audio(frame)
        await generator.push_audio(AudioSegmentEnd())
        pictures, samples = await asyncio.wait_for(until_end(generator), 60)
    assert samples == sum(frame.samples_per_channel for frame in said)
    assert len(pictures) >= 30
    assert np.abs(pictures[-1].astype(int) - pictures[0]).max() > 30


async def test_clearing_the_buffer_ends_the_sound_at_once(cluster: LocalCluster) -> None:
    async with (
        AsyncClient(cluster.address) as client,
        await LivekitVideoGenerator.open(client, PORTRAIT) as generator,
    ):
        for frame in voice(3.0):
            await generator.push_audio(frame)
        heard, after, cleared = 0, 0, False

        async def listen() -> None:
            nonlocal heard, after, cleared
            frames_after = 0
            async for item in generator:
                if isinstance(item, rtc.AudioFrame):
                    heard += 1
                    after += cleared
                if heard == 5 and not cleared:
                    cleared = True
                    await generator.clear_buffer()
                frames_after += cleared and isinstance(item, rtc.VideoFrame)
                if frames_after == 15:
                    return

        await asyncio.wait_for(listen(), 60)
    assert (heard, after) == (5, 0)


async def test_another_rate_is_refused(cluster: LocalCluster) -> None:
    async with (
        AsyncClient(cluster.address) as client,
        await LivekitVideoGenerator.open(client, PORTRAIT) as generator,
    ):
        with pytest.raises(InvalidInputError, match="48000 Hz"):
            await generator.push_audio(rtc.AudioFrame(bytes(960), 48_000, 1, 480))
