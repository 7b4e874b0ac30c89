"""What each control does to a face, as pictures of any pack: the paper's Figure 3, generated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ditto.motion import controls, semantics
from ditto.motion.layout import EXPRESSION, EXPRESSION_DIM
from ditto.motion.motion_control import MotionControl
from ditto.stages import (
    EMOTIONS,
    Array,
    AudioEncoder,
    Image,
    MotionGenerator,
    MotionSettings,
    Portrait,
    Renderer,
)

PROBE = 0.03
"""Offset of one expression number, about a full movement of the published edits."""
_SILENCE_S = 4
_QUALITY = 82
_CAPTION_PX = 18
_COLUMNS = 8
_POSES: dict[str, MotionControl] = {
    "pitch": MotionControl(pitch_offset_degrees=10),
    "yaw": MotionControl(yaw_offset_degrees=12),
    "roll": MotionControl(roll_offset_degrees=10),
    "look_at": MotionControl(look_at_yaw_degrees=20, look_at_weight=1),
    "gaze_target": MotionControl(gaze_yaw_degrees=20, gaze_weight=1),
    "yaw_gaze_with_head": MotionControl(yaw_offset_degrees=12, gaze_correction=0),
    "eyes_closed": MotionControl(eyes_closed=1),
    "squint": MotionControl(squint=1),
}


@dataclass(frozen=True)
class Probe:
    """One picture."""

    name: str
    image: Image


def control_sheet(
    renderer: Renderer[Any], portrait: Portrait[Any], gaze: Array | None = None
) -> Iterator[Probe]:
    """The portrait at rest, each named control at its full amounts, then pose and eyes.

    ``gaze`` is the pack's matrix K (63, 3), None to leave gaze controls out.
    """
    own = portrait.identity.reference_motion
    yield Probe("rest", renderer.render_head(portrait.appearance, own))
    for row, name in enumerate(semantics.control_names()):
        for amount in semantics.control_ranges()[row]:
            if amount:
                frame = own.copy()
                frame[EXPRESSION] += amount * semantics.control_matrix()[row]
                sign = "" if amount > 0 else "_negative"
                yield Probe(f"{name}{sign}", renderer.render_head(portrait.appearance, frame))
    for name, control in _POSES.items():
        state = controls.init_state(control)
        _, frames = controls.apply(state, 0, own[None], own, gaze)
        yield Probe(name, renderer.render_head(portrait.appearance, frames[0]))


def emotion_sheet(
    renderer: Renderer[Any],
    portrait: Portrait[Any],
    encoder: AudioEncoder[Any],
    generator: MotionGenerator[Any],
) -> Iterator[Probe]:
    """The portrait listening in each emotion: the frame of some seconds with the widest eyes."""
    state, first = encoder.step(
        encoder.init_state(), np.zeros(_SILENCE_S * encoder.sample_rate_hz, np.float32)
    )
    _, last = encoder.flush(state)
    silence = np.concatenate([part for part in (first, last) if part is not None])
    lids = [semantics.control_index(name) for name in ("eyeBlinkRight", "eyeBlinkLeft")]
    for emotion in EMOTIONS:
        begun = generator.init_state(portrait.identity, MotionSettings(emotion=emotion))
        begun, early = generator.step(begun, silence)
        _, late = generator.flush(begun)
        motion = np.concatenate([part for part in (early, late) if part is not None])
        settled = motion[len(motion) // 2 :]
        closed = semantics.decode(settled[:, EXPRESSION])[:, lids].sum(axis=1)
        frame = settled[int(np.argmin(closed))]
        yield Probe(f"emotion_{emotion}", renderer.render_head(portrait.appearance, frame))


def dimension_sheet(
    renderer: Renderer[Any], portrait: Portrait[Any], gaze: Array | None = None
) -> Iterator[Probe]:
    """Each of the 63 expression numbers a little lower and higher; "15-0" is keypoint 15, x."""
    for dimension in range(EXPRESSION_DIM):
        keypoint, axis = divmod(dimension, 3)
        for offset, sign in ((-PROBE, "minus"), (PROBE, "plus")):
            frame = portrait.identity.reference_motion.copy()
            frame[EXPRESSION.start + dimension] += offset
            image = renderer.render_head(portrait.appearance, frame)
            yield Probe(f"{keypoint}-{axis}_{sign}", image)


def write_sheet(probes: Iterable[Probe], folder: Path, side: int) -> list[Path]:
    """Write each picture as a JPEG of ``side`` pixels, and all of them together as sheet.jpg."""
    folder.mkdir(parents=True, exist_ok=True)
    written, tiles = [], []
    for probe in probes:
        small = cv2.resize(_face_of(probe.image), (side, side), interpolation=cv2.INTER_AREA)
        written.append(_write(folder / f"{probe.name}.jpg", np.asarray(small, np.uint8)))
        tiles.append(_captioned(np.asarray(small, np.uint8), probe.name))
    written.append(_write(folder / "sheet.jpg", _grid(tiles)))
    return written


def _face_of(head: Image) -> Image:
    """The middle of a HEAD view, where the face is."""
    size = len(head)
    top, left = round(0.2 * size), round(0.15 * size)
    return head[top : top + round(0.7 * size), left : left + round(0.7 * size)]


def _captioned(image: Image, name: str) -> Image:
    tile = np.full((image.shape[0] + _CAPTION_PX, image.shape[1], 3), 255, np.uint8)
    tile[_CAPTION_PX:] = image
    cv2.putText(tile, name, (3, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 0, 0), 1, cv2.LINE_AA)
    return tile


def _grid(tiles: list[Image]) -> Image:
    blank = np.full_like(tiles[0], 255)
    padded = tiles + [blank] * (-len(tiles) % _COLUMNS)
    rows = [np.hstack(padded[at : at + _COLUMNS]) for at in range(0, len(padded), _COLUMNS)]
    return np.vstack(rows)


def _write(path: Path, image: Image) -> Path:
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    path.write_bytes(cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes())
    return path
