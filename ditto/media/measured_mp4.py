"""What a finished MP4 shows and plays, found by decoding it."""

from __future__ import annotations

import io
from dataclasses import dataclass

import av
import numpy as np
from numpy.typing import NDArray

from ditto.errors import CorruptDataError
from ditto.media.audio import SAMPLE_RATE_HZ

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class MeasuredMp4:
    """Times in seconds on the file's own clock, as a player shows them."""

    width: int
    height: int
    video_codec: str
    audio_codec: str
    frame_times: NDArray[np.float64]
    """(T,) when each frame is shown."""
    sound: Samples
    """(n,) the sound at 16 kHz mono, from time 0 on."""

    @property
    def frames(self) -> int:
        """T, the number of frames."""
        return len(self.frame_times)

    def video_seconds(self, fps: int) -> float:
        """End of the last frame."""
        return float(self.frame_times[-1]) + 1 / fps

    @property
    def sound_seconds(self) -> float:
        """End of the sound."""
        return len(self.sound) / SAMPLE_RATE_HZ

    def av_skew_ms(self, speech: Samples, fps: int) -> float:
        """Frame time minus the time at which the speech of that frame is heard, signed, in ms.

        `speech` (n,) is what was sent, at 16 kHz. It is found in the decoded sound by correlation;
        frame n belongs to the speech from n / fps on. The frame that is furthest off counts.
        """
        lag_s = _lag_samples(self.sound, speech) / SAMPLE_RATE_HZ
        heard = np.arange(self.frames) / fps + lag_s
        skews = self.frame_times - heard
        return float(1000 * skews[np.argmax(np.abs(skews))])


def measure_mp4(data: bytes) -> MeasuredMp4:
    """Decode all of a file with one picture and one sound track.

    Raises `CorruptDataError` when it cannot be decoded or lacks one of them.
    """
    try:
        with av.open(io.BytesIO(data), "r") as container:
            picture = container.streams.video[0].codec_context
            codecs = picture.name, container.streams.audio[0].codec_context.name
            times = [frame.time for frame in container.decode(video=0)]
            size = picture.width, picture.height
        return MeasuredMp4(*size, *codecs, np.array(times, np.float64), decoded_sound(data))
    except (av.FFmpegError, IndexError, ValueError) as error:
        raise CorruptDataError(f"not a video with sound: {error}") from error


def decoded_sound(data: bytes) -> Samples:
    """(n,) the sound track at 16 kHz, each decoded piece at the place that its timestamp says."""
    resampler = av.AudioResampler("fltp", "mono", SAMPLE_RATE_HZ)
    with av.open(io.BytesIO(data), "r") as container:
        decoded = [
            piece for frame in container.decode(audio=0) for piece in resampler.resample(frame)
        ]
    decoded += resampler.resample(None)
    starts = [round((piece.time or 0.0) * SAMPLE_RATE_HZ) for piece in decoded]
    sound = np.zeros(max(s + p.samples for s, p in zip(starts, decoded, strict=True)), np.float32)
    for start, piece in zip(starts, decoded, strict=True):
        samples = piece.to_ndarray()[0][max(0, -start) :]
        sound[max(0, start) :][: len(samples)] = samples
    return sound


def _lag_samples(heard: Samples, spoken: Samples) -> int:
    """How much later `spoken` is found in `heard`, by the peak of their correlation."""
    size = 1 << (len(heard) + len(spoken)).bit_length()
    product = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(spoken, size))
    lag = int(np.argmax(np.fft.irfft(product, size)))
    return lag - size if lag > size // 2 else lag
