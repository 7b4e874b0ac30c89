"""Streaming resampler with a delay of 2 ms, the same to the bit however the input is cut.

A windowed-sinc filter, one row of taps for each phase between input samples. The usual libraries
buffer 40 to 230 ms of a stream before they give anything, all of which would delay the first frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import gcd

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

_ZERO_CROSSINGS = 32
_CUTOFF = 0.92
"""As a share of the lower rate's half."""
_MAX_PHASES = 1024
"""Odd ratios share rows: a sample is then misplaced by up to 1/1024 of an input sample (-65 dB)."""
_BLOCK_SAMPLES = 1 << 14
_EMPTY = np.zeros(0, np.float32)


@dataclass(frozen=True)
class ResamplerState:
    """Where a resampler stands."""

    buffer: Samples
    """(n,) inputs that outputs to come depend on."""
    buffer_start: int
    """Input index of the buffer's first sample."""
    given: int
    """Outputs so far."""


class Resampler:
    """Mono samples at `source_hz` to `target_hz`; output n lies at time n / target_hz exactly."""

    def __init__(self, source_hz: int, target_hz: int) -> None:
        divisor = gcd(source_hz, target_hz)
        self._up, self._down = target_hz // divisor, source_hz // divisor
        self._filters = _filter_bank(self._up, self._down)
        self._half = self._filters.shape[1] // 2
        self._buffer = np.zeros(self._half - 1, np.float32)
        self._buffer_start = 1 - self._half  # input index of the buffer's first sample
        self._given = 0

    def state(self) -> ResamplerState:
        """Everything that outputs to come depend on."""
        return ResamplerState(self._buffer, self._buffer_start, self._given)

    def restore(self, state: ResamplerState) -> None:
        """Go on where a resampler of the same rates stood."""
        self._buffer = state.buffer
        self._buffer_start = state.buffer_start
        self._given = state.given

    def feed(self, samples: Samples) -> Samples:
        """Take samples (n,), any n; give those that are now certain, (m,)."""
        if self._up == self._down:
            return samples
        blocks = range(0, len(samples), _BLOCK_SAMPLES)
        done = [self._feed_block(samples[at : at + _BLOCK_SAMPLES]) for at in blocks]
        return np.concatenate(done) if done else _EMPTY

    def finish(self) -> Samples:
        """The last samples: ceil(inputs x target / source) came out in all."""
        return self.feed(np.zeros(self._half, np.float32)) if self._up != self._down else _EMPTY

    def _feed_block(self, samples: Samples) -> Samples:
        self._buffer = np.concatenate([self._buffer, samples])
        certain = self._buffer_start + len(self._buffer) - self._half
        end = -(-certain * self._up // self._down)
        if end <= self._given:
            return _EMPTY
        positions = np.arange(self._given, end, dtype=np.int64) * self._down
        first = positions // self._up - (self._half - 1)
        taps = np.lib.stride_tricks.sliding_window_view(self._buffer, 2 * self._half)
        spans = taps[first - self._buffer_start]
        self._given = end
        self._forget(end * self._down // self._up - (self._half - 1))
        phases = positions % self._up * len(self._filters) // self._up
        resampled: Samples = np.einsum("nk,nk->n", spans, self._filters[phases])
        return resampled

    def _forget(self, first_needed: int) -> None:
        spent = min(first_needed - self._buffer_start, len(self._buffer))
        self._buffer = self._buffer[spent:]
        self._buffer_start += spent


@lru_cache(maxsize=8)
def _filter_bank(up: int, down: int) -> Samples:
    """(phases, taps) Blackman-windowed sincs; row p serves outputs p / phases past an input."""
    phases = min(up, _MAX_PHASES)
    cutoff = _CUTOFF * min(1.0, up / down)  # of the input's Nyquist frequency
    half = int(np.ceil(_ZERO_CROSSINGS * max(1.0, down / up)))
    taps = np.arange(1 - half, half + 1)
    distance = taps[None, :] - np.arange(phases)[:, None] / phases  # input samples
    angle = np.pi * distance / half
    window = 0.42 + 0.5 * np.cos(angle) + 0.08 * np.cos(2 * angle)
    filters = np.sinc(cutoff * distance) * window
    filters /= filters.sum(axis=1, keepdims=True)
    return filters.astype(np.float32)
