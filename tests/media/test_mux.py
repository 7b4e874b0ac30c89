"""Containers, judged by decoding them: sound and picture in step, whole, and as they went in."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from ditto.errors import CorruptDataError, InvalidInputError
from ditto.media.h264 import split
from ditto.media.mp4_file import write_mp4
from ditto.media.mux import SOUND_BEFORE_SAMPLES, FragmentedMp4Muxer
from ditto.media.video import H264Encoder, JpegEncoder

SIZE, FRAMES, FPS, RATE_HZ = 64, 60, 25, 16_000
FRAME_SAMPLES = RATE_HZ // FPS
FLASH = 40
"""The frame that is white, and during which a burst is heard."""


def pictures() -> list[np.ndarray]:
    dark, white = np.full((SIZE, SIZE, 3), 40, np.uint8), np.full((SIZE, SIZE, 3), 240, np.uint8)
    return [white if i == FLASH else dark for i in range(FRAMES)]


def babble() -> np.ndarray:
    """Band-limited noise with a changing level: correlates with itself at one lag alone."""
    rng = np.random.default_rng(11)
    noise = np.convolve(rng.standard_normal(FRAMES * FRAME_SAMPLES), np.hanning(9), "same")
    level = 0.02 + 0.05 * np.sin(np.arange(len(noise)) / 2500) ** 2
    return (noise * level).astype(np.float32)


def burst() -> np.ndarray:
    speech = np.zeros(FRAMES * FRAME_SAMPLES, np.float32)
    inside = slice(FLASH * FRAME_SAMPLES, (FLASH + 1) * FRAME_SAMPLES)
    speech[inside] = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(FRAME_SAMPLES) / RATE_HZ)
    return speech


def fragmented(
    speech: np.ndarray, chunk: int = FRAME_SAMPLES, fragment_frames: int = 1
) -> list[bytes]:
    """The muxer's answers to each frame, then to the end."""
    encoder = H264Encoder(SIZE, SIZE)
    muxer = FragmentedMp4Muxer(SIZE, SIZE, fragment_frames=fragment_frames)
    out = []
    for i, picture in enumerate(pictures()):
        unit = encoder.encode(picture)
        out.append(muxer.add(unit.data, unit.is_keyframe, speech[i * chunk : (i + 1) * chunk]))
    return [*out, muxer.finish()]


def whole_file(path: Path, speech: np.ndarray) -> bytes:
    write_mp4(path, pictures(), speech)
    return path.read_bytes()


def decoded_video(data: bytes) -> list[tuple[float, float]]:
    """(time, mean brightness) of each frame."""
    with av.open(io.BytesIO(data)) as container:
        return [(f.time, f.to_ndarray(format="gray").mean()) for f in container.decode(video=0)]


def decoded_speech(data: bytes) -> np.ndarray:
    """The sound at 16 kHz, placed by its own timestamps."""
    with av.open(io.BytesIO(data)) as container:
        frames = list(container.decode(audio=0))
    sound = np.concatenate([f.to_ndarray()[0] for f in frames])
    times = frames[0].time + np.arange(len(sound)) / frames[0].sample_rate
    return np.interp(np.arange(FRAMES * FRAME_SAMPLES) / RATE_HZ, times, sound)


