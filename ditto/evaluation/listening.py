"""What is heard in a recording: speech features, and when each phone is spoken."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ditto import packs
from ditto.packs.starter import brightness
from ditto.packs.starter.whisper_window import STACKED
from ditto.training import features
from ditto.training.evaluation.alignment import phones_of, read_phones
from ditto.training.speech.phones import Phone

Array = NDArray[np.float32]


class Ear:
    """The starter pack's audio encoder, whatever pack is judged."""

    def __init__(self) -> None:
        self._encoder = packs.load("starter").audio_encoder()

    def features(self, samples: Array) -> Array:
        """(T, D) at 25 frames/s of samples (n,) at 16 kHz."""
        return features.stream(self._encoder, samples)

    def listen(self, samples: Array) -> Array:
        """(2 T, 384) at 50 frames/s: what the recogniser hears, without the voice's brightness."""
        speech = self.features(samples)[:, brightness.SPEECH]
        return speech.reshape(len(speech) * STACKED, -1)


class Aligner:
    """Phones of recordings; forced alignments are kept in a folder."""

    def __init__(self, ear: Ear, texts: Mapping[str, str], folder: Path) -> None:
        """texts: what is said in a recording, by its name without suffix."""
        self._ear, self._texts, self._folder = ear, texts, folder

    def __call__(self, recording: Path, samples: Array) -> tuple[tuple[Phone, ...], str]:
        """Timed phones, and where they are from; none, and why, where they are not known."""
        kept = self._folder / f"{recording.stem}.phones.json"
        if kept.exists():
            return read_phones(kept), "aligned"
        phones, source = phones_of(recording, samples, self._ear.listen, self._texts)
        if source == "aligned":
            kept.write_text(json.dumps({"phones": phones}))
        return phones, source
