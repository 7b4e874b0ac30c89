"""Speech as it arrives, in any format and any pieces, to 16 kHz mono samples."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from ditto.errors import ProtocolError
from ditto.media.pcm import PcmFormat, Samples, SampleType, decode_pcm
from ditto.media.resample import Resampler, ResamplerState
from ditto.media.wav import WavStream

SAMPLE_RATE_HZ = 16_000

_UNKNOWN_FORMAT_BYTES = 4096
"""Size of a piece while a WAV header is still being read."""
_NONE = np.zeros(0, np.float32)


@dataclass(frozen=True)
class ReaderState:
    """Where a reader stands, once its format is known."""

    sample_type: str
    sample_rate_hz: int
    channels: int
    wav_bytes_left: int | None
    """Bytes of samples that the WAV file still holds; None where it is no WAV file."""
    odd_bytes: NDArray[np.uint8]
    """(n,) the beginning of a sample."""
    resampler: ResamplerState
    consumed_samples: int
    produced_samples: int


class AudioReader:
    """Decodes one call's speech. `pcm` None means a WAV file, whose header says the format.

    What comes out does not depend on how the bytes were cut. The delay is 2 ms (8 ms from 4 kHz),
    none from 16 kHz; what is held back is less than one sample of bytes and that delay.
    """

    def __init__(self, pcm: PcmFormat | None) -> None:
        self._wav = WavStream() if pcm is None else None
        self._pcm = pcm
        self._resampler = None if pcm is None else Resampler(pcm.sample_rate_hz, SAMPLE_RATE_HZ)
        self._odd_bytes = b""
        self.consumed_samples = 0
        """Samples a channel decoded so far, at the source's rate."""
        self.produced_samples = 0
        """Samples given so far, at 16 kHz."""

    @classmethod
    def resume(cls, state: ReaderState) -> AudioReader:
        """A reader that goes on where another one stood."""
        sample_type = cast(SampleType, state.sample_type)
        pcm = PcmFormat(sample_type, state.sample_rate_hz, state.channels)
        reader = cls(pcm)
        if state.wav_bytes_left is not None:
            reader._wav = WavStream.resume(pcm, state.wav_bytes_left)
        if reader._resampler is not None:
            reader._resampler.restore(state.resampler)
        reader._odd_bytes = state.odd_bytes.tobytes()
        reader.consumed_samples = state.consumed_samples
        reader.produced_samples = state.produced_samples
        return reader

    def state(self) -> ReaderState:
        """Everything that samples to come depend on. Raises `ProtocolError` inside a WAV header."""
        wav_bytes_left = None if self._wav is None else self._wav.data_bytes_left
        unread = self._wav is not None and wav_bytes_left is None
        if self._pcm is None or self._resampler is None or unread:
            raise ProtocolError("a WAV header that is still being read has no state to keep")
        return ReaderState(
            self._pcm.sample_type,
            self._pcm.sample_rate_hz,
            self._pcm.channels,
            wav_bytes_left,
            np.frombuffer(self._odd_bytes, np.uint8),
            self._resampler.state(),
            self.consumed_samples,
            self.produced_samples,
        )

    @property
    def format(self) -> PcmFormat | None:
        """The source's format; None until a WAV header has been read."""
        return self._pcm

    def pieces(self, data: bytes, seconds: float) -> Iterator[memoryview]:
        """Some bytes in pieces of so much speech each, to be fed before the next is asked for.

        Whatever the format, decoding a piece is little work. There is at least one.
        """
        rest = memoryview(data)
        while len(rest) > (length := self._piece_bytes(seconds)):
            yield rest[:length]
            rest = rest[length:]
        yield rest

    def feed(self, data: bytes | memoryview) -> Samples:
        """Take the next bytes; give the 16 kHz samples (n,) now complete.

        Raises `InvalidInputError` for a broken header and for samples that are not finite.
        """
        data = bytes(data)
        if self._wav is not None:
            data = self._wav.feed(data)
            self._adopt(self._wav.format)
        if self._pcm is None or self._resampler is None:
            return _NONE
        data = self._odd_bytes + data
        whole = len(data) - len(data) % self._pcm.frame_bytes
        self._odd_bytes = data[whole:]
        samples = decode_pcm(memoryview(data)[:whole], self._pcm)
        self.consumed_samples += len(samples)
        return self._counted(self._resampler.feed(samples))

    def finish(self) -> Samples:
        """End of speech: the last samples. Bytes of a cut last sample are dropped."""
        if self._wav is not None:
            self._wav.finish()
        return self._counted(self._resampler.finish()) if self._resampler else _NONE

    def _piece_bytes(self, seconds: float) -> int:
        if self._pcm is None:
            return _UNKNOWN_FORMAT_BYTES
        return max(1, int(self._pcm.sample_rate_hz * seconds)) * self._pcm.frame_bytes

    def _adopt(self, pcm: PcmFormat | None) -> None:
        if self._pcm is None and pcm is not None:
            self._pcm = pcm
            self._resampler = Resampler(pcm.sample_rate_hz, SAMPLE_RATE_HZ)

    def _counted(self, samples: Samples) -> Samples:
        self.produced_samples += len(samples)
        return samples
