"""Clients that misbehave in what they say: each with the status that must answer it."""

from __future__ import annotations

import asyncio
import struct
import zlib
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.message import Message
from grpc.aio import AioRpcError

from ditto.serving.call_writes import write_message
from ditto.v1 import animation_pb2 as pb
from ditto.v1 import types_pb2 as types
from ditto.v1.animation_pb2_grpc import AnimationServiceStub

_EOF = grpc.aio.EOF  # type: ignore[attr-defined]
_SECONDS = 120.0
_NAN = b"\x00\x00\xc0\x7f"


@dataclass(frozen=True)
class Outcome:
    """How a call ended."""

    status: str
    details: str = ""
    frames: int = 0


@dataclass(frozen=True)
class BadCall:
    """One misbehaviour."""

    name: str
    status: str
    """Name of the status that it must get."""
    requests: Callable[[bytes], Iterable[pb.AnimateRequest] | AsyncIterator[pb.AnimateRequest]]
    """What is sent, given a good portrait."""

    async def run(self, channel: grpc.aio.Channel, portrait: bytes) -> Outcome:
        """Make the call."""
        return await outcome_of(channel, self.requests(portrait))


async def outcome_of(
    channel: grpc.aio.Channel,
    requests: Iterable[pb.AnimateRequest] | AsyncIterator[pb.AnimateRequest],
) -> Outcome:
    """Send requests, take what comes, say how it ended."""
    stub = AnimationServiceStub(channel)  # type: ignore[no-untyped-call]
    call, frames = stub.Animate(timeout=_SECONDS), 0
    writing = asyncio.create_task(_write(call, requests))
    try:
        while (response := await call.read()) is not _EOF:
            frames += response.HasField("frame")
    except AioRpcError as error:
        return Outcome(error.code().name, error.details() or "", frames)
    finally:
        writing.cancel()
    return Outcome("OK", "", frames)


async def _write(call: Any, requests: Iterable[Message] | AsyncIterator[Message]) -> None:
    async for request in _as_async(requests):
        if not await write_message(call, request):
            return
    await call.done_writing()


async def _as_async(requests: Iterable[Any] | AsyncIterator[Any]) -> AsyncIterator[Any]:
    if isinstance(requests, AsyncIterator):
        async for request in requests:
            yield request
        return
    for request in requests:
        yield request


def config(portrait: bytes, **fields: Any) -> pb.AnimateRequest:
    """The first message of a call."""
    return pb.AnimateRequest(config=pb.AnimateConfig(portrait=portrait, **fields))


def audio(data: bytes) -> pb.AnimateRequest:
    """A message of speech."""
    return pb.AnimateRequest(audio=data)


def _control(**fields: Any) -> pb.AnimateRequest:
    return pb.AnimateRequest(control=types.MotionControl(**fields))


def _picture(name: str, data: bytes) -> BadCall:
    return BadCall(name, "INVALID_ARGUMENT", lambda _: [config(data), audio(bytes(640))])


def _setting(name: str, **fields: Any) -> BadCall:
    return BadCall(
        name, "INVALID_ARGUMENT", lambda portrait: [config(portrait, **fields), audio(bytes(640))]
    )


def _follows(name: str, status: str, *requests: pb.AnimateRequest) -> BadCall:
    """After a good beginning."""
    return BadCall(name, status, lambda portrait: [config(portrait), audio(bytes(6400)), *requests])