def lag_ms(heard: np.ndarray, spoken: np.ndarray) -> float:
    size = 1 << 17
    product = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(spoken, size))
    lag = int(np.argmax(np.fft.irfft(product)))
    return (lag - size if lag > size // 2 else lag) / RATE_HZ * 1000


@pytest.fixture(params=["fragmented", "file"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[object]:
    if request.param == "file":
        yield lambda speech: whole_file(tmp_path / "out.mp4", speech)
    else:
        yield lambda speech: b"".join(fragmented(speech))


def test_sound_comes_out_where_it_went_in(make) -> None:
    spoken = babble()
    heard = decoded_speech(make(spoken))
    assert abs(lag_ms(heard, spoken)) < 1.0
    assert np.corrcoef(heard, spoken)[0, 1] > 0.95


def test_flash_and_burst_coincide(make) -> None:
    data = make(burst())
    video = decoded_video(data)
    assert [time for time, _ in video] == pytest.approx([i / FPS for i in range(FRAMES)])
    assert int(np.argmax([brightness for _, brightness in video])) == FLASH
    loud = np.flatnonzero(np.abs(decoded_speech(data)) > 0.2) / RATE_HZ
    assert abs(loud[0] - FLASH / FPS) < 0.004
    assert abs(loud[-1] - (FLASH + 1) / FPS) < 0.004


def test_every_frame_leaves_at_once() -> None:
    answers = fragmented(babble())
    shown = [len(decoded_video(b"".join(answers[: n + 1]))) for n in (0, 1, 10)]
    assert shown == [1, 2, 11]


def test_sound_is_behind_the_picture_by_66_ms_at_most() -> None:
    answers = fragmented(babble())
    with av.open(io.BytesIO(b"".join(answers[:30]))) as container:
        heard = sum(f.samples / f.sample_rate for f in container.decode(audio=0))
    assert 30 / FPS - heard < 0.066


def test_fragments_of_several_frames() -> None:
    answers = fragmented(babble(), fragment_frames=10)
    header_and_fragments = [answer for answer in answers if answer]
    assert len(header_and_fragments) == 1 + 6 + 1
    assert len(decoded_video(b"".join(answers))) == FRAMES


def test_missing_speech_is_silence_and_moves_nothing() -> None:
    encoder, muxer, data = H264Encoder(SIZE, SIZE), FragmentedMp4Muxer(SIZE, SIZE), b""
    for i, picture in enumerate(pictures()):
        unit = encoder.encode(picture)
        part = burst()[i * FRAME_SAMPLES : (i + 1) * FRAME_SAMPLES]
        speech = part if i == FLASH else part[: 7 * (i % 3)]
        data += muxer.add(unit.data, unit.is_keyframe, speech)
    data += muxer.finish()
    assert len(decoded_video(data)) == FRAMES
    loud = np.flatnonzero(np.abs(decoded_speech(data)) > 0.2) / RATE_HZ
    assert abs(loud[0] - FLASH / FPS) < 0.004


def test_header_names_the_codecs() -> None:
    unit = H264Encoder(SIZE, SIZE).encode(pictures()[0])
    muxer = FragmentedMp4Muxer(SIZE, SIZE)
    data = muxer.add(unit.data, True, np.zeros(FRAME_SAMPLES, np.float32))
    assert muxer.mime_type == 'video/mp4; codecs="avc1.42c01f, mp4a.40.2"'
    assert data[4:8] == b"ftyp"
    (ftyp_size,) = struct.unpack_from(">I", data)
    assert data[ftyp_size + 4 : ftyp_size + 8] == b"moov"
    assert b"\x42\xc0\x1f" in data


def test_a_replacement_encoder_goes_on_in_the_same_file() -> None:
    muxer, data = FragmentedMp4Muxer(SIZE, SIZE), b""
    for encoder, part in (
        (H264Encoder(SIZE, SIZE), range(5)),
        (H264Encoder(SIZE, SIZE), range(5, 9)),
    ):
        for i in part:
            unit = encoder.encode(pictures()[i])
            data += muxer.add(unit.data, unit.is_keyframe, np.zeros(FRAME_SAMPLES, np.float32))
    assert len(decoded_video(data + muxer.finish())) == 9


def test_streams_that_cannot_be_muxed_are_refused() -> None:
    silence = np.zeros(FRAME_SAMPLES, np.float32)
    encoder = H264Encoder(SIZE, SIZE)
    first, second = (encoder.encode(picture) for picture in pictures()[:2])
    with pytest.raises(CorruptDataError, match="no parameter sets"):
        FragmentedMp4Muxer(SIZE, SIZE).add(second.data, False, silence)
    muxer = FragmentedMp4Muxer(SIZE, SIZE)
    muxer.add(first.data, True, silence)
    larger = H264Encoder(128, 128).encode(np.zeros((128, 128, 3), np.uint8))
    with pytest.raises(CorruptDataError, match="changed"):
        muxer.add(larger.data, True, silence)


def test_finish_without_frames_gives_nothing() -> None:
    assert FragmentedMp4Muxer(SIZE, SIZE).finish() == b""


def test_file_of_jpeg_frames(tmp_path: Path) -> None:
    encoder = JpegEncoder(90)
    jpegs = (encoder.encode(picture) for picture in pictures())
    assert write_mp4(tmp_path / "out.mp4", jpegs, burst()) == FRAMES
    assert len(decoded_video((tmp_path / "out.mp4").read_bytes())) == FRAMES


def test_file_refuses_no_frames_and_no_images(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError):
        write_mp4(tmp_path / "out.mp4", [], burst())
    with pytest.raises(CorruptDataError):
        write_mp4(tmp_path / "out.mp4", [b"no jpeg"], burst())


@pytest.mark.parametrize("cut", [1, 2, 3, 17, 40, 41])
def test_another_muxer_goes_on_where_one_was_lost(cut: int) -> None:
    speech = babble()
    whole = b"".join(fragmented(speech))
    lost, found = H264Encoder(SIZE, SIZE), H264Encoder(SIZE, SIZE)
    first = FragmentedMp4Muxer(SIZE, SIZE)
    parts = []
    for i, picture in enumerate(pictures()[:cut]):
        unit = lost.encode(picture)
        parts.append(first.add(unit.data, unit.is_keyframe, _of_frame(speech, i)))
    assert first.parameter_sets is not None
    second = FragmentedMp4Muxer(SIZE, SIZE)
    before = speech[max(0, cut * FRAME_SAMPLES - SOUND_BEFORE_SAMPLES) : cut * FRAME_SAMPLES]
    second.go_on(cut, first.parameter_sets, before)
    for i, picture in enumerate(pictures()[cut:], cut):
        unit = found.encode(picture)
        parts.append(second.add(unit.data, unit.is_keyframe, _of_frame(speech, i)))
    joined = b"".join([*parts, second.finish()])
    assert joined.count(b"moov") == 1
    assert joined.count(b"moof") == whole.count(b"moof")
    with av.open(io.BytesIO(joined)) as file:
        shown = [frame.pts * frame.time_base * FPS for frame in file.decode(video=0)]
    assert shown == list(range(FRAMES))
    heard, undisturbed = _heard(joined), _heard(whole)
    assert heard.shape == undisturbed.shape
    at = cut * FRAME_SAMPLES * 3
    near = slice(max(0, at - 4096), at + 4096)
    error = np.abs(heard - undisturbed)[near]
    assert np.sqrt((error**2).mean()) < 0.1 * np.sqrt((undisturbed[near] ** 2).mean())


def test_a_new_header_comes_where_the_next_encoder_has_other_parameter_sets() -> None:
    unit = H264Encoder(SIZE, SIZE).encode(pictures()[0])
    other = H264Encoder(2 * SIZE, SIZE).encode(np.zeros((SIZE, 2 * SIZE, 3), np.uint8))
    known, _ = split(other.data)
    assert known is not None
    muxer = FragmentedMp4Muxer(SIZE, SIZE)
    muxer.go_on(5, known, np.zeros(0, np.float32))
    assert b"moov" in muxer.add(unit.data, True, np.zeros(FRAME_SAMPLES, np.float32))


def _of_frame(speech: np.ndarray, frame: int) -> np.ndarray:
    return speech[frame * FRAME_SAMPLES : (frame + 1) * FRAME_SAMPLES]


def _heard(data: bytes) -> np.ndarray:
    with av.open(io.BytesIO(data)) as file:
        return np.concatenate([frame.to_ndarray()[0] for frame in file.decode(audio=0)])
