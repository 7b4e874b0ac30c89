"""Portrait videos in real renderer processes: prepared once, shared through Redis, resumable."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from ditto import errors
from ditto.v1 import types_pb2
from ditto.v1.renderer_pb2 import (
    DropPortraitRequest,
    PreparePortraitResponse,
    PrepareVideoRequest,
    PrepareVideoResponse,
)
from ditto.v1.renderer_pb2_grpc import RendererServiceStub
from tests.face import example, moving
from tests.redis_process import RedisProcess
from tests.services.processes import ServiceProcess, serving
from tests.services.rendering import portrait, prepare, refusal, render

pytestmark = pytest.mark.slow
N = moving.FRAMES


@pytest.fixture(scope="module")
def service(redis: RedisProcess) -> Iterator[ServiceProcess]:
    with serving("renderer", f"redis_url={redis.url}", "video_seconds=2") as running:
        yield running


@pytest.fixture(scope="module")
def twin(redis: RedisProcess) -> Iterator[ServiceProcess]:
    with serving("renderer", f"redis_url={redis.url}") as running:
        yield running


async def watched(service: ServiceProcess, video: bytes) -> list[PrepareVideoResponse]:
    """Everything that is said while a video is prepared."""
    async with service.channel() as channel:
        call = RendererServiceStub(channel).PrepareVideo(PrepareVideoRequest(video=video))
        return [reply async for reply in call]


def resting(prepared: PreparePortraitResponse, frames: int) -> np.ndarray:
    return np.repeat(np.array([prepared.identity.reference_motion], np.float32), frames, axis=0)


async def test_a_video_is_prepared_once_with_its_progress_and_found_by_the_other_replica(
    service: ServiceProcess, twin: ServiceProcess
) -> None:
    *progress, last = await watched(service, moving.video())
    assert last.prepared.source == "computed"
    assert last.prepared.source_frames == N
    done = [reply.progress.frames_done for reply in progress]
    assert len(done) >= 3
    assert done == sorted(set(done))
    assert {reply.progress.frames for reply in progress[1:]} <= {0, N}
    elsewhere = await prepare(twin, moving.video())
    assert (elsewhere.source, elsewhere.content_key) == ("redis", last.prepared.content_key)
    assert elsewhere.identity == last.prepared.identity
    again = await watched(service, moving.video())
    assert [reply.prepared.source for reply in again] == ["local"]


async def test_another_replica_goes_on_with_the_same_pictures(
    service: ServiceProcess, twin: ServiceProcess
) -> None:
    prepared = await prepare(service, moving.video())
    motion = resting(prepared, 2 * N + 6)
    raw = types_pb2.VIDEO_ENCODING_RGB24
    for view in (types_pb2.VIEW_HEAD, types_pb2.VIEW_FULL):
        whole = await render(service, prepared.content_key, (0, motion), encoding=raw, view=view)
        assert whole.accepted.source_frames == N
        rest = await render(
            twin, prepared.content_key, (N + 3, motion[N + 3 :]), encoding=raw, view=view
        )
        pictures = [frame.data for frame in whole.frames]
        assert [frame.data for frame in rest.frames] == pictures[N + 3 :]
        assert [frame.index for frame in rest.frames] == list(range(N + 3, 2 * N + 6))
        assert pictures[:N] == pictures[N : 2 * N][::-1]
        assert len(set(pictures)) == N


async def test_a_picture_is_prepared_between_two_of_a_video(service: ServiceProcess) -> None:
    video = moving.encoded(moving.pictures() * 3)
    async with service.channel() as channel:
        replies = aiter(RendererServiceStub(channel).PrepareVideo(PrepareVideoRequest(video=video)))
        await anext(replies)
        still = await prepare(service, portrait(tint=77))
        assert still.source == "computed"
        assert (await anext(replies)).HasField("progress")  # the video is not done
        assert [reply async for reply in replies][-1].prepared.source_frames == 3 * N


async def test_a_forgotten_video_leaves_nothing_in_redis(
    service: ServiceProcess, redis: RedisProcess
) -> None:
    prepared = await prepare(service, moving.video())
    async with service.channel() as channel:
        request = DropPortraitRequest(content_key=prepared.content_key)
        await RendererServiceStub(channel).DropPortrait(request)
    assert (await prepare(service, moving.video())).source == "computed"


async def test_videos_that_cannot_be_used_are_refused_by_kind(service: ServiceProcess) -> None:
    long = moving.encoded(moving.pictures() * 4)
    error = await refusal(watched(service, long))
    assert isinstance(error, errors.InvalidInputError)
    assert "lasts 2.6 s; allowed: up to 2 s" in str(error)
    assert isinstance(await refusal(watched(service, b"GIF89a")), errors.InvalidInputError)
    grey = moving.encoded((np.full_like(example.close_up(), 99),) * 3)
    assert isinstance(await refusal(prepare(service, grey)), errors.FaceError)
