"""The Python client against a real gateway before fake stages, both the blocking and the async."""

from __future__ import annotations

import asyncio
import io
import threading
import time
import wave
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import av
import pytest

from ditto.client import (
    AsyncClient,
    Call,
    Client,
    Event,
    EventKind,
    Frame,
    in_real_time,
)
from ditto.client.call_memory import CallMemory
from ditto.client.outgoing import Outgoing
from ditto.errors import (
    AtCapacityError,
    AvatarNotFoundError,
    CallLimitError,
    FaceError,
    InvalidInputError,
    ProtocolError,
    StageUnavailableError,
)
from ditto.v1 import animation_pb2 as pb
from ditto.v1 import types_pb2 as types
from tests.gateway.cluster import Cluster, running_cluster, tone
from tests.gateway.fake_stages import loudness
from tests.gateway.live_gateway import live_gateway


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A gateway with fake stages in a thread."""
    with live_gateway(tmp_path_factory.mktemp("gateway"), idle_seconds=2) as cluster:
        yield cluster


@pytest.fixture
def client(gateway: Cluster) -> Iterator[Client]:
    """A blocking client."""
    with Client(gateway.address) as connected:
        yield connected


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A portrait and one second of speech."""
    portrait, speech = tmp_path / "portrait.jpg", tmp_path / "speech.wav"
    portrait.write_bytes(b"face")
    speech.write_bytes(_wav(tone(1.0, 4000)))
    return portrait, speech


def _wav(pcm: bytes) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        out.writeframes(pcm)
    return file.getvalue()


def test_files_to_frames(client: Client, files: tuple[Path, Path]) -> None:
    call = client.animate(*files, seed=3, emotion="happy", view="head", quality=70)
    assert call.started.config.seed == 3
    assert call.started.config.emotion == types.EMOTION_HAPPY
    assert call.started.config.video_format.quality == 70
    items = list(call)
    frames = [item for item in items if isinstance(item, Frame)]
    assert [frame.index for frame in frames] == list(range(25))
    assert [frame.pts_seconds for frame in frames][:3] == [0.0, 0.04, 0.08]
    assert frames[2].speech_sample_offset == 1280
    assert loudness(frames[0].data) == 4000
    events = [item for item in items if isinstance(item, Event)]
    assert [(event.kind, event.frame_index) for event in events] == [
        (EventKind.SPEECH_STARTED, 0),
        (EventKind.SPEECH_ENDED, 24),
    ]
    assert call.stats is not None
    assert call.stats.frames == 25


def test_files_to_mp4(client: Client, files: tuple[Path, Path], tmp_path: Path) -> None:
    client.animate(*files, video="mp4").save(tmp_path / "talking.mp4")
    with av.open(str(tmp_path / "talking.mp4")) as file:
        assert sum(1 for _ in file.decode(video=0)) == 25


@pytest.mark.parametrize("kind", ["wav bytes", "pcm bytes", "pieces", "8 kHz pieces"])
def test_speech_of_any_source(client: Client, kind: str) -> None:
    pcm = tone(1.0, 4000)
    speech = {
        "wav bytes": _wav(pcm),
        "pcm bytes": pcm,
        "pieces": (pcm[at : at + 100] for at in range(0, len(pcm), 100)),
        "8 kHz pieces": iter([pcm[:8000], pcm[:8000]]),
    }[kind]
    rate_hz = 8000 if kind.startswith("8") else 16_000
    call = client.animate(b"face", speech, sample_rate_hz=rate_hz)
    frames = [item for item in call if isinstance(item, Frame)]
    assert len(frames) == 25
    assert loudness(frames[10].data) == pytest.approx(4000, rel=0.01)


def test_a_conversation(client: Client) -> None:
    call = client.animate(b"face", pacing="realtime")
    call.speak(tone(20.0, 1000))
    call.control(mouth_gain=1.5)
    frames = []
    for item in call:
        if isinstance(item, Frame):
            frames.append(item)
            if len(frames) == 5:
                call.interrupt()
        elif item.kind is EventKind.INTERRUPTED:
            call.speak(tone(0.4, 2000))
            call.end()
    assert loudness(frames[-1].data) == 3000  # 2000, spoken with a wider mouth
    assert len(frames) < 60
    assert call.stats is not None
    assert call.stats.speech_seconds == pytest.approx(20.4)


