"""Speech as it arrives, in any format and any pieces, to 16 kHz mono samples."""

from __future__ import annotations

import numpy as np

from ditto.media.pcm import PcmFormat, Samples, decode_pcm
from ditto.media.resample import Resampler
from ditto.media.wav import WavStream

SAMPLE_RATE_HZ = 16_000

_NONE = np.zeros(0, np.float32)


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

    @property
    def format(self) -> PcmFormat | None:
        """The source's format; None until a WAV header has been read."""
        return self._pcm

    def feed(self, data: bytes) -> Samples:
        """Take the next bytes; give the 16 kHz samples (n,) now complete.

        Raises `InvalidInputError` for a broken header and for samples that are not finite.
        """
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

    def _adopt(self, pcm: PcmFormat | None) -> None:
        if self._pcm is None and pcm is not None:
            self._pcm = pcm
            self._resampler = Resampler(pcm.sample_rate_hz, SAMPLE_RATE_HZ)

    def _counted(self, samples: Samples) -> Samples:
        self.produced_samples += len(samples)
        return samples
