"""One `Animate` call, message by message, and everything that came back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256

import grpc

from ditto.v1 import animation_pb2 as pb
from ditto.v1 import types_pb2
from ditto.v1.animation_pb2_grpc import AnimationServiceStub
from tests.e2e.portraits import astronaut, encoded

MESSAGE_BYTES = 16_000
TIMEOUT_S = 120
_OPTIONS = [("grpc.max_receive_message_length", 64 << 20)]


@dataclass
class Answer:
    """What a call gave."""

    started: pb.Started = field(default_factory=pb.Started)
    frames: list[pb.VideoFrame] = field(default_factory=list)
    chunks: list[pb.ContainerChunk] = field(default_factory=list)
    events: list[pb.Event] = field(default_factory=list)
    stats: pb.CallStats = field(default_factory=pb.CallStats)
    trailers: dict[str, str] = field(default_factory=dict)

    def take(self, response: pb.AnimateResponse) -> None:
        """Keep one response."""
        match response.WhichOneof("response"):
            case "started":
                self.started = response.started
            case "stats":
                self.stats = response.stats
            case "frame":
                self.frames.append(response.frame)
            case "chunk":
                self.chunks.append(response.chunk)
            case "event":
                self.events.append(response.event)

    @property
    def file(self) -> bytes:
        """The container's bytes."""
        return b"".join(chunk.data for chunk in self.chunks)

    @property
    def hashes(self) -> list[str]:
        """One a frame."""
        return [sha256(frame.data).hexdigest() for frame in self.frames]


def channel(address: str) -> grpc.Channel:
    """To any process of the cluster."""
    return grpc.insecure_channel(address, _OPTIONS)


def stub(address: str) -> AnimationServiceStub:
    """The public service at an address."""
    return AnimationServiceStub(channel(address))


def config(**fields: object) -> pb.AnimateConfig:
    """Settings of a call: the example portrait, S16LE, JPEG, unless said otherwise."""
    if not {"portrait", "avatar_id"} & set(fields):
        fields["portrait"] = encoded(astronaut(), "JPEG", quality=95)
    encoding = fields.pop("encoding", types_pb2.VIDEO_ENCODING_JPEG)
    fields.setdefault("video_format", types_pb2.VideoFormat(encoding=encoding))
    return pb.AnimateConfig(**fields)


def speak(
    settings: pb.AnimateConfig, speech: bytes, message_bytes: int = MESSAGE_BYTES
) -> Iterator[pb.AnimateRequest]:
    """The requests of an ordinary call."""
    yield pb.AnimateRequest(config=settings)
    for start in range(0, len(speech), message_bytes):
        yield pb.AnimateRequest(audio=speech[start : start + message_bytes])


def animate(address: str, requests: Iterable[pb.AnimateRequest]) -> Answer:
    """Make the call; raises `grpc.RpcError` when it fails."""
    answer = Answer()
    call = stub(address).Animate(iter(requests), timeout=TIMEOUT_S)
    for response in call:
        answer.take(response)
    answer.trailers = {key: str(value) for key, value in call.trailing_metadata()}
    return answer
