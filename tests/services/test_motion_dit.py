"""The motion_dit service over real gRPC, with a generator whose motion can be foretold."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, replace
from types import SimpleNamespace

import grpc
import numpy as np
import pytest

from ditto import errors
from ditto.local_cluster.ports import free_port
from ditto.motion.layout import MOTION_DIM, unpack
from ditto.serving.errors import error_from_rpc
from ditto.serving.frames import block_of
from ditto.serving.server import ProcessServer
from ditto.stages import FaceIdentity, MotionSettings
from ditto.v1 import types_pb2
from ditto.v1.motion_dit_pb2 import GenerateConfig, GeneratedMotion, GenerateRequest
from ditto.v1.motion_dit_pb2_grpc import MotionDitServiceStub
from services.motion_dit import loader
from services.motion_dit.config import MotionDitConfig

FEATURE_DIM = 4


@dataclass(frozen=True)
class EchoState:
    """The sum of all that came before, so that a lost or doubled frame shows."""

    waiting: np.ndarray
    total: float
    seed: int


@dataclass(frozen=True)
class Echo:
    """Motion whose scale is the running sum of the features' first column, plus the seed."""

    feature_dim: int = FEATURE_DIM
    segment_frames: int = 5

    def init_state(self, identity: FaceIdentity, settings: MotionSettings) -> EchoState:
        if settings.sampling_steps is not None and settings.sampling_steps > 10:
            raise errors.InvalidInputError("sampling_steps", "allowed: 1 to 10")
        return EchoState(np.zeros((0, self.feature_dim), np.float32), 0.0, settings.seed)

    def step(self, state: EchoState, features: np.ndarray) -> tuple[EchoState, np.ndarray | None]:
        waiting = np.concatenate([state.waiting, features])
        ready = len(waiting) // self.segment_frames * self.segment_frames
        return self._emit(replace(state, waiting=waiting[ready:]), waiting[:ready])

    def flush(self, state: EchoState) -> tuple[EchoState, np.ndarray | None]:
        return self._emit(replace(state, waiting=state.waiting[:0]), state.waiting)

    def _emit(self, state: EchoState, rows: np.ndarray) -> tuple[EchoState, np.ndarray | None]:
        if not len(rows):
            return state, None
        sums = state.total + np.cumsum(rows[:, 0], dtype=np.float64)
        motion = np.zeros((len(rows), MOTION_DIM), np.float32)
        motion[:, 0] = sums + state.seed
        return replace(state, total=float(sums[-1])), motion


class Served:
    """The service in this process, on a real port."""

    def __init__(self, slots: int = 2) -> None:
        self.address = f"127.0.0.1:{free_port()}"
        metrics = f"127.0.0.1:{free_port()}"
        self.config = MotionDitConfig(
            listen=self.address, metrics_listen=metrics, slots=slots, drain_seconds=0.1
        )

    async def __aenter__(self) -> Served:
        self.server = ProcessServer(self.config)
        await self.server.start()
        await self.server.serve(loader.make_load(self.config))
        self.channel = grpc.aio.insecure_channel(self.address)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.channel.close()
        await self.server.stop()

    async def run(self, *requests: GenerateRequest) -> list[GeneratedMotion]:
        async def sent() -> AsyncIterator[GenerateRequest]:
            for request in requests:
                yield request

        call = MotionDitServiceStub(self.channel).Generate(sent())
        replies = [reply async for reply in call]
        assert replies[0].accepted.pack_hash == "hash-1"
        return [reply.motion for reply in replies if reply.HasField("motion")]

    async def refusal(self, *requests: GenerateRequest) -> errors.DittoError:
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await self.run(*requests)
        return error_from_rpc(failed.value, "motion_dit")


