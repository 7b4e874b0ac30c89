"""The measuring of files, against files whose skew is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ditto.errors import CorruptDataError
from ditto.media.measured_mp4 import measure_mp4
from ditto.media.mp4_file import write_mp4

FPS, RATE_HZ, FRAMES = 25, 16_000, 50


def speech() -> np.ndarray:
    rng = np.random.default_rng(3)
    noise = np.convolve(rng.standard_normal(FRAMES * RATE_HZ // FPS), np.hanning(9), "same")
    return (0.05 * noise * np.sin(np.arange(len(noise)) / 3000) ** 2).astype(np.float32)


def written(folder: Path, sound: np.ndarray) -> bytes:
    frames = [np.full((64, 96, 3), 2 * n, np.uint8) for n in range(FRAMES)]
    write_mp4(folder / "x.mp4", frames, sound)
    return (folder / "x.mp4").read_bytes()


def test_a_file_in_step(tmp_path: Path) -> None:
    found = measure_mp4(written(tmp_path, speech()))
    assert (found.frames, found.width, found.height) == (FRAMES, 96, 64)
    assert (found.video_codec, found.audio_codec) == ("h264", "aac")
    assert found.video_seconds(FPS) == pytest.approx(2.0)
    assert found.sound_seconds == pytest.approx(2.0, abs=0.07)
    assert abs(found.av_skew_ms(speech(), FPS)) < 1


@pytest.mark.parametrize("late_ms", [-120, 45])
def test_late_and_early_sound_is_found_with_its_sign(tmp_path: Path, late_ms: int) -> None:
    moved = np.roll(speech(), late_ms * RATE_HZ // 1000)
    found = measure_mp4(written(tmp_path, moved))
    assert found.av_skew_ms(speech(), FPS) == pytest.approx(-late_ms, abs=1)


def test_what_is_no_video_is_refused() -> None:
    with pytest.raises(CorruptDataError, match="not a video"):
        measure_mp4(b"no video at all")
