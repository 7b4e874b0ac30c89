"""The renderer service as real processes with the starter pack's renderer and a real Redis."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass

import av
import cv2
import grpc
import numpy as np
import pytest

from ditto import errors
from ditto.packs import load
from ditto.serving.errors import error_from_rpc
from ditto.serving.frames import block_of
from ditto.v1 import types_pb2
from ditto.v1.renderer_pb2 import (
    DropPortraitRequest,
    PreparePortraitRequest,
    PreparePortraitResponse,
    RenderAccepted,
    RenderConfig,
    RenderedFrame,
    RenderRequest,
)
from ditto.v1.renderer_pb2_grpc import RendererServiceStub
from services.renderer.config import RendererConfig
from services.renderer.drawn_face import draw_face
from tests.redis_process import RedisProcess
from tests.services.processes import ServiceProcess, serving

JPEG, RGB24, H264 = (
    types_pb2.VIDEO_ENCODING_JPEG,
    types_pb2.VIDEO_ENCODING_RGB24,
    types_pb2.VIDEO_ENCODING_H264_FMP4,
)
SLOTS = 2


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisProcess]:
    server = RedisProcess(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="module")
def service(redis: RedisProcess) -> Iterator[ServiceProcess]:
    with serving("renderer", f"redis_url={redis.url}", f"slots={SLOTS}") as running:
        yield running


@pytest.fixture(scope="module")
def twin(redis: RedisProcess) -> Iterator[ServiceProcess]:
    """A second replica, with the same Redis and no room of its own."""
    with serving("renderer", f"redis_url={redis.url}", "cache_local_bytes=0") as running:
        yield running


def portrait(tint: int = 0, size: tuple[int, int] = (512, 512)) -> bytes:
    """A drawn face as a PNG file; another tint is another portrait."""
    image = draw_face()
    image[:20] = tint
    framed = np.full((size[1], size[0], 3), 160, np.uint8)
    framed[:512, :512] = image
    return cv2.imencode(".png", framed[..., ::-1])[1].tobytes()


async def prepare(service: ServiceProcess, image: bytes) -> PreparePortraitResponse:
    async with service.channel() as channel:
        request = PreparePortraitRequest(portrait=image)
        return await RendererServiceStub(channel).PreparePortrait(request)


def motion_of(prepared: PreparePortraitResponse, frames: int) -> np.ndarray:
    """The portrait at rest, its jaw slowly opening."""
    motion = np.repeat(np.array([prepared.identity.reference_motion], np.float32), frames, axis=0)
    motion[:, 202 + 3 * 19 + 1] += np.linspace(0, 0.03, frames)
    return motion


@dataclass
class Rendered:
    """What one session gave."""

    accepted: RenderAccepted
    frames: list[RenderedFrame]
    was_asked: bool


async def render(
    service: ServiceProcess,
    content_key: str,
    *blocks: tuple[int, np.ndarray],
    image: bytes | None = None,
    encoding: types_pb2.VideoEncoding = JPEG,
    view: types_pb2.View = types_pb2.VIEW_HEAD,
) -> Rendered:
    """One whole session."""
    config = RenderConfig(
        call_id="test",
        content_key=content_key,
        video_format=types_pb2.VideoFormat(encoding=encoding),
        view=view,
    )
    async with service.channel() as channel:
        call = RendererServiceStub(channel).Render()
        await call.write(RenderRequest(config=config))
        first = await call.read()
        was_asked = first.HasField("portrait_needed")
        if was_asked:
            assert image is not None, "the portrait was asked for"
            await call.write(RenderRequest(portrait=image))
            first = await call.read()
        for first_frame, motion in blocks:
            await call.write(RenderRequest(motion=block_of(first_frame, motion)))
        await call.done_writing()
        frames = []
        while (reply := await call.read()) is not grpc.aio.EOF:
            frames.append(reply.frame)
    return Rendered(first.accepted, frames, was_asked)


async def refusal(awaitable) -> errors.DittoError:
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await awaitable
    return error_from_rpc(failed.value, "renderer")


def decoded(frame: RenderedFrame) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(frame.data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    return cv2.PSNR(np.ascontiguousarray(one), np.ascontiguousarray(other))


@pytest.fixture(scope="module")
def wanted() -> list[np.ndarray]:
    """Six frames rendered in this process."""
    renderer = load("starter").renderer()
    face = renderer.prepare(cv2.imdecode(np.frombuffer(portrait(), np.uint8), 1)[..., ::-1])
    prepared = PreparePortraitResponse()
    prepared.identity.reference_motion.extend(face.identity.reference_motion.tolist())
    return [renderer.render_head(face.appearance, row) for row in motion_of(prepared, 6)]


async def test_preparing_once_is_enough_for_every_replica(service, twin):
    image = portrait(tint=1)
    first, again = await prepare(service, image), await prepare(service, image)
    elsewhere = await prepare(twin, image)
    assert [each.source for each in (first, again, elsewhere)] == ["computed", "local", "redis"]
    assert first.prepare_ms > 0
    assert again.prepare_ms == elsewhere.prepare_ms == 0
    assert len({each.content_key for each in (first, again, elsewhere)}) == 1
    assert first.identity == again.identity == elsewhere.identity
    assert 'ditto_cache_requests_total{result="hit",tier="redis"}' in twin.metrics()


def portraits_prepared(service: ServiceProcess) -> float:
    (line,) = (
        line
        for line in service.metrics().splitlines()
        if line.startswith("ditto_prepare_seconds_count")
    )
    return float(line.split()[-1])


async def test_portraits_asked_for_together_are_prepared_once(service):
    before = portraits_prepared(service)
    image = portrait(tint=2)
    answers = await asyncio.gather(*(prepare(service, image) for _ in range(5)))
    assert {each.source for each in answers} == {"computed"}
    assert portraits_prepared(service) == before + 1


async def test_more_portraits_than_may_wait_are_refused(service):
    images = [portrait(tint=100 + number) for number in range(12)]
    answers = await asyncio.gather(
        *(prepare(service, image) for image in images), return_exceptions=True
    )
    refused = [answer for answer in answers if isinstance(answer, grpc.aio.AioRpcError)]
    most = RendererConfig.model_fields["pending_portraits"].default
    assert 1 <= len(refused) <= 12 - most
    assert {error.code() for error in refused} == {grpc.StatusCode.RESOURCE_EXHAUSTED}


async def test_another_image_has_another_key(service):
    one, other = await prepare(service, portrait(tint=3)), await prepare(service, portrait(tint=4))
    assert one.content_key != other.content_key


@pytest.mark.parametrize("cuts", [(6,), (1,) * 6, (2, 4)])
async def test_raw_frames_are_those_of_the_renderer_in_order(service, wanted, cuts):
    prepared = await prepare(service, portrait())
    motion, blocks, at = motion_of(prepared, 6), [], 0
    for count in cuts:
        blocks.append((at, motion[at : at + count]))
        at += count
    result = await render(service, prepared.content_key, *blocks, encoding=RGB24)
    assert [frame.index for frame in result.frames] == list(range(6))
    for frame, image in zip(result.frames, wanted, strict=True):
        raw = np.frombuffer(frame.data, np.uint8).reshape(512, 512, 3)
        error = np.abs(raw.astype(int) - image)
        assert error.max() <= 1  # two processes may round a tie differently
        assert np.count_nonzero(error) <= 12
        assert frame.timing.compute_us > 0
    assert (result.accepted.width, result.accepted.height) == (512, 512)
    assert result.accepted.source == "local"


async def test_jpeg_frames_look_like_the_raw_ones(service, wanted):
    prepared = await prepare(service, portrait())
    result = await render(service, prepared.content_key, (0, motion_of(prepared, 6)))
    assert all(
        psnr(decoded(frame), image) > 33 for frame, image in zip(result.frames, wanted, strict=True)
    )


async def test_h264_starts_with_a_keyframe_at_whatever_frame_it_starts(service, wanted):
    prepared = await prepare(service, portrait())
    motion = motion_of(prepared, 6)
    result = await render(service, prepared.content_key, (40, motion), encoding=H264)
    assert [frame.index for frame in result.frames] == list(range(40, 46))
    assert [frame.keyframe for frame in result.frames] == [True] + [False] * 5
    codec = av.CodecContext.create("h264", "r")
    packets = [av.Packet(frame.data) for frame in result.frames]
    pictures = [picture for packet in [*packets, None] for picture in codec.decode(packet)]
    assert len(pictures) == 6
    for picture, image in zip(pictures, wanted, strict=True):
        assert psnr(picture.to_ndarray(format="rgb24"), image) > 30


async def test_the_full_view_has_the_size_of_the_portrait(service):
    image = portrait(size=(700, 600))
    prepared = await prepare(service, image)
    assert (prepared.width, prepared.height) == (700, 600)
    blocks = (0, motion_of(prepared, 2))
    result = await render(service, prepared.content_key, blocks, view=types_pb2.VIEW_FULL)
    assert (result.accepted.width, result.accepted.height) == (700, 600)
    assert decoded(result.frames[1]).shape == (600, 700, 3)


async def test_a_lost_appearance_is_asked_for_again(service, twin):
    image = portrait(tint=5)
    prepared = await prepare(service, image)
    async with service.channel() as channel:
        request = DropPortraitRequest(content_key=prepared.content_key)
        await RendererServiceStub(channel).DropPortrait(request)
    blocks = (0, motion_of(prepared, 2))
    for replica in (service, twin):
        result = await render(replica, prepared.content_key, blocks, image=image)
        assert len(result.frames) == 2
        assert result.was_asked == (replica is service)
    again = await render(service, prepared.content_key, blocks)
    assert not again.was_asked


async def test_the_wrong_portrait_is_refused(service):
    error = await refusal(render(service, "0" * 64, image=portrait()))
    assert isinstance(error, errors.InvalidInputError)
    assert error.field == "portrait"


@pytest.mark.parametrize(
    ("image", "error"),
    [
        (b"", errors.InvalidInputError),
        (b"no image", errors.InvalidInputError),
        (portrait()[:3000], errors.InvalidInputError),
        (cv2.imencode(".png", np.full((300, 300, 3), 90, np.uint8))[1].tobytes(), errors.FaceError),
        (b"\x89PNG\r\n\x1a\n" + bytes(25 << 20), errors.InvalidInputError),
    ],
    ids=["empty", "text", "truncated", "no-face", "too-large"],
)
async def test_unusable_portraits_are_typed_errors(service, image, error):
    assert isinstance(await refusal(prepare(service, image)), error)


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"view": 9}, errors.InvalidInputError, "view"),
        ({"encoding": 9}, errors.InvalidInputError, "video_format.encoding"),
    ],
)
async def test_settings_outside_the_contract_are_named(service, changes, error, said):
    prepared = await prepare(service, portrait())
    arrived = await refusal(render(service, prepared.content_key, **changes))
    assert isinstance(arrived, error)
    assert said in str(arrived)


async def test_gaps_and_repeats_in_the_motion_are_refused(service):
    prepared = await prepare(service, portrait())
    motion = motion_of(prepared, 2)
    for second in (1, 3):
        session = render(service, prepared.content_key, (0, motion), (second, motion))
        assert isinstance(await refusal(session), errors.ProtocolError)


async def test_requests_in_the_wrong_order_are_refused(service):
    motion = RenderRequest(motion=block_of(0, np.zeros((1, 265), np.float32)))
    config = RenderRequest(config=RenderConfig(content_key="1" * 64))
    async with service.channel() as channel:
        stub = RendererServiceStub(channel)
        for requests in ([motion], [config, motion], [config]):

            async def read_all(requests=requests) -> None:
                _ = [reply async for reply in stub.Render(iter(requests))]

            assert isinstance(await refusal(read_all()), errors.ProtocolError)


async def test_a_cancelled_session_frees_its_slot_at_once(service):
    prepared = await prepare(service, portrait())
    request = RenderRequest(config=RenderConfig(content_key=prepared.content_key))
    async with service.channel() as channel:
        calls = [RendererServiceStub(channel).Render() for _ in range(SLOTS)]
        for call in calls:
            await call.write(request)
            await call.read()
            await call.write(RenderRequest(motion=block_of(0, motion_of(prepared, 100))))
            await call.read()
        full = await refusal(render(service, prepared.content_key))
        assert isinstance(full, errors.AtCapacityError)
        for call in calls:
            call.cancel()
        begun = time.monotonic()
        while (await service.status()).free_slots < SLOTS:
            assert time.monotonic() - begun < 1
    result = await render(service, prepared.content_key, (0, motion_of(prepared, 1)))
    assert len(result.frames) == 1


async def test_without_its_redis_a_replica_asks_for_the_portrait_and_goes_on(twin, redis):
    image = portrait()
    prepared = await prepare(twin, image)
    redis.freeze()
    try:
        begun = time.monotonic()
        blocks = (0, motion_of(prepared, 5))
        result = await render(twin, prepared.content_key, blocks, image=image)
        assert (len(result.frames), result.was_asked) == (5, True)
        assert time.monotonic() - begun < 4
    finally:
        redis.thaw()


async def test_status_says_the_size_of_the_head(service):
    status = await service.status()
    assert (status.module, status.head_size, status.frame_rate) == ("renderer", 512, 25)
