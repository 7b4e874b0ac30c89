"""A short video of the example face that turns its head and speaks: a portrait video."""

from __future__ import annotations

import io
from fractions import Fraction
from functools import cache

import av
import numpy as np

from ditto import packs
from tests.face import example
from tests.packs.starter.renderer.driving import Image, motion

FRAMES = 16
FPS = 25
WIDEST_DEGREES = 8.0


def turn_degrees() -> np.ndarray:
    """(FRAMES,) yaw away from the picture's own."""
    return WIDEST_DEGREES * np.sin(np.linspace(-np.pi / 2, np.pi / 2, FRAMES))


@cache
def pictures() -> tuple[Image, ...]:
    """The whole picture, its head turning from one side to the other, its mouth opening once."""
    renderer = packs.load("starter").renderer()
    portrait = renderer.prepare(example.close_up())
    made = []
    for frame, yaw in enumerate(turn_degrees()):
        gap = 0.5 * np.sin(np.pi * frame / FRAMES)
        drive = motion(portrait, turn=(0, float(yaw), 0), lipGap=gap, jawOpen=0.7 * gap)
        head = renderer.render_head(portrait.appearance, drive)
        made.append(renderer.paste_back(portrait.appearance, head))
    return tuple(made)


def encoded(
    images: tuple[Image, ...], file_format: str = "mp4", codec: str = "libx264", fps: int = FPS
) -> bytes:
    """The pictures as a video file."""
    file = io.BytesIO()
    with av.open(file, "w", format=file_format) as container:
        stream = container.add_stream(codec, rate=fps)
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": "12"}
        for number, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return file.getvalue()


@cache
def video() -> bytes:
    """As MP4."""
    return encoded(pictures())
