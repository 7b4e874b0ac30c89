"""A reader's state: cut anywhere, another reader goes on as if nothing had happened."""

import numpy as np
import pytest

from ditto.errors import ProtocolError
from ditto.media.audio import AudioReader, ReaderState
from ditto.media.pcm import PcmFormat
from ditto.streaming.checkpoint import dump_state, load_state
from tests.media.test_audio import wav_bytes

DATA = np.random.default_rng(0).integers(0, 256, 30_011, np.uint8).tobytes()


def read_moved(reader: AudioReader, data: bytes, cuts: list[int]) -> np.ndarray:
    """Read the data, moving to another reader by way of a checkpoint at each cut."""
    parts = []
    for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
        parts.append(reader.feed(data[start:end]))
        if end < len(data):
            moved = dump_state(reader.state(), "pack")
            reader = AudioReader.resume(load_state(moved, ReaderState, "pack"))
    return np.concatenate([*parts, reader.finish()])


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 44_100])
@pytest.mark.parametrize("sample_type", ["s16le", "s24le"])
def test_a_moved_reader_gives_the_same_samples(sample_type, rate_hz):
    pcm = PcmFormat(sample_type, rate_hz, 2)
    whole = read_moved(AudioReader(pcm), DATA, [])
    moved = read_moved(AudioReader(pcm), DATA, [1, 7_001, 7_002, 20_000])
    assert np.array_equal(whole, moved)


def test_a_wav_file_ends_where_its_header_says_after_a_move_too():
    data = wav_bytes(DATA, "s16le", 22_050, 1) + b"LIST of what is no sound"
    whole = read_moved(AudioReader(None), data, [])
    assert np.array_equal(whole, read_moved(AudioReader(None), data, [2_000, 9_999]))


def test_inside_a_wav_header_there_is_no_state():
    reader = AudioReader(None)
    reader.feed(wav_bytes(DATA, "s16le", 22_050, 1)[:40])
    with pytest.raises(ProtocolError):
        reader.state()
