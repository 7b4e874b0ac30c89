"""What a token and the message around it may say: checked, bounded, refused by name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import grpc
import pytest

from ditto.errors import InvalidInputError, ResumeError
from ditto.v1 import animation_pb2 as pb
from ditto.v1 import types_pb2 as types
from ditto.v1.resume_pb2 import ResumeState
from gateway.resume.resume_token import MAX_TOKEN_BYTES, TokenSeal
from tests.gateway.cluster import Answer, Cluster, animate, config, running_cluster, speech, tone

SECRET = b"shared"


class Now:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.s = 1e9

    def __call__(self) -> float:
        return self.s


def test_a_token_is_read_by_whoever_has_the_secret() -> None:
    now = Now()
    token = TokenSeal(SECRET, 60, now).seal(ResumeState(call_id="c", encoder=b"e" * 1000))
    now.s += 59
    state = TokenSeal(SECRET, 60, now).open(token)
    assert (state.call_id, state.encoder) == ("c", b"e" * 1000)


@pytest.mark.parametrize("at", [0, 3, 4, 20, 36, 40, -1])
def test_an_altered_token_is_refused(at: int) -> None:
    seal = TokenSeal(SECRET, 60)
    token = bytearray(seal.seal(ResumeState(call_id="c", encoder=bytes(range(256)))))
    token[at] ^= 1
    with pytest.raises(InvalidInputError, match=r"resume\.token"):
        seal.open(bytes(token))


@pytest.mark.parametrize("length", [0, 1, 4, 35, 36, 37, 100])
def test_a_cut_token_is_refused(length: int) -> None:
    seal = TokenSeal(SECRET, 60)
    token = seal.seal(ResumeState(encoder=bytes(range(256))))
    with pytest.raises(InvalidInputError, match=r"resume\.token"):
        seal.open(token[:length])


def test_a_token_of_another_secret_is_refused() -> None:
    token = TokenSeal(b"another", 60).seal(ResumeState(call_id="c"))
    with pytest.raises(InvalidInputError, match="was not made by this cluster"):
        TokenSeal(SECRET, 60).open(token)


@pytest.mark.parametrize("later_s", [61, -61])
def test_a_token_lives_for_a_while(later_s: float) -> None:
    now = Now()
    seal = TokenSeal(SECRET, 60, now)
    token = seal.seal(ResumeState())
    now.s += later_s
    with pytest.raises(ResumeError, match="start a new call"):
        seal.open(token)


def test_a_state_that_is_too_large_gives_no_token() -> None:
    seal = TokenSeal(SECRET, 60)
    assert seal.seal(ResumeState(encoder=bytes(5 << 20))) == b""
    assert seal.seal(ResumeState(encoder=os.urandom(3 << 20))) == b""
    assert 0 < len(seal.seal(ResumeState(encoder=os.urandom(1 << 20)))) <= MAX_TOKEN_BYTES


async def _first_point(cluster: Cluster, **fields: Any) -> tuple[Answer, pb.ResumePoint]:
    """A call to its end, and its last resume point."""
    points: list[pb.ResumePoint] = []

    class Keeping(Answer):
        def take(self, response: pb.AnimateResponse) -> None:
            if response.HasField("resume_point"):
                points.append(response.resume_point)
            if response.WhichOneof("response"):
                super().take(response)

    call = cluster.stub.Animate(timeout=30)
    answer = Keeping()
    for request in [config(resume_interval_ms=100, **fields), *speech(tone(1.0))]:
        await call.write(request)
    await call.done_writing()
    while (response := await call.read()) is not grpc.aio.EOF:
        answer.take(response)
    return answer, points[-1]


def _again(point: pb.ResumePoint, **fields: Any) -> pb.AnimateRequest:
    said = {"token": point.token, "next_frame_index": 20, "speech_offset": point.speech_offset}
    return config(resume=pb.Resume(**{**said, **fields}))


async def test_points_come_in_the_interval_that_was_asked_for(tmp_path: Path) -> None:
    async with running_cluster(tmp_path) as cluster:
        cluster.stages["renderer"][0].faults.step_delay_s = 0.03
        answer, point = await _first_point(cluster)
        assert answer.started.resume_token
        assert point.token != answer.started.resume_token
        assert point.speech_offset > 0
        plain = await animate(cluster, [config(), *speech(tone(0.2))])
        assert not plain.started.resume_token
        refused = await animate(cluster, [config(resume_interval_ms=99)])
        assert refused.error is not None
        assert "resume_interval_ms" in str(refused.error.details())


@pytest.mark.parametrize(
    ("fields", "code", "word"),
    [
        ({"next_frame_index": -1}, "INVALID_ARGUMENT", "next_frame_index"),
        ({"next_frame_index": 1 << 40}, "INVALID_ARGUMENT", "next_frame_index"),
        ({"speech_offset": 7}, "INVALID_ARGUMENT", "speech_offset"),
        ({"token": b"DTR1" + bytes(100)}, "INVALID_ARGUMENT", "token"),
    ],
)
async def test_a_place_that_is_not_the_tokens_is_refused(
    cluster: Cluster, fields: dict[str, Any], code: str, word: str
) -> None:
    cluster.stages["renderer"][0].faults.step_delay_s = 0.02
    _, point = await _first_point(cluster)
    answer = await animate(cluster, [_again(point, **fields)])
    assert answer.error is not None
    assert answer.error.code() is grpc.StatusCode[code]
    assert answer.trailers["ditto-error-field"] == f"resume.{word}"
    assert await cluster.all_slots_free()


async def test_another_face_is_refused(cluster: Cluster) -> None:
    cluster.stages["renderer"][0].faults.step_delay_s = 0.02
    _, point = await _first_point(cluster)
    request = _again(point)
    request.config.portrait = b"another face"
    answer = await animate(cluster, [request])
    assert answer.error is not None
    assert answer.error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert answer.trailers["ditto-error-field"] == "portrait"
    request.config.ClearField("portrait")
    answer = await animate(cluster, [request])
    assert answer.trailers["ditto-error-field"] == "portrait"
    assert await cluster.all_slots_free()


async def test_another_version_of_the_pack_is_refused(cluster: Cluster) -> None:
    cluster.stages["renderer"][0].faults.step_delay_s = 0.02
    _, point = await _first_point(cluster)
    for stages in cluster.stages.values():
        object.__setattr__(stages[0].identity, "pack_hash", "upgraded")
    await cluster.poll()
    answer = await animate(cluster, [_again(point)])
    assert answer.error is not None
    assert answer.error.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert answer.trailers["ditto-error"] == "ResumeError"
    assert await cluster.all_slots_free()


async def test_a_token_of_another_tenant_is_refused(cluster: Cluster) -> None:
    store = cluster.gateway._store
    state = ResumeState(tenant="somebody", config=pb.AnimateConfig(pack="starter"))
    token = TokenSeal(store.secret, 60).seal(state)
    answer = await animate(cluster, [config(resume=pb.Resume(token=token))])
    assert answer.error is not None
    assert answer.error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "tenant" in str(answer.error.details())


async def test_the_limits_of_a_call_count_across_gateways(tmp_path: Path) -> None:
    async with running_cluster(tmp_path, speech_seconds=1.2) as cluster:
        cluster.stages["renderer"][0].faults.step_delay_s = 0.02
        _, point = await _first_point(cluster)
        answer = await animate(cluster, [_again(point), *speech(tone(2.0))])
        assert answer.error is not None
        assert answer.error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert answer.trailers["ditto-error"] == "CallLimitError"


async def test_calls_driven_by_motion_get_no_token(cluster: Cluster) -> None:
    block = types.FrameBlock(dim=265, data=bytes(4 * 265))
    request = config(driving=types.DRIVING_MOTION, resume_interval_ms=500)
    answer = await animate(cluster, [request, pb.AnimateRequest(motion=block)])
    assert answer.error is None
    assert not answer.started.resume_token