def png(width: int, height: int, packed: bytes, colour: int = 2) -> bytes:
    """A PNG that says it has this size; its pixels are whatever `packed` unpacks to."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def packed_zeros(count: int) -> bytes:
    """So many zero bytes, a thousand times smaller."""
    packer = zlib.compressobj(9)
    blocks = [packer.compress(bytes(1 << 20)) for _ in range(count >> 20)]
    return b"".join([*blocks, packer.compress(bytes(count & (1 << 20) - 1)), packer.flush()])


def _webp(width: int, height: int) -> bytes:
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"VP8X" + struct.pack("<I", 10) + bytes(4) + size
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def _jpeg(width: int, height: int) -> bytes:
    frame = b"\xff\xc0\0\x11\x08" + struct.pack(">HH", height, width)
    components = b"\x03\x01\x22\0\x02\x11\x01\x03\x11\x01"
    scan = b"\xff\xda\0\x0c\x03\x01\0\x02\x11\x03\x11\0\x3f\0"
    return b"\xff\xd8" + frame + components + scan + bytes(100)


def _gif(width: int, height: int) -> bytes:
    return b"GIF89a" + struct.pack("<HH", width, height) + b"\x80\0\0" + bytes(6) + b"\x3b"


def _tiff(width: int, height: int) -> bytes:
    def tag(number: int, value: int) -> bytes:
        return struct.pack("<HHII", number, 4, 1, value)

    entries = tag(256, width) + tag(257, height) + tag(258, 8) + tag(262, 1)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", 4) + entries + bytes(4)


_FLOATS = types.AudioFormat(encoding=types.AUDIO_ENCODING_F32LE)
_WAV = types.AudioFormat(encoding=types.AUDIO_ENCODING_WAV)

BAD_CALLS = (
    _picture("PNG header of 50,000x50,000", png(50_000, 50_000, packed_zeros(1 << 16))),
    _picture("WebP header of 16 million x 200", _webp(1 << 24, 200)),
    _picture("JPEG header of 65,535x65,535", _jpeg(65_535, 65_535)),
    _picture("GIF header of 50,000x50,000", _gif(50_000, 50_000)),
    _picture("TIFF header of 50,000x50,000", _tiff(50_000, 50_000)),
    BadCall(
        "truncated JPEG",
        "INVALID_ARGUMENT",
        lambda portrait: [config(portrait[: len(portrait) // 2]), audio(bytes(640))],
    ),
    _setting("sample rate of 7 Hz", audio_format=types.AudioFormat(sample_rate_hz=7)),
    _setting("sample rate of 4 GHz", audio_format=types.AudioFormat(sample_rate_hz=2**32 - 1)),
    _setting("emotion intensity NaN", emotion_intensity=float("nan")),
    _setting("sampling steps 4,294,967,295", sampling_steps=2**32 - 1),
    _setting("pack name of 100 KB", pack="x" * 100_000),
    BadCall(
        "NaN speech",
        "INVALID_ARGUMENT",
        lambda portrait: [config(portrait, audio_format=_FLOATS), audio(_NAN * 1000)],
    ),
    BadCall(
        "WAV of a thousand empty chunks a KB",
        "INVALID_ARGUMENT",
        lambda portrait: [
            config(portrait, audio_format=_WAV),
            audio(b"RIFF\0\0\0\0WAVE" + b"junk\0\0\0\0" * 100_000),
        ],
    ),
    _follows("config twice", "FAILED_PRECONDITION", config(b"x")),
    BadCall("control before config", "FAILED_PRECONDITION", lambda _: [_control(mouth_gain=1)]),
    BadCall("speech before config", "FAILED_PRECONDITION", lambda _: [audio(bytes(640))]),
    BadCall("nothing at all", "FAILED_PRECONDITION", lambda _: []),
    _follows("empty message", "INVALID_ARGUMENT", pb.AnimateRequest()),
    _follows("control of NaN", "INVALID_ARGUMENT", _control(mouth_gain=float("nan"))),
    _follows("control of infinity", "INVALID_ARGUMENT", _control(yaw_offset_degrees=float("inf"))),
    _follows(
        "unknown blendshape of 100 KB",
        "INVALID_ARGUMENT",
        _control(blendshapes={"x" * 100_000: 1.0}),
    ),
    _follows(
        "interrupt at frame -1",
        "INVALID_ARGUMENT",
        pb.AnimateRequest(interrupt=pb.Interrupt(last_played_frame_index=-1)),
    ),
    _follows("speech message of 4 MiB", "INVALID_ARGUMENT", audio(bytes(4 << 20))),
)
"""Cheap ones, which a soak can mix in."""


def _pose_keys(portrait: bytes) -> list[pb.AnimateRequest]:
    control = types.MotionControl.FromString(b"\x8a\x01\x00" * 1_000_000)
    return [config(portrait), audio(bytes(6400)), pb.AnimateRequest(control=control)]


def _unpacking(_: bytes) -> list[pb.AnimateRequest]:
    rows = 5000 * (1 + 4 * 8000)
    return [config(png(8000, 5000, packed_zeros(rows), colour=6)), audio(bytes(640))]


COSTLY_CALLS = (
    BadCall("a message of a million empty pose keys", "INVALID_ARGUMENT", _pose_keys),
    BadCall("PNG of 155 KB that unpacks to 160 MB", "FAILED_PRECONDITION", _unpacking),
)
"""Those that are costly to make, or to refuse."""
