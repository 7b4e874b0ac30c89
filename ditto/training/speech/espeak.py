"""Speech from ``libespeak-ng`` with phoneme events: many voices and languages, robotic."""

from __future__ import annotations

import ctypes
import random
from typing import Any, ClassVar

import numpy as np

from ditto.errors import SetupError
from ditto.training.speech.phones import PAUSE, SAMPLE_RATE_HZ, Utterance, arpabet, earlier, lay_out
from ditto.training.speech.resample import resample

VARIANTS = (
    "m1", "m2", "m3", "m4", "m5", "m7", "f1", "f2", "f3", "f4", "f5", "Andy", "Alex", "Annie",
    "Linda", "Michael", "Steph", "Lee", "anika", "Gene", "Jacky", "klatt2", "klatt4", "Mario",
    "Denis", "Hugo", "Pablo", "Belinda",
)  # fmt: skip
ACCENTS = ("en-us", "en-us", "en-us", "en", "en-gb-scotland", "en-gb-x-rp", "en-us-nyc")

_SYNCHRONOUS = 2
_PHONEME_EVENTS_IN_IPA = 0x0001 | 0x0002
_UTF8 = 1
_RATE, _PITCH, _RANGE = 1, 3, 4
_EVENT_PHONEME = 7
_LATE_S = 0.01
"""How much later than its sound a phone is by these events (docs/training.md)."""


class _EventId(ctypes.Union):
    _fields_: ClassVar[Any] = [
        ("number", ctypes.c_int),
        ("name", ctypes.c_char_p),
        ("string", ctypes.c_char * 8),
    ]


class _Event(ctypes.Structure):
    _fields_: ClassVar[Any] = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    ]


_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


class _Library:
    """The one process-wide espeak-ng instance and what its callback collected."""

    _instance: ClassVar[_Library | None] = None

    def __init__(self) -> None:
        try:
            self.lib = ctypes.CDLL("libespeak-ng.so.1")
        except OSError as error:
            raise SetupError("espeak-ng is missing: apt-get install espeak-ng") from error
        self.rate_hz = self.lib.espeak_Initialize(_SYNCHRONOUS, 0, None, _PHONEME_EVENTS_IN_IPA)
        self.samples: list[np.ndarray] = []
        self.phonemes: list[tuple[int, str]] = []
        self._callback = _CALLBACK(self._collect)
        self.lib.espeak_SetSynthCallback(self._callback)

    @classmethod
    def get(cls) -> _Library:
        cls._instance = cls._instance or cls()
        return cls._instance

    def _collect(self, wav: Any, count: int, events: Any) -> int:
        if count > 0 and wav:
            self.samples.append(np.ctypeslib.as_array(wav, (count,)).copy())
        index = 0
        while events[index].type != 0:
            if events[index].type == _EVENT_PHONEME:
                name = events[index].id.string.decode("utf-8", "ignore")
                self.phonemes.append((events[index].sample, name))
            index += 1
        return 0

    def say(self, voice: str, text: str, rate: int, pitch: int, pitch_range: int) -> None:
        self.samples.clear()
        self.phonemes.clear()
        if self.lib.espeak_SetVoiceByName(voice.encode()) != 0:
            raise SetupError(f"espeak-ng has no voice {voice!r}: install espeak-ng-data")
        for parameter, value in ((_RATE, rate), (_PITCH, pitch), (_RANGE, pitch_range)):
            self.lib.espeak_SetParameter(parameter, value, 0)
        data = text.encode()
        self.lib.espeak_Synth(data, len(data) + 1, 0, 0, 0, _UTF8, None, None)
        self.lib.espeak_Synchronize()


class EspeakVoice:
    """Any espeak-ng language with a random voice variant, rate and pitch a style."""

    def __init__(self, language: str | None = None, variants: tuple[str, ...] = VARIANTS) -> None:
        self.name = f"espeak-{language or 'en'}"
        self._language = language
        self._variants = variants
        self._style = ("en-us", 160, 50, 50)

    def draw_style(self, rng: random.Random) -> None:
        language = self._language or rng.choice(ACCENTS)
        voice = f"{language}+{rng.choice(self._variants)}"
        self._style = (voice, rng.randint(125, 190), rng.randint(25, 70), rng.randint(35, 75))

    def speak(self, text: str) -> Utterance:
        library = _Library.get()
        library.say(self._style[0], text, *self._style[1:])
        samples = np.concatenate(library.samples).astype(np.float32) / 32768
        starts = [start for start, _ in library.phonemes]
        durations = [(PAUSE, starts[0] / library.rate_hz)] if starts else []
        for (start, name), end in zip(library.phonemes, [*starts[1:], len(samples)], strict=True):
            symbol = arpabet(name)
            if symbol == PAUSE and name:  # a bare mark, such as palatalisation
                symbol = durations[-1][0]
            durations.append((symbol, (end - start) / library.rate_hz))
        speech = resample(samples, library.rate_hz / SAMPLE_RATE_HZ)
        return Utterance(speech, earlier(lay_out(durations), _LATE_S))
