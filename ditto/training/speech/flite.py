"""Speech from Debian's ``flite`` with phone end times (``-psdur``)."""

from __future__ import annotations

import random
import shutil
import subprocess
import tempfile
import wave
from pathlib import Path

import numpy as np

from ditto.errors import SetupError
from ditto.training.speech.phones import SAMPLE_RATE_HZ, Phone, Utterance, lay_out
from ditto.training.speech.resample import resample

VOICES = ("slt", "rms", "awb", "kal16", "kal")
_MEAN_F0_HZ = {"slt": 170, "rms": 95, "awb": 130, "kal16": 105, "kal": 105}


class FliteVoice:
    """One flite voice; `draw_style` picks rate and pitch for the sentences that follow."""

    def __init__(self, name: str) -> None:
        if not shutil.which("flite"):
            raise SetupError("flite is not installed: apt-get install flite")
        self.name = f"flite-{name}"
        self._voice = name
        self._style = {"stretch": 1.0, "f0": float(_MEAN_F0_HZ[name])}

    def draw_style(self, rng: random.Random) -> None:
        f0 = _MEAN_F0_HZ[self._voice] * rng.uniform(0.85, 1.2)
        self._style = {"stretch": rng.uniform(0.8, 1.2), "f0": f0}

    def speak(self, text: str) -> Utterance:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "speech.wav"
            command = [
                "flite", "-voice", self._voice, "-psdur", "-t", text, "-o", str(path),
                "--setf", f"duration_stretch={self._style['stretch']:.2f}",
                "--setf", f"int_f0_target_mean={self._style['f0']:.0f}",
            ]  # fmt: skip
            report = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603
            with wave.open(str(path)) as file:
                rate = file.getframerate()
                samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
        speech = resample(samples.astype(np.float32) / 32768, rate / SAMPLE_RATE_HZ)
        return Utterance(speech, phones_of(report))


def phones_of(report: str) -> tuple[Phone, ...]:
    """Timed phones of flite's ``-psdur`` report: words like ``aa:0.440``, with end times in s."""
    ends = [token.rsplit(":", 1) for token in report.split() if ":" in token]
    times = [0.0, *(float(end) for _, end in ends)]
    return lay_out(zip((symbol for symbol, _ in ends), np.diff(times), strict=True))
