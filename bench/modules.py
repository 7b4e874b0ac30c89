"""What a step of each module costs by itself, in one process: no gRPC, no other module.

    python -m bench.modules [--rounds 30] [-o modules.json] [--compare earlier.json]

Processor time of one thread (the machine may be busy), its share of the video it makes, and the
most memory that a step held at once. `--compare` sets the figures beside those of an earlier run.
"""

from __future__ import annotations

import argparse
import json
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from ditto.serving.environment import prepare_environment

prepare_environment()

import cv2  # noqa: E402
import numpy as np  # noqa: E402

from bench.module_inputs import Inputs, prepared  # noqa: E402
from ditto.media.video import H264Encoder, JpegEncoder  # noqa: E402
from ditto.serving.frames import block_of, frames_of  # noqa: E402

BATCHES = (1, 2, 4, 8)
Step = Callable[[int], object]
"""Does a module's step; called with 0, 1, 2, ... for changing input."""


@dataclass(frozen=True)
class Figures:
    """One step."""

    cpu_ms: float
    """Of one session: a batch counts by its share."""
    share: float
    """CPU time over the duration of the frames that a session gets from it."""
    peak_kb: float
    """Most memory that was allocated in it at once."""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=30)
    options.add_argument("-o", "--output", type=Path)
    options.add_argument("--compare", type=Path)
    chosen = options.parse_args()
    cv2.setNumThreads(1)
    found = measure(prepared(), chosen.rounds)
    earlier = json.loads(chosen.compare.read_text()) if chosen.compare else {}
    print(*lines(found, earlier), sep="\n")
    if chosen.output:
        content = {name: asdict(figures) for name, figures in found.items()}
        chosen.output.write_text(json.dumps(content, indent=1) + "\n")


def lines(found: dict[str, Figures], earlier: dict[str, dict[str, float]]) -> Iterator[str]:
    """What is printed: one line a step."""
    yield f"{'step':24} {'CPU ms':>8} {'of real time':>12} {'peak kB':>8}"
    for name, figures in found.items():
        line = f"{name:24} {figures.cpu_ms:8.2f} {figures.share:12.1%} {figures.peak_kb:8.0f}"
        if was := earlier.get(name):
            line += f"   {was['cpu_ms']:.2f} ms before (x{figures.cpu_ms / was['cpu_ms']:.2f})"
        yield line


def measure(inputs: Inputs, rounds: int) -> dict[str, Figures]:
    """The figures of every step, which take turns so that a busy machine slows them alike."""
    steps = dict(all_steps(inputs))
    taken: dict[str, list[float]] = {name: [] for name in steps}
    for turn in range(-2, rounds):
        for name, (step, _, _) in steps.items():
            begun = time.thread_time()
            step(turn)
            if turn >= 0:
                taken[name].append(time.thread_time() - begun)
    found = {}
    for name, (step, frames, sessions) in steps.items():
        cpu_s = median(taken[name]) / sessions
        found[name] = Figures(cpu_s * 1000, cpu_s * inputs.frame_rate / frames, peak_kb(step))
    return found


def peak_kb(step: Step) -> float:
    """Most memory that a step holds at once, without what it keeps."""
    tracemalloc.start()
    try:
        step(0)
        return tracemalloc.get_traced_memory()[1] / 1024
    finally:
        tracemalloc.stop()


def all_steps(inputs: Inputs) -> Iterator[tuple[str, tuple[Step, int, int]]]:
    """Name, step, frames that a session gets from it, sessions that it serves."""
    for batch in BATCHES:
        yield f"audio_encoder, batch {batch}", (encode_step(inputs, batch), inputs.unit, batch)
    for batch in BATCHES:
        yield f"motion_dit, batch {batch}", (motion_step(inputs, batch), inputs.segment, batch)
    for name, step in picture_steps(inputs):
        yield name, (step, 1, 1)
    features, motion = inputs.features[: inputs.unit], inputs.motion[: inputs.unit]
    for name, frames in (("features", features), ("motion", motion)):
        yield f"{name} over the wire", (wire_step(frames), inputs.unit, 1)


def encode_step(inputs: Inputs, batch: int) -> Step:
    """One unit of speech of each session."""
    encoder, state = inputs.encoder, inputs.heard
    return lambda turn: encoder.step_many([state] * batch, [inputs.samples(turn)] * batch)


def motion_step(inputs: Inputs, batch: int) -> Step:
    """One segment of each session."""
    generator, state, size = inputs.generator, inputs.moving, inputs.segment
    return lambda turn: generator.step_many([state] * batch, [inputs.features[-size:]] * batch)


def picture_steps(inputs: Inputs) -> Iterator[tuple[str, Step]]:
    """Drawing, pasting and encoding one frame."""
    renderer, appearance, motion = inputs.renderer, inputs.appearance, inputs.motion
    head = renderer.render_head(appearance, motion[0])
    picture = renderer.paste_back(appearance, head)
    jpeg, video = JpegEncoder(), H264Encoder(*picture.shape[1::-1])
    yield (
        "frame, speaking",
        lambda turn: renderer.render_head(appearance, motion[turn % len(motion)]),
    )
    yield "frame, blinking", lambda turn: renderer.render_head(appearance, inputs.blink(turn))
    yield "full view, new", lambda _: renderer.paste_back(appearance, head)
    yield "full view, repainted", lambda _: renderer.repaint_full(appearance, head, picture)
    yield "JPEG, head", lambda _: jpeg.encode(head)
    yield "JPEG, full view", lambda _: jpeg.encode(picture)
    yield "H.264, full view", lambda _: video.encode(picture)


def wire_step(frames: np.ndarray) -> Step:
    """A block of frames to bytes and back."""

    def step(_: int) -> object:
        block = block_of(0, frames)
        message = type(block).FromString(block.SerializeToString())
        return frames_of(message, frames.shape[1], 0)

    return step


if __name__ == "__main__":
    main()
