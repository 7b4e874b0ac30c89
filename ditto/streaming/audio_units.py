"""Speech in units for a windowed encoder: which samples each feature frame sees (paper 3.3.1).

The encoder reads windows of past, valid and future frames and gives two tokens a frame; the tokens
of the valid frames are kept and averaged in pairs. 16 kHz audio, 25 frames a second.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ditto.errors import InvalidInputError

Array = NDArray[np.float32]
Encode = Callable[[Array], Array]
"""One window (N,) of samples in [-1, 1] -> its tokens (2 x frames, D)."""

FRAME_SAMPLES = 640
TOKENS_PER_FRAME = 2


@dataclass(frozen=True)
class AudioUnits:
    """The shape of a window, and where the first one starts."""

    past_frames: int = 3
    valid_frames: int = 5
    future_frames: int = 2
    tail_samples: int = 80
    """What the encoder's last token needs past its frame."""
    lead_samples: int = 1920
    """Zeros before streamed speech. The released driver's 1920 put streamed features 5 ms after
    the offline ones; `aligned_lead` makes the two equal."""
    keep_reference_count: bool = False
    """False gives ceil(samples / 640) frames, True the released driver's count: whole units."""

    def __post_init__(self) -> None:
        if self.valid_frames < 1 or self.past_frames < 0 or self.future_frames < 0:
            raise InvalidInputError("audio units", "frames must not be negative, valid at least 1")

    @property
    def window_samples(self) -> int:
        """Samples of one encoder call, 6480 by default."""
        frames = self.past_frames + self.valid_frames + self.future_frames
        return frames * FRAME_SAMPLES + self.tail_samples

    @property
    def hop_samples(self) -> int:
        """Samples between windows, 3200 by default."""
        return self.valid_frames * FRAME_SAMPLES

    @property
    def aligned_lead(self) -> int:
        """Zeros before offline speech, 2000 by default: frames end where the window's tail ends."""
        return self.window_samples - (self.valid_frames + self.future_frames) * FRAME_SAMPLES

    @property
    def look_ahead_samples(self) -> int:
        """Samples after a unit's valid frames that must have arrived, at the set lead."""
        return self.window_samples - self.hop_samples - self.lead_samples

    def samples_for(self, frames: int) -> int:
        """Samples of speech that must have arrived before so many feature frames are out."""
        units = -(-frames // self.valid_frames)
        return units * self.hop_samples + self.look_ahead_samples


def valid_features(tokens: Array, units: AudioUnits) -> Array:
    """Feature frames (valid, D) of one window's tokens, counted from their end."""
    last = len(tokens) - TOKENS_PER_FRAME * units.future_frames
    kept = tokens[last - TOKENS_PER_FRAME * units.valid_frames : last]
    pairs = kept.reshape(units.valid_frames, TOKENS_PER_FRAME, -1)
    return np.asarray(pairs.mean(axis=1), np.float32)


def frame_count(samples: int) -> int:
    """Frames that so many samples fill, the last one perhaps in part."""
    return -(-samples // FRAME_SAMPLES)


@dataclass(frozen=True)
class UnitState:
    """A stream's samples that are still needed, and its counts."""

    samples: Array
    """From the start of the next window on."""
    received: int = 0
    """Samples of speech so far."""
    emitted: int = 0
    """Feature frames so far."""


def init_state(units: AudioUnits) -> UnitState:
    """Nothing heard yet."""
    return UnitState(np.zeros(units.lead_samples, np.float32))


def push(state: UnitState, samples: Array) -> UnitState:
    """Add samples (n,)."""
    if samples.ndim != 1:
        raise InvalidInputError("samples", f"must be (n,), got {samples.shape}")
    joined = np.concatenate([state.samples, samples.astype(np.float32, copy=False)])
    return replace(state, samples=joined, received=state.received + len(samples))


def next_window(state: UnitState, units: AudioUnits, *, ended: bool = False) -> Array | None:
    """The window (window_samples,) to encode now, or None; zeros follow speech that has ended."""
    missing = units.window_samples - len(state.samples)
    if missing <= 0:
        return state.samples[: units.window_samples]
    if not ended or _is_complete(state, units):
        return None
    return np.pad(state.samples, (0, missing))


def _is_complete(state: UnitState, units: AudioUnits) -> bool:
    if units.keep_reference_count:
        return not len(state.samples)
    return state.emitted >= frame_count(state.received)


def accept(
    state: UnitState, tokens: Array, units: AudioUnits, *, ended: bool = False
) -> tuple[UnitState, Array]:
    """Take the tokens of `next_window`; give its feature frames (N, D)."""
    features = valid_features(tokens, units)
    if ended and not units.keep_reference_count:
        features = features[: frame_count(state.received) - state.emitted]
    rest = state.samples[units.hop_samples :]
    return replace(state, samples=rest, emitted=state.emitted + len(features)), features


def step(
    state: UnitState, samples: Array, encode: Encode, units: AudioUnits
) -> tuple[UnitState, Array | None]:
    """Take samples (n,), any n; give the feature frames now complete, (N, D)."""
    return _run(push(state, samples), encode, units, ended=False)


def flush(state: UnitState, encode: Encode, units: AudioUnits) -> tuple[UnitState, Array | None]:
    """End of speech: the rest of the feature frames."""
    return _run(state, encode, units, ended=True)


def _run(
    state: UnitState, encode: Encode, units: AudioUnits, *, ended: bool
) -> tuple[UnitState, Array | None]:
    emitted: list[Array] = []
    while (window := next_window(state, units, ended=ended)) is not None:
        state, features = accept(state, encode(window), units, ended=ended)
        emitted.append(features)
    return state, np.concatenate(emitted) if emitted else None


def encode_offline(audio: Array, encode: Encode, units: AudioUnits) -> Array:
    """Features (N, D) of a whole recording (n,), n > 0."""
    if audio.ndim != 1 or not len(audio):
        raise InvalidInputError("audio", f"must be (n,) with n > 0, got {audio.shape}")
    aligned = replace(units, lead_samples=units.aligned_lead, keep_reference_count=False)
    state, first = step(init_state(aligned), audio, encode, aligned)
    _, rest = flush(state, encode, aligned)
    return np.concatenate([part for part in (first, rest) if part is not None])


def silence_features(frames: int, encode: Encode, units: AudioUnits) -> Array:
    """Features (frames, D) of silence: what fills a stream's buffer before the speech."""
    return encode_offline(np.zeros(frames * FRAME_SAMPLES, np.float32), encode, units)
