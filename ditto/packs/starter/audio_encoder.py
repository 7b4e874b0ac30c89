"""The starter pack's ears: Whisper tiny.en's encoder and brightness, streamed (cf. paper 3.3.1).

Each unit of 0.2 s is encoded from one window of 1 s that ends 80 ms after the unit, with silence
before the start and after the end of the speech. Windows lie at fixed places of the speech, so the
features do not depend on how the samples were cut into chunks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnxruntime as ort

from ditto.errors import InvalidInputError
from ditto.packs.starter import brightness
from ditto.packs.starter.mel import HOP_SAMPLES, SAMPLE_RATE_HZ, power_spectrum
from ditto.packs.starter.whisper_window import (
    KEPT_FRAMES,
    LOOK_AHEAD_FRAMES,
    STACKED,
    WIDTH,
    WINDOW_MEL_FRAMES,
)
from ditto.stages import Array

_WINDOW_SAMPLES = WINDOW_MEL_FRAMES * HOP_SAMPLES
_FRAME_SAMPLES = 2 * STACKED * HOP_SAMPLES
_UNIT_FRAMES = KEPT_FRAMES // STACKED
_UNIT_SAMPLES = _UNIT_FRAMES * _FRAME_SAMPLES
_LOOK_AHEAD_SAMPLES = LOOK_AHEAD_FRAMES * 2 * HOP_SAMPLES
_PAST_SAMPLES = _WINDOW_SAMPLES - _UNIT_SAMPLES - _LOOK_AHEAD_SAMPLES


@dataclass(frozen=True)
class AudioState:
    """What one call's encoder remembers: under one second of samples and two counts."""

    recent: Array
    """(n,) samples, n < 16000, from the start of the next unit's window on."""
    received_samples: int
    emitted_frames: int


class WhisperAudioEncoder:
    """`ditto.stages.AudioEncoder`: 16 kHz speech to 770-d features at 25 fps.

    A feature frame is two 50 Hz encoder frames side by side, then two numbers of brightness. The
    object holds weights alone and may be shared by any number of calls and threads.
    """

    sample_rate_hz = SAMPLE_RATE_HZ
    frame_rate = SAMPLE_RATE_HZ // _FRAME_SAMPLES
    feature_dim = STACKED * WIDTH + brightness.COUNT
    hop_frames = _UNIT_FRAMES
    look_ahead_samples = _LOOK_AHEAD_SAMPLES

    def __init__(self, model_path: Path, threads: int = 1) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        self._session = ort.InferenceSession(
            str(model_path), options, providers=["CPUExecutionProvider"]
        )

    def init_state(self) -> AudioState:
        return AudioState(np.zeros(_PAST_SAMPLES, np.float32), 0, 0)

    def step(self, state: AudioState, samples: Array) -> tuple[AudioState, Array | None]:
        """Take samples (n,), any n, in [-1, 1]; give the feature frames now complete, (T, 770).

        Raises `InvalidInputError` for another shape and for samples that are not finite.
        """
        return self.step_many([state], [samples])[0]

    def step_many(
        self, states: Sequence[AudioState], chunks: Sequence[Array]
    ) -> list[tuple[AudioState, Array | None]]:
        """`step` for several calls at once; windows that are ready together share one run."""
        states = [_append(state, chunk) for state, chunk in zip(states, chunks, strict=True)]
        frames: list[list[Array]] = [[] for _ in states]
        while ready := [i for i, state in enumerate(states) if _is_unit_complete(state)]:
            windows = np.stack([states[i].recent[:_WINDOW_SAMPLES] for i in ready])
            for i, features in zip(ready, self._encode(windows), strict=True):
                frames[i].append(features)
                states[i] = _advance(states[i])
        return [(state, _joined(new)) for state, new in zip(states, frames, strict=True)]

    def flush(self, state: AudioState) -> tuple[AudioState, Array | None]:
        """End of speech: the rest, so that ceil(samples / 640) frames came out in all."""
        wanted = -(-state.received_samples // _FRAME_SAMPLES) - state.emitted_frames
        frames = [self._encode(window)[0] for window in _silence_padded(state.recent, wanted)]
        rest = _joined(frames)
        return self.init_state(), None if rest is None else rest[:wanted]

    def _encode(self, windows: Array) -> Array:
        """Windows (B, 16000) to the features of their units, (B, 5, 770)."""
        power = power_spectrum(windows)
        (features,) = self._session.run(None, {"power": power})
        return np.concatenate([features, brightness.measure_brightness(power)], axis=-1)


def _append(state: AudioState, samples: Array) -> AudioState:
    if samples.ndim != 1 or not np.isfinite(samples).all():
        raise InvalidInputError("samples", f"shape {samples.shape}; allowed: (n,), all finite")
    recent = np.concatenate([state.recent, samples.astype(np.float32, copy=False)])
    return replace(state, recent=recent, received_samples=state.received_samples + len(samples))


def _is_unit_complete(state: AudioState) -> bool:
    return len(state.recent) >= _WINDOW_SAMPLES


def _advance(state: AudioState) -> AudioState:
    return replace(
        state,
        recent=state.recent[_UNIT_SAMPLES:],
        emitted_frames=state.emitted_frames + _UNIT_FRAMES,
    )


def _silence_padded(recent: Array, wanted_frames: int) -> Iterator[Array]:
    """The windows (1, 16000) of the units that hold the last `wanted_frames` frames."""
    for start in range(0, wanted_frames * _FRAME_SAMPLES, _UNIT_SAMPLES):
        window = recent[start : start + _WINDOW_SAMPLES]
        yield np.pad(window, (0, _WINDOW_SAMPLES - len(window)))[None]


def _joined(frames: list[Array]) -> Array | None:
    return np.concatenate(frames) if frames else None
