"""What the modules of the starter pack are given when they are measured one by one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ditto import packs
from ditto.cli.speech_file import read_speech
from ditto.motion import layout, semantics
from ditto.packs.starter.renderer.appearance import Appearance
from ditto.stages import FaceIdentity, MotionSettings

Array = NDArray[np.float32]
EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


@dataclass(frozen=True)
class Inputs:
    """A portrait that speaks the example recording."""

    encoder: Any
    generator: Any
    renderer: Any
    appearance: Appearance
    identity: FaceIdentity
    frame_rate: int
    heard: Any
    """The encoder's state in the middle of the speech."""
    moving: Any
    """The generator's."""
    speech: Array
    features: Array
    """(T, D)"""
    motion: Array
    """(T, 265)"""

    @property
    def unit(self) -> int:
        """Frames that a unit of speech gives."""
        return int(self.encoder.hop_frames)

    @property
    def segment(self) -> int:
        """Frames of a segment of motion."""
        return int(self.generator.segment_frames)

    def samples(self, turn: int) -> Array:
        """A unit of speech."""
        size = self.unit * self.encoder.sample_rate_hz // self.frame_rate
        return self.speech[(turn % 8) * size :][:size]

    def blink(self, turn: int) -> Array:
        """A motion frame whose lids are somewhere else each time."""
        frame = layout.unpack(self.motion[turn % len(self.motion)][None])
        controls = semantics.decode(frame.exp[0])
        for side in ("Left", "Right"):
            controls[semantics.control_index(f"eyeBlink{side}")] = 0.1 + (turn * 37 % 90) / 100
        frame.exp[0] = semantics.encode(controls)
        return np.asarray(layout.pack(frame)[0], np.float32)


def prepared() -> Inputs:
    """Run the example speech through the pack once."""
    pack = packs.load("starter")
    encoder, generator, renderer = pack.audio_encoder(), pack.motion_generator(), pack.renderer()
    portrait = renderer.prepare(np.asarray(Image.open(EXAMPLES / "astronaut.jpg").convert("RGB")))
    speech = read_speech(EXAMPLES / "speech.wav").samples.astype(np.float32)
    heard, features = encoder.step(encoder.init_state(), speech)
    assert features is not None
    start = generator.init_state(portrait.identity, MotionSettings())
    moving, motion = generator.step(start, features)
    assert motion is not None
    return Inputs(
        encoder, generator, renderer, portrait.appearance, portrait.identity,
        pack.manifest.frame_rate, heard, moving, speech, features, motion,
    )  # fmt: skip
