"""Speech to AAC packets, with what a container must know to keep it in step with the picture."""

from __future__ import annotations

import av
import numpy as np
from numpy.typing import NDArray

from ditto.media.resample import Resampler

PACKET_SAMPLES = 1024
PRIMING_SAMPLES = 1024
"""Samples that the decoder gives before the first one that went in."""


class AacEncoder:
    """Mono samples at `source_hz` to AAC-LC packets of 1024 samples at `rate_hz`.

    A sample can be decoded at most three packets after it went in: 64 ms at 48 kHz, where speech at
    its own 16 kHz would wait 192 ms.
    """

    def __init__(self, source_hz: int, rate_hz: int = 48_000, bit_rate: int = 96_000) -> None:
        self.rate_hz = rate_hz
        self._resampler = Resampler(source_hz, rate_hz)
        self._context = av.CodecContext.create("aac", "w")
        self._context.sample_rate = rate_hz
        self._context.layout = "mono"
        self._context.format = "fltp"
        self._context.bit_rate = bit_rate
        self._context.options = {"aac_coder": "fast"}
        self._context.flags |= int(av.codec.context.Flags.global_header)
        self._context.open()
        self._pending = np.zeros(0, np.float32)
        self._pts_samples = 0

    @property
    def config(self) -> bytes:
        """The AudioSpecificConfig that a container's header carries."""
        return bytes(self._context.extradata or b"")

    def encode(self, samples: NDArray[np.float32]) -> list[bytes]:
        """Take samples (n,), any n, in [-1, 1]; give the packets now complete."""
        self._pending = np.concatenate([self._pending, self._resampler.feed(samples)])
        whole = len(self._pending) // PACKET_SAMPLES * PACKET_SAMPLES
        blocks = self._pending[:whole].reshape(-1, PACKET_SAMPLES)
        self._pending = self._pending[whole:]
        return [packet for block in blocks for packet in self._encode_block(block)]

    def finish(self) -> list[bytes]:
        """End of speech: the last packets, filled up with silence."""
        packets = self.encode(self._resampler.finish())
        if len(self._pending):
            rest = np.pad(self._pending, (0, PACKET_SAMPLES - len(self._pending)))
            packets += self._encode_block(rest)
        return packets + [bytes(packet) for packet in self._context.encode(None)]

    def _encode_block(self, block: NDArray[np.float32]) -> list[bytes]:
        frame = av.AudioFrame.from_ndarray(block[None], format="fltp", layout="mono")
        frame.sample_rate = self.rate_hz
        frame.pts = self._pts_samples
        self._pts_samples += PACKET_SAMPLES
        return [bytes(packet) for packet in self._context.encode(frame)]