def test_leaving_a_call_frees_it_and_its_threads(gateway: Cluster, client: Client) -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield tone(0.2)

    before = threading.active_count()
    for _ in range(5):
        with client.animate(b"face", endless()) as call:
            next(iter(call))
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and (threading.active_count() > before or _live(gateway)):
        time.sleep(0.02)
    assert threading.active_count() <= before
    assert not _live(gateway)


def _live(gateway: Cluster) -> int:
    return sum(stage.slots.live for stages in gateway.stages.values() for stage in stages)


def test_an_avatar_from_registration_to_deletion(client: Client, files: tuple[Path, Path]) -> None:
    avatar = client.register(files[0])
    assert client.avatar(avatar.avatar_id) == avatar
    assert len([i for i in client.animate(avatar, files[1]) if isinstance(i, Frame)]) == 25
    client.delete(avatar)
    with pytest.raises(AvatarNotFoundError, match=avatar.avatar_id):
        client.avatar(avatar.avatar_id)


def test_info(client: Client) -> None:
    info = client.info()
    assert info.packs[0].name == "starter"
    assert info.limits.idle_seconds == 2


def test_errors_are_those_that_the_server_raised(client: Client) -> None:
    with pytest.raises(FaceError, match="no face was found"):
        client.animate(b"no face", tone(0.1))
    with pytest.raises(InvalidInputError, match="1 to 50") as refusal:
        client.animate(b"face", tone(0.1), sampling_steps=99)
    assert refusal.value.field == "sampling_steps"
    assert refusal.value.problem == "is 99; allowed: 1 to 50"
    with pytest.raises(ProtocolError, match="comes first, once"):
        list(_configured_twice(client))
    with pytest.raises(InvalidInputError, match="RIFF"):
        list(client.animate(b"face", b"RIFFnot so"))
    with pytest.raises(CallLimitError, match="idle_seconds"):
        list(client.animate(b"face"))


def _configured_twice(client: Client) -> Call:
    call = client.animate(b"face")
    call._outgoing.put(pb.AnimateRequest(config=pb.AnimateConfig()))
    return call


def test_a_full_server_says_when_to_come_back(client: Client) -> None:
    calls = [client.animate(b"face", pacing="realtime") for _ in range(4)]
    with pytest.raises(AtCapacityError) as refusal:
        client.animate(b"face", tone(0.1))
    assert refusal.value.retry_after_ms > 0
    for call in calls:
        call.cancel()


def test_no_server() -> None:
    with Client("127.0.0.1:1") as client, pytest.raises(StageUnavailableError):
        client.info()


@pytest.mark.parametrize(
    ("options", "field"),
    [({"video": "gif"}, "video"), ({"emotion": "bored"}, "emotion"), ({"view": "feet"}, "view")],
)
def test_names_that_are_not_known(client: Client, options: dict[str, str], field: str) -> None:
    with pytest.raises(InvalidInputError, match=f"{field}: .*allowed"):
        client.animate(b"face", tone(0.1), **options)  # type: ignore[arg-type]


def test_a_control_that_does_not_exist(client: Client) -> None:
    with client.animate(b"face") as call, pytest.raises(InvalidInputError, match="mouth_gain"):
        call.control(nose_gain=1.0)


def test_an_error_in_the_speech_source_is_the_one_that_is_raised(client: Client) -> None:
    def broken() -> Iterator[bytes]:
        yield tone(1.0)
        raise OSError("the microphone is gone")

    with pytest.raises(OSError, match="microphone"):
        list(client.animate(b"face", broken()))


def test_in_real_time_takes_as_long_as_the_speech(files: tuple[Path, Path]) -> None:
    begun = time.monotonic()
    pcm = b"".join(in_real_time(files[1]))
    assert time.monotonic() - begun >= 0.99
    assert len(pcm) == 32_000


def test_outgoing_requests_wait_for_room_and_let_go_when_closed() -> None:
    outgoing = Outgoing(CallMemory(pb.AnimateConfig(), is_kept=False))
    line = outgoing.line()
    outgoing.follow(line)
    writer = threading.Thread(
        target=lambda: [outgoing.put(pb.AnimateRequest(audio=b"12")) for _ in range(100)],
        daemon=True,
    )
    writer.start()
    for _ in range(50):
        next(line)
    writer.join(0.1)
    assert writer.is_alive()
    outgoing.close()
    writer.join(5)
    assert not writer.is_alive()
    assert list(line) == []


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
