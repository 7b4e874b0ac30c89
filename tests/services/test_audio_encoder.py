"""The audio_encoder service as a real process with the starter pack's encoder."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Iterator

import grpc
import numpy as np
import pytest

from ditto import errors
from ditto.packs import load
from ditto.serving.errors import error_from_rpc
from ditto.v1 import types_pb2
from ditto.v1.audio_encoder_pb2 import EncodeConfig, EncodedFeatures, EncodeRequest
from ditto.v1.audio_encoder_pb2_grpc import AudioEncoderServiceStub
from tests.services.processes import ServiceProcess, serving
from tests.until import until
from tests.wav_file import wav_file

SLOTS = 2


@pytest.fixture(scope="module")
def service() -> Iterator[ServiceProcess]:
    with serving("audio_encoder", f"slots={SLOTS}", "idle_seconds=1.5") as running:
        yield running


def speech(seconds: float, seed: int = 0) -> bytes:
    """Noise that comes and goes, as S16LE at 16 kHz."""
    rng = np.random.default_rng(seed)
    count = int(16_000 * seconds)
    loud = np.abs(np.sin(np.arange(count) / 3000)) * 6000
    return (rng.normal(size=count) * loud).clip(-32768, 32767).astype("<i2").tobytes()


def cut(data: bytes, sizes: Iterable[int]) -> Iterator[bytes]:
    at = 0
    for size in sizes:
        yield data[at : at + size]
        at += size
    yield data[at:]


async def encode(
    service: ServiceProcess, pieces: Iterable[bytes], config: EncodeConfig | None = None
) -> list[EncodedFeatures]:
    """One whole session."""

    async def requests() -> AsyncIterator[EncodeRequest]:
        yield EncodeRequest(config=config or EncodeConfig(call_id="test"))
        for piece in pieces:
            yield EncodeRequest(audio=piece)

    async with service.channel() as channel:
        replies = [reply async for reply in AudioEncoderServiceStub(channel).Encode(requests())]
    assert replies[0].accepted.pack_hash == load("starter").hash
    return [reply.features for reply in replies if reply.HasField("features")]


async def refusal(service: ServiceProcess, *requests: EncodeRequest) -> errors.DittoError:
    async with service.channel() as channel:
        call = AudioEncoderServiceStub(channel).Encode(iter(requests))
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            _ = [reply async for reply in call]
    return error_from_rpc(failed.value, "audio_encoder")


def frames(replies: Iterable[EncodedFeatures]) -> np.ndarray:
    """All frames, after a check that they are numbered without gaps."""
    parts, expected = [], None
    for reply in replies:
        assert expected is None or reply.frames.first_frame == expected
        block = np.frombuffer(reply.frames.data, "<f4").reshape(-1, reply.frames.dim)
        expected = reply.frames.first_frame + len(block)
        parts.append(block)
    return np.concatenate(parts)


@pytest.fixture(scope="module")
def expected() -> np.ndarray:
    """Features of two seconds, encoded in this process."""
    encoder = load("starter").audio_encoder()
    samples = np.frombuffer(speech(2.03), "<i2").astype(np.float32) / 32768
    state, first = encoder.step(encoder.init_state(), samples)
    return np.concatenate([first, encoder.flush(state)[1]])


@pytest.mark.parametrize("sizes", [(), (1, 3, 6399, 1, 20_000), (1280,) * 50])
async def test_streamed_features_equal_those_of_the_whole(service, expected, sizes):
    replies = await encode(service, cut(speech(2.03), sizes))
    assert len(expected) == 51
    assert np.array_equal(frames(replies), expected)
    assert all(reply.timing.compute_us > 0 for reply in replies)


async def test_frames_come_as_soon_as_their_speech_is_in(service):
    needed_ms = (await service.status()).first_frame_audio_ms
    async with service.channel() as channel:
        call = AudioEncoderServiceStub(channel).Encode()
        await call.write(EncodeRequest(config=EncodeConfig()))
        await call.read()
        await call.write(EncodeRequest(audio=bytes(int(needed_ms * 32))))
        reply = await asyncio.wait_for(call.read(), 1)
        assert reply.features.frames.first_frame == 0
        call.cancel()


async def test_a_session_moves_to_another_by_its_checkpoint(service, expected):
    pieces = list(cut(speech(2.03), (5001,) * 8))
    replies = await encode(service, pieces)
    kept = replies[2]
    assert kept.checkpoint
    moved = EncodeConfig(checkpoint=kept.checkpoint)
    rest = await encode(service, pieces[kept.requests_taken :], moved)
    assert np.array_equal(frames([*replies[:3], *rest]), expected)


async def test_frames_inside_a_message_carry_no_checkpoint(service):
    replies = await encode(service, [speech(1.5), speech(0.5)])
    before_last_message = [reply for reply in replies if reply.requests_taken == 0]
    assert before_last_message
    assert not any(reply.checkpoint for reply in before_last_message)


async def test_a_checkpoint_of_something_else_is_a_typed_error(service):
    config = EncodeConfig(checkpoint=b"no checkpoint")
    error = await refusal(service, EncodeRequest(config=config))
    assert isinstance(error, errors.ProtocolError)
    assert "checkpoint" in str(error)


async def test_sessions_side_by_side_do_not_mix(service, expected):
    both = (encode(service, cut(speech(2.03, seed), (3200,) * 15)) for seed in (0, 1))
    mine, other = await asyncio.gather(*both)
    assert np.array_equal(frames(mine), expected)
    assert not np.array_equal(frames(other), expected)


async def test_a_wav_file_in_small_pieces(service):
    audio_format = types_pb2.AudioFormat(encoding=types_pb2.AUDIO_ENCODING_WAV)
    pieces = cut(wav_file(speech(3), 44_100, channels=2), (10, 20, 30, 5000))
    replies = await encode(service, pieces, EncodeConfig(audio_format=audio_format))
    seconds = len(speech(3)) / 4 / 44_100
    assert len(frames(replies)) == -(-seconds * 25 // 1)


async def test_no_speech_gives_no_frames(service):
    assert await encode(service, []) == []
    assert await encode(service, [b"", b""]) == []


@pytest.mark.parametrize(
    ("requests", "error", "said"),
    [
        ([EncodeRequest(audio=b"xx")], errors.ProtocolError, "config"),
        ([EncodeRequest()], errors.ProtocolError, "config"),
        ([EncodeRequest(config=EncodeConfig())] * 2, errors.ProtocolError, "audio"),
        (
            [EncodeRequest(config=EncodeConfig(audio_format={"sample_rate_hz": 1}))],
            errors.InvalidInputError,
            "audio_format.sample_rate_hz",
        ),
        (
            [EncodeRequest(config=EncodeConfig(audio_format={"encoding": 77}))],
            errors.InvalidInputError,
            "audio_format.encoding",
        ),
        (
            [
                EncodeRequest(config=EncodeConfig(audio_format={"encoding": 5})),
                EncodeRequest(audio=np.full(9, np.nan, "<f4").tobytes()),
            ],
            errors.InvalidInputError,
            "NaN",
        ),
    ],
)
async def test_wrong_requests_are_typed_errors(service, requests, error, said):
    arrived = await refusal(service, *requests)
    assert isinstance(arrived, error)
    assert said in str(arrived)


async def hold_slots(channel: grpc.aio.Channel, count: int) -> list[grpc.aio.StreamStreamCall]:
    calls = [AudioEncoderServiceStub(channel).Encode() for _ in range(count)]
    for call in calls:
        await call.write(EncodeRequest(config=EncodeConfig()))
        assert (await call.read()).HasField("accepted")
    return calls


async def free_slots_become(service: ServiceProcess, count: int) -> None:
    async def reached() -> bool:
        return (await service.status()).free_slots == count

    await until(reached, timeout_s=1)


async def test_slots_are_bounded_and_a_cancelled_call_frees_its_own(service):
    async with service.channel() as channel:
        calls = await hold_slots(channel, SLOTS)
        assert (await service.status()).live_sessions == SLOTS
        error = await refusal(service, EncodeRequest(config=EncodeConfig()))
        assert isinstance(error, errors.AtCapacityError)
        assert error.retry_after_ms > 0
        calls[0].cancel()
        await free_slots_become(service, 1)
        calls[1].cancel()
        await free_slots_become(service, SLOTS)


async def test_a_vanished_channel_frees_its_slots(service):
    async with service.channel() as channel:
        await hold_slots(channel, SLOTS)
    await free_slots_become(service, SLOTS)


async def test_an_idle_session_is_ended_with_a_typed_error(service):
    async with service.channel() as channel:
        (call,) = await hold_slots(channel, 1)
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await asyncio.wait_for(call.read(), 5)
    assert isinstance(error_from_rpc(failed.value, ""), errors.CallLimitError)
    await free_slots_become(service, SLOTS)


async def test_status_and_metrics_say_what_runs(service):
    status = await service.status()
    assert (status.module, status.pack, status.frame_rate) == ("audio_encoder", "starter", 25)
    assert (status.first_frame_audio_ms, status.hop_ms) == (280, 200)
    page = service.metrics()
    assert 'ditto_rtf_count{module="audio_encoder"}' in page
    assert f'pack_hash="{status.pack_hash}"' in page


async def is_draining(service: ServiceProcess) -> bool:
    return (await service.status()).draining


async def test_a_draining_process_finishes_what_is_live_and_takes_nothing_new():
    with serving("audio_encoder") as service:
        async with service.channel() as channel, service.channel() as other:
            (call,) = await hold_slots(channel, 1)
            (waiting,) = await hold_slots(other, 1)
            stopping = asyncio.create_task(asyncio.to_thread(service.terminate))
            await until(lambda: is_draining(service))
            error = await refusal(service, EncodeRequest(config=EncodeConfig()))
            assert isinstance(error, errors.StageUnavailableError)
            waiting.cancel()
            await call.write(EncodeRequest(audio=speech(1)))
            await call.done_writing()
            replies = []
            while (reply := await call.read()) is not grpc.aio.EOF:
                replies.append(reply.features)
            assert len(frames(replies)) == 25
        status, logged = await stopping
    assert status == 0
    assert "draining" in [json.loads(line)["message"] for line in logged.splitlines()]
