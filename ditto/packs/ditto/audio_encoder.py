"""The pack's ears: streaming HuBERT in windows of 0.4 s (paper 3.3.1)."""

from __future__ import annotations

import numpy as np

from ditto.errors import InvalidInputError
from ditto.models.hubert_graph import INPUT, OUTPUT
from ditto.runtime.backend import Backend
from ditto.stages import Array
from ditto.streaming import audio_units
from ditto.streaming.audio_units import AudioUnits, UnitState

SAMPLE_RATE_HZ = 16_000
UNITS = AudioUnits()


class HubertAudioEncoder:
    """`ditto.stages.AudioEncoder`: 16 kHz speech to HuBERT features at 25 fps.

    Each window of 6480 samples gives 10 frames, of which the 5 that neither begin nor end it count.
    """

    sample_rate_hz = SAMPLE_RATE_HZ
    frame_rate = SAMPLE_RATE_HZ // audio_units.FRAME_SAMPLES
    hop_frames = UNITS.valid_frames
    look_ahead_samples = UNITS.look_ahead_samples

    def __init__(self, network: Backend) -> None:
        """network: a graph of the released names, `input_values` to `encoding_out`."""
        self._network = network
        silence = self._encode(np.zeros(UNITS.window_samples, np.float32))
        self.feature_dim: int = silence.shape[1]

    def init_state(self) -> UnitState:
        return audio_units.init_state(UNITS)

    def step(self, state: UnitState, samples: Array) -> tuple[UnitState, Array | None]:
        """Take samples (n,), any n, in [-1, 1]; give the feature frames now complete, (T, D).

        Raises `InvalidInputError` for another shape and for samples that are not finite.
        """
        if samples.ndim != 1 or not np.isfinite(samples).all():
            raise InvalidInputError("samples", f"shape {samples.shape}; allowed: (n,), all finite")
        return audio_units.step(state, samples, self._encode, UNITS)

    def flush(self, state: UnitState) -> tuple[UnitState, Array | None]:
        """End of speech: the rest, so that ceil(samples / 640) frames came out in all."""
        _, rest = audio_units.flush(state, self._encode, UNITS)
        return self.init_state(), None if rest is None or not len(rest) else rest

    def silence_features(self, frames: int) -> Array:
        """Features (frames, D) of silence: what the motion stage starts from."""
        return audio_units.silence_features(frames, self._encode, UNITS)

    def _encode(self, window: Array) -> Array:
        return np.asarray(self._network.run({INPUT: window[None]})[OUTPUT], np.float32)
