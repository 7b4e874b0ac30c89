"""Frame encoders: no delay, keyframes on demand, faithful pictures, interchangeable streams."""

from __future__ import annotations

import av
import cv2
import numpy as np
import pytest

from ditto.errors import CorruptDataError, InvalidInputError, UnsupportedError
from ditto.media.h264 import split
from ditto.media.video import H264Encoder, JpegEncoder, level_of


def frame(index: int, height: int = 128, width: int = 160) -> np.ndarray:
    """A smooth coloured picture that moves with `index`."""
    y, x = np.mgrid[:height, :width]
    red = 128 + 100 * np.sin((x + 2 * index) / 17)
    green = 128 + 100 * np.sin(y / 13)
    blue = 128 + 100 * np.cos((x + y - index) / 23)
    return np.stack([red, green, blue], axis=-1).astype(np.uint8)


def decode(units: list[bytes]) -> list[np.ndarray]:
    decoder = av.CodecContext.create("h264", "r")
    pictures = [picture for unit in units for picture in decoder.decode(av.Packet(unit))]
    return [p.to_ndarray(format="rgb24") for p in [*pictures, *decoder.decode(None)]]


def psnr_db(a: np.ndarray, b: np.ndarray) -> float:
    error = np.mean((a.astype(float) - b) ** 2)
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


def test_jpeg_keeps_the_picture_and_follows_the_quality() -> None:
    fine, coarse = JpegEncoder(95).encode(frame(0)), JpegEncoder(20).encode(frame(0))
    decoded = cv2.imdecode(np.frombuffer(fine, np.uint8), cv2.IMREAD_COLOR_RGB)
    assert psnr_db(decoded, frame(0)) > 35
    assert len(coarse) < len(fine) / 2


@pytest.mark.parametrize("quality", [0, 101])
@pytest.mark.parametrize("make", [JpegEncoder, lambda quality: H264Encoder(64, 64, 25, quality)])
def test_quality_outside_the_range_is_refused(make: object, quality: int) -> None:
    with pytest.raises(InvalidInputError, match="allowed: 1 to 100"):
        make(quality)


def test_h264_gives_each_frame_at_once_and_faithfully() -> None:
    encoder = H264Encoder(160, 128, quality=95)
    units = [encoder.encode(frame(i)).data for i in range(12)]
    pictures = decode(units)
    assert len(pictures) == 12
    assert min(psnr_db(p, frame(i)) for i, p in enumerate(pictures)) > 30


def test_h264_keyframes_come_first_and_on_demand_with_equal_parameter_sets() -> None:
    encoder = H264Encoder(160, 128)
    units = [encoder.encode(frame(i), force_keyframe=i == 5) for i in range(8)]
    assert [i for i, unit in enumerate(units) if unit.is_keyframe] == [0, 5]
    sets = [split(unit.data)[0] for unit in units]
    assert sets[0] == sets[5] is not None
    assert sets[1] is None
    assert len(decode([unit.data for unit in units[5:]])) == 3


def test_another_encoder_takes_over_in_the_middle() -> None:
    first, second = H264Encoder(160, 128), H264Encoder(160, 128)
    units = [first.encode(frame(i)).data for i in range(4)]
    units += [second.encode(frame(i)).data for i in range(4, 8)]
    assert split(units[0])[0] == split(units[4])[0]
    pictures = decode(units)
    assert len(pictures) == 8
    assert psnr_db(pictures[7], frame(7)) > 28


def test_h264_codec_is_constrained_baseline_of_level_3_1_for_heads() -> None:
    parameter_sets, _ = split(H264Encoder(512, 512).encode(frame(0, 512, 512)).data)
    assert parameter_sets is not None
    profile, constraints, level = bytes.fromhex(parameter_sets.codec.removeprefix("avc1."))
    assert (profile, level) == (66, 31)
    assert constraints & 0xC0 == 0xC0


def test_odd_sizes_are_cropped_to_even_ones() -> None:
    encoder = H264Encoder(161, 129)
    assert (encoder.width, encoder.height) == (160, 128)
    (picture,) = decode([encoder.encode(frame(0, 129, 161)).data])
    assert picture.shape == (128, 160, 3)


def test_level_follows_the_size() -> None:
    assert [level_of(*size) for size in ((64, 64), (1280, 720), (1920, 1080), (2840, 2840))] == [
        31, 31, 40, 51,
    ]  # fmt: skip
    with pytest.raises(UnsupportedError, match="9000x9000"):
        level_of(9000, 9000)


@pytest.mark.parametrize("data", [b"", b"no start code", b"\0\0\0\1\x67\x42\xc0\x1f"])
def test_access_units_without_a_picture_are_refused(data: bytes) -> None:
    with pytest.raises(CorruptDataError):
        split(data)
