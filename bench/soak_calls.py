"""Calls of every kind that callers make, and whether each got all that it should."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import grpc

from bench.misbehaviours import BAD_CALLS
from ditto.client import AnimateOptions, AsyncClient, Chunk, Frame
from ditto.errors import AtCapacityError, DittoError
from ditto.serving.errors import status_of

FRAME_BYTES = 1280
"""Of 16 kHz S16LE speech: one frame at 25 a second."""
_LIVE_PIECE_FRAMES = 1
_CALL_SECONDS = 60.0


@dataclass
class Tally:
    """What came of all calls."""

    calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By kind and status."""
    frames: int = 0
    lost_frames: int = 0
    """Indices that never came, though nothing ended the call."""
    skipped_frames: int = 0
    """Left out and announced, because the reader was late."""
    wrong: list[str] = field(default_factory=list)
    """Calls that ended as they must not."""


@dataclass(frozen=True)
class Callers:
    """Who makes the calls."""

    address: str
    portraits: Sequence[bytes]
    pcm: bytes
    """16 kHz S16LE speech, some seconds."""
    tally: Tally

    async def call_until(self, end_s: float, seed: int) -> None:
        """Call after call until a moment of the loop's clock, with pauses between."""
        chance, now = random.Random(seed), asyncio.get_running_loop().time  # noqa: S311
        kinds, weights = zip(*_KINDS.items(), strict=True)
        while now() < end_s:
            kind = chance.choices(kinds, weights)[0]
            await self._make(kind, chance)
            await asyncio.sleep(chance.uniform(0.0, 0.4))

    async def _make(self, kind: Kind, chance: random.Random) -> None:
        name = kind.__name__
        try:
            async with asyncio.timeout(_CALL_SECONDS), AsyncClient(self.address) as client:
                status = await kind(self, client, chance)
        except AtCapacityError:
            status = "RESOURCE_EXHAUSTED"
            await asyncio.sleep(0.5)
        except DittoError as error:
            status = status_of(error).name
            self.tally.wrong.append(f"{name}: {status} {error}")
        except TimeoutError:
            status = "HUNG"
            self.tally.wrong.append(f"{name}: no end within {_CALL_SECONDS:g} s")
        self.tally.calls[name, status] += 1

    def speech(self, chance: random.Random, least_s: float, most_s: float) -> bytes:
        """A part of the recording, whole frames."""
        frames = round(25 * chance.uniform(least_s, most_s))
        first = chance.randrange(max(1, len(self.pcm) // FRAME_BYTES - frames))
        return self.pcm[first * FRAME_BYTES : (first + frames) * FRAME_BYTES]

    async def watch(self, call: AsyncIterator[object], expected: int, is_exact: bool) -> None:
        """Take all of a call, counting what is missing."""
        seen = next_index = skipped = 0
        async for item in call:
            if isinstance(item, Frame):
                skipped += item.index - next_index
                next_index, seen = item.index + 1, seen + 1
            elif isinstance(item, Chunk):
                seen += item.frames
        self.tally.frames += seen
        self.tally.skipped_frames += skipped
        self.tally.lost_frames += max(0, expected - seen - skipped)
        if is_exact and seen > expected:
            self.tally.wrong.append(f"{seen} frames where {expected} were due")


Kind = Callable[[Callers, AsyncClient, random.Random], Awaitable[str]]


async def fast_jpeg(callers: Callers, client: AsyncClient, chance: random.Random) -> str:
    """All speech at once, frames as soon as ready."""
    return await _said(callers, client, chance, {})


async def fast_mp4(callers: Callers, client: AsyncClient, chance: random.Random) -> str:
    """The same as a container."""
    return await _said(callers, client, chance, {"video": "mp4"})


async def live_jpeg(callers: Callers, client: AsyncClient, chance: random.Random) -> str:
    """Spoken at its own pace."""
    return await _said(callers, client, chance, {"pacing": "realtime"})


async def live_mp4(callers: Callers, client: AsyncClient, chance: random.Random) -> str:
    """Spoken at its own pace, as a container."""
    return await _said(callers, client, chance, {"pacing": "realtime", "video": "mp4"})


async def barge_in(callers: Callers, client: AsyncClient, chance: random.Random) -> str:
    """Interrupted in the middle of a sentence; then another one is said."""
    portrait, speech = chance.choice(callers.portraits), callers.speech(chance, 1.5, 2.5)
    async with await client.animate(portrait, pacing="realtime") as call:

        async def talk() -> None:
            for piece in _pieces(speech):
                await call.speak(piece)
                await asyncio.sleep(0.04)
            await call.interrupt()
            await call.speak(speech[: 20 * FRAME_BYTES])
            await call.end()

        talking = asyncio.create_task(talk())
        try:
            await callers.watch(aiter(call), len(speech) // FRAME_BYTES // 2, is_exact=False)
        finally:
            talking.cancel()
    return "OK"


async def controlled(callers: Callers, client: AsyncClient, chance: random.Random) -> str:
    """With controls on the way."""
    portrait, speech = chance.choice(callers.portraits), callers.speech(chance, 1.0, 2.0)
    async with await client.animate(portrait) as call:
        for at, piece in enumerate(_pieces(speech)):
            await call.speak(piece)
            if at % 10 == 0:
                await call.control(mouth_gain=chance.uniform(0, 2), yaw_offset_degrees=at % 20)
        await call.end()
        await callers.watch(aiter(call), len(speech) // FRAME_BYTES, is_exact=True)
    return "OK"


async def registered(callers: Callers, client: AsyncClient, chance: random.Random) -> str:
    """With an avatar."""
    avatar = await client.register(chance.choice(callers.portraits))
    speech = callers.speech(chance, 0.4, 1.0)
    async with await client.animate(avatar, speech) as call:
        await callers.watch(aiter(call), len(speech) // FRAME_BYTES, is_exact=True)
    return "OK"


async def cancelled(callers: Callers, client: AsyncClient, chance: random.Random) -> str:
    """Given up after a few frames."""
    portrait, wanted = chance.choice(callers.portraits), chance.randrange(8)
    async with await client.animate(portrait, callers.speech(chance, 2.0, 3.0)) as call:
        async for item in call:
            if isinstance(item, Frame) and item.index >= wanted:
                break
    return "CANCELLED"


async def gone(callers: Callers, client: AsyncClient, chance: random.Random) -> str:
    """The connection breaks."""
    call = await client.animate(
        chance.choice(callers.portraits), callers.speech(chance, 2.0, 3.0), pacing="realtime"
    )
    await asyncio.sleep(chance.uniform(0.0, 0.8))
    await client.close()
    call.cancel()
    return "CANCELLED"


async def bad(callers: Callers, client: AsyncClient, chance: random.Random) -> str:
    """Something that cannot be used; it must be refused by name."""
    case = chance.choice(BAD_CALLS)
    async with grpc.aio.insecure_channel(callers.address) as channel:
        outcome = await case.run(channel, callers.portraits[0])
    if outcome.status not in (case.status, "RESOURCE_EXHAUSTED"):
        callers.tally.wrong.append(f"{case.name}: {outcome.status} {outcome.details}")
    return outcome.status


_KINDS: dict[Kind, int] = {
    fast_jpeg: 4,
    fast_mp4: 2,
    live_jpeg: 4,
    live_mp4: 2,
    barge_in: 2,
    controlled: 2,
    registered: 2,
    cancelled: 2,
    gone: 2,
    bad: 3,
}
"""How often each is made."""


async def _said(
    callers: Callers, client: AsyncClient, chance: random.Random, options: AnimateOptions
) -> str:
    portrait, speech = chance.choice(callers.portraits), callers.speech(chance, 0.6, 3.0)
    is_live = options.get("pacing") == "realtime"
    said = _live(speech) if is_live else speech
    async with await client.animate(portrait, said, **options) as call:
        await callers.watch(aiter(call), len(speech) // FRAME_BYTES, is_exact=not is_live)
    return "OK"


async def _live(speech: bytes) -> AsyncIterator[bytes]:
    for piece in _pieces(speech):
        yield piece
        await asyncio.sleep(0.04)


def _pieces(speech: bytes) -> list[bytes]:
    size = FRAME_BYTES * _LIVE_PIECE_FRAMES
    return [speech[at : at + size] for at in range(0, len(speech), size)]