@pytest.fixture(autouse=True)
def echo_pack(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pack around the echo, in place of the starter pack."""
    manifest = SimpleNamespace(name="echo", version="1", frame_rate=25)
    pack = SimpleNamespace(manifest=manifest, hash="hash-1", motion_generator=Echo)
    monkeypatch.setattr(loader, "load_pack", lambda name, options: pack)


def config(**changes: object) -> GenerateRequest:
    identity = types_pb2.FaceIdentity(
        canonical_keypoints=[0.0] * 63, reference_motion=[0.0] * MOTION_DIM, eye_state=[0.3] * 8
    )
    fields = {"call_id": "test", "identity": identity, "emotion_intensity": 1.0, **changes}
    return GenerateRequest(config=GenerateConfig(**fields))


def features(first: int, count: int) -> GenerateRequest:
    rows = np.ones((count, FEATURE_DIM), np.float32)
    return GenerateRequest(features=block_of(first, rows))


def in_blocks(*counts: int, start: int = 0) -> list[GenerateRequest]:
    requests = []
    for count in counts:
        requests.append(features(start, count))
        start += count
    return requests


def control(**fields: object) -> GenerateRequest:
    return GenerateRequest(control=types_pb2.MotionControl(**fields))


def frames(replies: Iterable[GeneratedMotion]) -> np.ndarray:
    """All frames, after a check that they are numbered without gaps."""
    parts, expected = [], 0
    for reply in replies:
        assert reply.frames.first_frame == expected
        parts.append(np.frombuffer(reply.frames.data, "<f4").reshape(-1, MOTION_DIM))
        expected += len(parts[-1])
    return np.concatenate(parts)


@pytest.mark.parametrize("counts", [(23,), (1,) * 23, (5, 10, 8), (0, 7, 0, 16)])
async def test_every_feature_frame_gets_its_motion_frame(counts):
    async with Served() as served:
        motion = frames(await served.run(config(seed=100), *in_blocks(*counts)))
    assert motion[:, 0] == pytest.approx(100 + np.arange(1, 24))


async def test_a_session_moves_to_another_by_its_checkpoint():
    requests = [*in_blocks(4, 4, 4), control(mouth_gain=0.5), *in_blocks(8, 3, start=12)]
    async with Served() as served:
        whole = await served.run(config(), *requests)
        kept = next(reply for reply in whole if reply.frames.first_frame == 5)
        assert kept.requests_taken == 3
        moved = config(checkpoint=kept.checkpoint)
        rest = await served.run(moved, *requests[kept.requests_taken :])
    assert np.array_equal(frames([*whole[:2], *rest]), frames(whole))


async def test_only_whole_messages_are_covered_by_a_checkpoint():
    async with Served() as served:
        replies = await served.run(config(), features(0, 12), features(12, 3))
    assert [bool(reply.checkpoint) for reply in replies] == [False, False, True]
    assert [reply.requests_taken for reply in replies] == [0, 0, 2]


async def test_a_control_shapes_the_frames_from_its_own_on():
    async with Served() as served:
        requests = [config(), features(0, 10), control(pitch_offset_degrees=10, from_frame=15)]
        replies = await served.run(*requests, features(10, 30))
    pitch = unpack(frames(replies)).pitch
    assert pitch[:15] == pytest.approx(np.full(15, pitch[0]))
    assert 0 < pitch[15] - pitch[0] < 1
    assert pitch[25:] - pitch[0] == pytest.approx(10, abs=0.01)


async def test_a_control_without_a_frame_begins_with_the_next_one():
    async with Served() as served:
        replies = await served.run(
            config(), features(0, 5), control(pitch_offset_degrees=10), features(5, 15)
        )
    pitch = unpack(frames(replies)).pitch
    assert pitch[4] == pitch[0]
    assert pitch[5] > pitch[0]


async def test_the_first_control_holds_from_the_first_frame_on():
    first = types_pb2.MotionControl(pitch_offset_degrees=10)
    async with Served() as served:
        plain = frames(await served.run(config(), features(0, 5)))
        shaped = frames(await served.run(config(control=first), features(0, 5)))
    assert unpack(shaped).pitch - unpack(plain).pitch == pytest.approx([10] * 5, abs=0.01)


@pytest.mark.parametrize(
    ("requests", "error", "said"),
    [
        ([features(0, 5)], errors.ProtocolError, "config"),
        ([config(), config()], errors.ProtocolError, "features"),
        ([config(), features(1, 5)], errors.ProtocolError, "frame 0 comes next"),
        ([config(), features(0, 5), features(4, 5)], errors.ProtocolError, "frame 5"),
        ([config(checkpoint=b"x" * 99)], errors.ProtocolError, "checkpoint"),
        ([config(identity=types_pb2.FaceIdentity())], errors.InvalidInputError, "identity"),
        ([config(emotion=99)], errors.InvalidInputError, "emotion"),
        ([config(sampling_steps=11)], errors.InvalidInputError, "sampling_steps"),
        ([config(), control(mouth_gain=3)], errors.InvalidInputError, "control.mouth_gain"),
        (
            [
                config(),
                GenerateRequest(features=block_of(0, np.full((5, FEATURE_DIM), np.inf))),
            ],
            errors.InvalidInputError,
            "finite",
        ),
        (
            [config(), GenerateRequest(features=block_of(0, np.zeros((5, 3))))],
            errors.InvalidInputError,
            "takes 4",
        ),
    ],
)
async def test_wrong_requests_are_typed_errors_and_the_next_call_is_well(requests, error, said):
    async with Served(slots=1) as served:
        arrived = await served.refusal(*requests)
        assert isinstance(arrived, error)
        assert said in str(arrived)
        assert len(frames(await served.run(config(), features(0, 5)))) == 5
