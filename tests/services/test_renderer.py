"""The renderer service as a real process with the starter pack: what a session gives."""

from __future__ import annotations

import av
import cv2
import numpy as np
import pytest

from ditto.packs import load
from ditto.v1 import types_pb2
from ditto.v1.renderer_pb2 import PreparePortraitResponse, RenderedFrame
from tests.services.rendering import H264, RGB24, motion_of, portrait, prepare, render


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


@pytest.mark.parametrize("cuts", [(6,), (1,) * 6, (2, 4)])
async def test_raw_frames_are_those_of_the_renderer_in_order(renderer, wanted, cuts):
    prepared = await prepare(renderer, portrait())
    motion, blocks, at = motion_of(prepared, 6), [], 0
    for count in cuts:
        blocks.append((at, motion[at : at + count]))
        at += count
    result = await render(renderer, prepared.content_key, *blocks, encoding=RGB24)
    assert [frame.index for frame in result.frames] == list(range(6))
    for frame, image in zip(result.frames, wanted, strict=True):
        assert np.array_equal(np.frombuffer(frame.data, np.uint8).reshape(512, 512, 3), image)
        assert frame.timing.compute_us > 0
    assert (result.accepted.width, result.accepted.height) == (512, 512)
    assert result.accepted.source == "local"


async def test_jpeg_frames_look_like_the_raw_ones(renderer, wanted):
    prepared = await prepare(renderer, portrait())
    result = await render(renderer, prepared.content_key, (0, motion_of(prepared, 6)))
    assert all(
        psnr(decoded(frame), image) > 33 for frame, image in zip(result.frames, wanted, strict=True)
    )


async def test_h264_starts_with_a_keyframe_at_whatever_frame_it_starts(renderer, wanted):
    prepared = await prepare(renderer, portrait())
    motion = motion_of(prepared, 6)
    result = await render(renderer, prepared.content_key, (40, motion), encoding=H264)
    assert [frame.index for frame in result.frames] == list(range(40, 46))
    assert [frame.keyframe for frame in result.frames] == [True] + [False] * 5
    codec = av.CodecContext.create("h264", "r")
    packets = [av.Packet(frame.data) for frame in result.frames]
    pictures = [picture for packet in [*packets, None] for picture in codec.decode(packet)]
    assert len(pictures) == 6
    for picture, image in zip(pictures, wanted, strict=True):
        assert psnr(picture.to_ndarray(format="rgb24"), image) > 30


async def test_the_full_view_has_the_size_of_the_portrait(renderer):
    image = portrait(size=(700, 600))
    prepared = await prepare(renderer, image)
    assert (prepared.width, prepared.height) == (700, 600)
    blocks = (0, motion_of(prepared, 2))
    result = await render(renderer, prepared.content_key, blocks, view=types_pb2.VIEW_FULL)
    assert (result.accepted.width, result.accepted.height) == (700, 600)
    assert decoded(result.frames[1]).shape == (600, 700, 3)


async def test_status_says_the_size_of_the_head(renderer):
    status = await renderer.status()
    assert (status.module, status.head_size, status.frame_rate) == ("renderer", 512, 25)
