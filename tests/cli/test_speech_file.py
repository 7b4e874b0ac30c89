"""Recordings of any kind, and files that are none."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from ditto.cli.speech_file import read_speech
from ditto.errors import InvalidInputError
from tests.e2e.portraits import EXAMPLES

SPEECH = EXAMPLES / "speech.wav"


def test_a_wav_file_is_sent_as_it_is() -> None:
    speech = read_speech(SPEECH)
    assert speech.data == SPEECH.read_bytes()
    assert speech.seconds == pytest.approx(10.23, abs=0.01)


def test_what_ffmpeg_decodes_is_sent_as_pcm(tmp_path: Path) -> None:
    path = tmp_path / "speech.flac"
    with av.open(str(SPEECH)) as file, av.open(str(path), "w") as out:
        stream = out.add_stream("flac", rate=16_000, layout="mono")
        for frame in file.decode(audio=0):
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    speech = read_speech(path)
    assert speech.seconds == pytest.approx(10.23, abs=0.01)
    assert len(speech.data) == 2 * len(speech.samples)


def test_what_is_no_recording_is_told_apart(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"astronaut\.jpg has no sound in it"):
        read_speech(EXAMPLES / "astronaut.jpg")
    garbage = tmp_path / "speech.mp3"
    garbage.write_bytes(bytes(1000))
    with pytest.raises(InvalidInputError, match="a WAV file always works"):
        read_speech(garbage)
