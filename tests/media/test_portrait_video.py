"""Portrait videos: told from pictures, played at one rate, refused with the reason."""

from __future__ import annotations

import numpy as np
import pytest

from ditto.errors import InvalidInputError
from ditto.media.portrait_video import PortraitVideo, VideoLimits, is_video
from tests.e2e.portraits import astronaut
from tests.e2e.portraits import encoded as encoded_image
from tests.face.moving import encoded

SHADES = np.linspace(20, 235, 12).round()


def shades(count: int = len(SHADES)) -> tuple[np.ndarray, ...]:
    """Grey pictures, each brighter than the one before."""
    return tuple(np.full((48, 64, 3), shade, np.uint8) for shade in SHADES[:count])


def shown(data: bytes, **limits: float) -> np.ndarray:
    return np.array([picture.mean() for picture in PortraitVideo(data, VideoLimits(**limits))])


@pytest.mark.parametrize(
    ("file_format", "codec"), [("mp4", "libx264"), ("webm", "libvpx-vp9"), ("mov", "mpeg4")]
)
def test_every_picture_of_a_file_is_given_in_order(file_format: str, codec: str) -> None:
    data = encoded(shades(), file_format, codec)
    assert is_video(data)
    assert np.abs(shown(data) - SHADES).max() < 6
    video = PortraitVideo(data)
    assert len(list(video)) == len(list(video)) == len(SHADES)


def test_pictures_are_no_videos() -> None:
    for file_format in ("JPEG", "PNG", "WEBP", "AVIF"):
        assert not is_video(encoded_image(astronaut(), file_format))


@pytest.mark.parametrize(("fps", "expected"), [(50, 6), (30, 10), (12, 25), (25, 12)])
def test_another_rate_keeps_its_speed(fps: int, expected: int) -> None:
    seen = shown(encoded(shades(), fps=fps))
    assert len(seen) == expected
    assert (np.diff(seen) >= -1).all()
    moments = np.arange(len(seen)) / 25 * fps
    assert np.abs(seen - SHADES[np.minimum(moments + 0.03, 11).astype(int)]).max() < 6


@pytest.mark.parametrize(
    ("data", "limits", "words"),
    [
        (encoded(shades()), {"seconds": 0.2}, "lasts 0.5 s; allowed: up to 0.2 s"),
        (encoded(shades()), {"pixels": 3000}, "64x48 pixels; allowed: up to 3000"),
        (encoded(shades()), {"bytes": 100}, "allowed: up to 100"),
        (encoded(shades())[:300], {}, "no video that can be read"),
        (b"\0\0\0\x18ftypisom" + bytes(200), {}, "no video that can be read"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(
    data: bytes, limits: dict[str, float], words: str
) -> None:
    with pytest.raises(InvalidInputError, match="portrait: video") as caught:
        shown(data, **limits)
    assert words in str(caught.value)
