"""Speech decoding: every sample type and rate, WAV in pieces, cuts that change nothing."""

from __future__ import annotations

import itertools
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ditto.errors import InvalidInputError
from ditto.media.audio import AudioReader
from ditto.media.pcm import PcmFormat
from tests.wav_file import wav_file

RNG = np.random.default_rng(7)


def sine(rate_hz: int, seconds: float = 0.5, frequency_hz: float = 440.0) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * frequency_hz * np.arange(int(rate_hz * seconds)) / rate_hz)


def pcm_bytes(samples: np.ndarray, sample_type: str) -> bytes:
    """The samples in one sample type, written independently of the decoder."""
    if sample_type == "f32le":
        return samples.astype("<f4").tobytes()
    if sample_type == "u8":
        return np.round(samples * 127 + 128).astype(np.uint8).tobytes()
    if sample_type == "s16le":
        return np.round(samples * 32767).astype("<i2").tobytes()
    words = np.round(samples * (2**31 - 1)).astype("<i4")
    if sample_type == "s32le":
        return words.tobytes()
    return b"".join(struct.pack("<i", word >> 8)[:3] for word in words.ravel().tolist())


def chunk(name: bytes, body: bytes, size: int | None = None) -> bytes:
    return (
        name
        + struct.pack("<I", len(body) if size is None else size)
        + body
        + b"\0" * (len(body) % 2)
    )


def wav_bytes(
    body: bytes,
    sample_type: str,
    rate_hz: int,
    channels: int,
    *,
    extensible: bool = False,
    data_size: int | None = None,
) -> bytes:
    bits = {"u8": 8, "s16le": 16, "s24le": 24, "s32le": 32, "f32le": 32}[sample_type]
    tag = 3 if sample_type == "f32le" else 1
    block = channels * bits // 8
    fmt = struct.pack(
        "<HHIIHH", 0xFFFE if extensible else tag, channels, rate_hz, rate_hz * block, block, bits
    )
    if extensible:
        guid_tail = bytes.fromhex("000000001000800000aa00389b71")
        fmt += struct.pack("<HHIH", 22, bits, 0, tag) + guid_tail
    chunks = chunk(b"LIST", b"INFOISFT\x05\0\0\0abcde") + chunk(b"fmt ", fmt)
    chunks += chunk(b"junk", bytes(333)) + chunk(b"data", body, data_size)
    return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WAVE" + chunks


def read(reader: AudioReader, data: bytes, cuts: list[int] | None = None) -> np.ndarray:
    edges = [0, *sorted(cuts or []), len(data)]
    parts = [reader.feed(data[a:b]) for a, b in itertools.pairwise(edges)]
    return np.concatenate([*parts, reader.finish()])


@pytest.mark.parametrize(
    ("sample_type", "tolerance"),
    [("u8", 1e-2), ("s16le", 1e-4), ("s24le", 1e-6), ("s32le", 1e-6), ("f32le", 1e-6)],
)
def test_every_sample_type_decodes_to_the_same_wave(sample_type: str, tolerance: float) -> None:
    wave_in = sine(16_000)
    out = read(AudioReader(PcmFormat(sample_type)), pcm_bytes(wave_in, sample_type))
    assert out.dtype == np.float32
    np.testing.assert_allclose(out, wave_in, atol=tolerance)


@pytest.mark.parametrize("rate_hz", [4_000, 8_000, 11_025, 22_050, 44_100, 44_101, 48_000, 192_000])
def test_every_rate_keeps_time_and_level(rate_hz: int) -> None:
    out = read(AudioReader(PcmFormat("f32le", rate_hz)), pcm_bytes(sine(rate_hz), "f32le"))
    expected = sine(16_000)
    assert len(out) == -(-int(rate_hz * 0.5) * 16_000 // rate_hz)
    middle = slice(400, 7_500)
    np.testing.assert_allclose(out[middle], expected[middle], atol=2e-4)


def test_what_16_khz_cannot_hold_is_filtered_out() -> None:
    reader = AudioReader(PcmFormat("f32le", 48_000))
    out = read(reader, pcm_bytes(sine(48_000, frequency_hz=10_000), "f32le"))
    assert np.abs(out[200:-200]).max() < 1e-4


def test_delay_of_a_live_stream_is_two_ms() -> None:
    reader = AudioReader(PcmFormat("s16le", 48_000))
    reader.feed(pcm_bytes(sine(48_000, 0.1), "s16le"))
    assert reader.consumed_samples == 4_800
    assert 1_600 - reader.produced_samples <= 33


def test_channels_are_averaged() -> None:
    left, right = sine(16_000), sine(16_000, frequency_hz=1_000)
    both = np.stack([left, right], axis=1)
    out = read(AudioReader(PcmFormat("f32le", 16_000, 2)), pcm_bytes(both, "f32le"))
    np.testing.assert_allclose(out, (left + right) / 2, atol=1e-6)


@pytest.mark.parametrize("sample_type", ["u8", "s16le", "s24le", "s32le", "f32le"])
@pytest.mark.parametrize("extensible", [False, True])
def test_wav_equals_the_bare_pcm(sample_type: str, extensible: bool) -> None:
    body = pcm_bytes(np.stack([sine(22_050)] * 2, axis=1), sample_type)
    data = wav_bytes(body, sample_type, 22_050, 2, extensible=extensible)
    bare = read(AudioReader(PcmFormat(sample_type, 22_050, 2)), body)
    np.testing.assert_array_equal(read(AudioReader(None), data), bare)


def test_wav_of_the_standard_library() -> None:
    file = wav_file(pcm_bytes(sine(16_000), "s16le"))
    reader = AudioReader(None)
    np.testing.assert_allclose(read(reader, file), sine(16_000), atol=1e-4)
    assert reader.format == PcmFormat("s16le", 16_000, 1)


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFFFFF])
def test_wav_of_unknown_length_runs_to_the_end(size: int) -> None:
    data = wav_bytes(pcm_bytes(sine(16_000), "s16le"), "s16le", 16_000, 1, data_size=size)
    assert len(read(AudioReader(None), data)) == 8_000


