"""Would a smaller first unit of speech show the first frame earlier, and at what price?

    python -m bench.first_unit

Speech comes in pieces of 20 ms of its own time, and computing takes no time. For first units of
one frame and more: when the first frame is there, how many later ones then come after they are due
and by how much, and how far the motion jumps where the first unit meets the next one, against how
far it moves from frame to frame elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.module_inputs import Inputs, prepared
from ditto.motion import layout, semantics
from ditto.stages import MotionSettings

Array = NDArray[np.float32]
PIECE_MS = 20
SEEDS = 3
BEGINS_S, SECONDS = 1.2, 3.0
"""What is heard: a place where the mouth moves from the first frame on."""


@dataclass(frozen=True)
class Shown:
    """Frames of a call and the millisecond of speech from which on each can be computed."""

    motion: Array
    ready_ms: Array


def main() -> None:
    inputs = prepared()
    steady_frames = inputs.segment
    print("first unit  first frame  late frames  by at most   jump at the join (elsewhere 1)")
    for first in (1, 2, 3, steady_frames):
        calls = [call(inputs, first, seed) for seed in range(SEEDS)]
        late_ms = np.concatenate([lateness_ms(shown, inputs.frame_rate) for shown in calls])
        jumps = [jump(shown.motion, first) for shown in calls]
        print(
            f"{first:7} frames {calls[0].ready_ms[0]:9.0f} ms {(late_ms > 0).mean():11.0%} "
            f"{late_ms.max():9.0f} ms   {np.mean(jumps):.2f}"
        )


def call(inputs: Inputs, first: int, seed: int) -> Shown:
    """A call whose first unit has ``first`` frames, and is heard without what follows it."""
    steady = steady_call(inputs, seed)
    if first >= inputs.segment:
        return steady
    early = first_unit(inputs, first, seed)
    ready_ms = steady.ready_ms.copy()
    ready_ms[:first] = first * 1000 / inputs.frame_rate
    return Shown(np.concatenate([early, steady.motion[first:]]), ready_ms)


def steady_call(inputs: Inputs, seed: int) -> Shown:
    """All units of the same size, as they are."""
    encoder, generator = inputs.encoder, inputs.generator
    heard, moving = encoder.init_state(), begun(inputs, seed)
    piece = encoder.sample_rate_hz * PIECE_MS // 1000
    motion: list[Array] = []
    ready_ms: list[float] = []
    speech = heard_speech(inputs)
    for start in range(0, len(speech) - piece + 1, piece):
        heard, features = encoder.step(heard, speech[start : start + piece])
        if features is None:
            continue
        moving, frames = generator.step(moving, features)
        if frames is not None:
            motion.append(frames)
            ready_ms += [1000 * (start + piece) / encoder.sample_rate_hz] * len(frames)
    return Shown(np.concatenate(motion), np.array(ready_ms, np.float32))


def heard_speech(inputs: Inputs) -> Array:
    rate = inputs.encoder.sample_rate_hz
    return inputs.speech[int(BEGINS_S * rate) :][: int(SECONDS * rate)]


def begun(inputs: Inputs, seed: int) -> Any:
    """State of a motion generator before its first frame."""
    return inputs.generator.init_state(inputs.identity, MotionSettings(seed=seed))


def first_unit(inputs: Inputs, frames: int, seed: int) -> Array:
    """(frames, 265) from the speech of so many frames alone."""
    encoder, generator = inputs.encoder, inputs.generator
    heard, moving = encoder.init_state(), begun(inputs, seed)
    size = frames * encoder.sample_rate_hz // inputs.frame_rate
    heard, whole = encoder.step(heard, heard_speech(inputs)[:size])
    _, rest = encoder.flush(heard)
    features = np.concatenate([part for part in (whole, rest) if part is not None])
    moving, shown = generator.step(moving, features)
    _, last = generator.flush(moving)
    parts = [part for part in (shown, last) if part is not None]
    return np.asarray(np.concatenate(parts)[:frames], np.float32)


def lateness_ms(shown: Shown, frame_rate: int) -> Array:
    """How long after its turn each frame can be computed, when the first is shown at once."""
    due_ms = shown.ready_ms[0] + np.arange(len(shown.ready_ms)) * 1000 / frame_rate
    return np.asarray(np.maximum(0, shown.ready_ms - due_ms), np.float32)


def jump(motion: Array, at: int) -> float:
    """Change of the controls between frames ``at - 1`` and ``at``, over the usual change."""
    controls = semantics.decode(layout.unpack(motion).exp)
    change = np.linalg.norm(np.diff(controls, axis=0), axis=1)
    return float(change[at - 1] / change[: 3 * at + 20].mean())


if __name__ == "__main__":
    main()