def test_wav_chunks_after_the_data_are_no_sound() -> None:
    data = wav_bytes(pcm_bytes(sine(16_000), "s16le"), "s16le", 16_000, 1)
    assert len(read(AudioReader(None), data + chunk(b"LIST", bytes(64)))) == 8_000


def test_wav_cut_inside_a_sample_keeps_the_whole_samples() -> None:
    data = wav_bytes(pcm_bytes(sine(16_000), "s24le"), "s24le", 16_000, 1)
    assert len(read(AudioReader(None), data[:-2])) == 7_999


STEREO = pcm_bytes(RNG.uniform(-1, 1, (900, 2)), "s24le")
WAV = wav_bytes(STEREO, "s24le", 44_100, 2, extensible=True)
WHOLE = read(AudioReader(None), WAV)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(0, len(WAV)), max_size=40))
def test_streamed_equals_whole_to_the_bit(cuts: list[int]) -> None:
    np.testing.assert_array_equal(read(AudioReader(None), WAV, cuts), WHOLE)


def test_byte_by_byte_equals_whole() -> None:
    np.testing.assert_array_equal(read(AudioReader(None), WAV, list(range(len(WAV)))), WHOLE)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers_are_refused(bad: float) -> None:
    reader = AudioReader(PcmFormat("f32le"))
    with pytest.raises(InvalidInputError, match=r"audio: .*finite"):
        reader.feed(np.array([0.0, bad], "<f4").tobytes())


def test_too_loud_floats_are_clipped() -> None:
    out = AudioReader(PcmFormat("f32le")).feed(np.array([3e38, -7.0, 0.5], "<f4").tobytes())
    np.testing.assert_array_equal(out, np.array([1.0, -1.0, 0.5], np.float32))


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (("s16le", 3_999, 1), "sample_rate_hz"),
        (("s16le", 192_001, 1), "sample_rate_hz"),
        (("s16le", 16_000, 0), "channels"),
        (("s16le", 16_000, 9), "channels"),
        (("mp3", 16_000, 1), "encoding"),
    ],
)
def test_formats_outside_the_limits_name_the_field(arguments: tuple, field: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        PcmFormat(*arguments)
    assert caught.value.field == f"audio_format.{field}"
    assert "allowed" in caught.value.problem


@pytest.mark.parametrize(
    "data",
    [
        b"ID3\x04 an mp3",
        b"RIFF\x24\0\0\0AVI LIST",
        wav_bytes(b"", "s16le", 16_000, 1)[:40],
        b"RIFF\0\0\0\0WAVE" + chunk(b"data", bytes(8)),
        b"RIFF\0\0\0\0WAVE" + chunk(b"fmt ", bytes(10)),
        b"RIFF\0\0\0\0WAVE" + chunk(b"fmt ", struct.pack("<HHIIHH", 6, 1, 8000, 8000, 1, 8)),
        b"RIFF\0\0\0\0WAVE" + chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, 8000, 8000, 9, 16)),
        b"RIFF\0\0\0\0WAVE" + chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, 1, 2, 2, 16)),
        b"RIFF\0\0\0\0WAVE" + chunk(b"huge", bytes(17 << 20)),
        b"",
    ],
    ids=["mp3", "avi", "cut", "data-first", "short-fmt", "a-law", "block", "rate", "huge", "empty"],
)
def test_broken_wav_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInputError):
        read(AudioReader(None), data)
