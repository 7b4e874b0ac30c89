"""One motion session: feature frames to motion frames, shaped by the call's controls."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, make_dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from ditto.errors import CorruptDataError, InvalidInputError, ProtocolError
from ditto.motion import controls, driving
from ditto.motion.controls import ControlState
from ditto.motion.driving import DriveState
from ditto.motion.motion_control import UNSET, MotionControl
from ditto.serving.stage_steps import StageStep
from ditto.stages import (
    EMOTIONS,
    AdjustableGenerator,
    Array,
    CorrectsGaze,
    FaceIdentity,
    MotionGenerator,
    MotionSettings,
    RewindableGenerator,
)
from ditto.streaming.checkpoint import dump_state, load_state

MAX_IDLE_FRAMES = 1024


@dataclass(frozen=True)
class GeneratedFrames:
    """Motion frames (T, 265) that became complete."""

    first_frame: int
    frames: Array
    checkpoint: bytes
    """The state after these frames; empty where it would cut a message in two."""


class MotionSession:
    """What the servicer calls, one method at a time; the steps that they give are computed in
    batches with those of other sessions."""

    def __init__(
        self,
        generator: MotionGenerator[Any],
        pack_hash: str,
        identity: FaceIdentity,
        settings: MotionSettings,
        control: MotionControl,
    ) -> None:
        self._generator = generator
        self._pack_hash = pack_hash
        self._reference = identity.reference_motion
        self._settings = settings
        self._asked: MotionSettings | None = settings
        self._gaze = generator.gaze_matrix if isinstance(generator, CorrectsGaze) else None
        self._state = generator.init_state(identity, settings)
        self._controls = controls.init_state(control)
        self.features_taken = 0
        """Feature frames taken so far; the next block begins with this one."""
        self._next_frame = 0
        self._offset = 0
        """Index of a frame on the wire less its number in the generator."""
        self._driving = driving.init_state()
        stage = ("generator", type(self._state))
        counts = [("features_taken", int), ("next_frame", int), ("offset", int)]
        layout = [stage, ("controls", ControlState), *counts, ("driving", DriveState)]
        self._checkpoint_type = make_dataclass("MotionSessionState", layout, frozen=True)

    def resume(self, data: bytes) -> None:
        """Go on from a checkpoint. Raises `ProtocolError` for one of another pack or version."""
        state: Any
        try:
            state = load_state(data, self._checkpoint_type, self._pack_hash)
        except CorruptDataError as error:
            raise ProtocolError(f"{error}; start without it and replay") from error
        self._state, self._asked = state.generator, None
        self._controls = state.controls
        self.features_taken = state.features_taken
        self._next_frame = state.next_frame
        self._offset = state.offset
        self._driving = state.driving

    def catch_up(self, features: Array, first_frame: int | None) -> None:
        """Go on behind features (T, D) whose motion was sent before, at another index.

        A generator that cannot stop between two segments goes on where it is.
        """
        if len(features) and isinstance(self._generator, RewindableGenerator):
            state, _ = self._generator.step(self._state, features)
            self._state = self._generator.settle(state)
            self._next_frame += len(features)
        if first_frame is not None:
            self._offset = first_frame - self._next_frame
            self.features_taken = first_frame

    def control(self, control: MotionControl, from_frame: int | None) -> None:
        """Change how the face moves from a frame on; None means the next one."""
        frame = self._next_frame if from_frame is None else from_frame - self._offset
        self._controls = controls.schedule(self._controls, control, frame)

    def _begin_controls(self) -> None:
        """Tell the generator what the controls that are due by its next frame ask of it."""
        self._controls = controls.advance(self._controls, self._next_frame)
        asked = generator_settings(self._settings, self._controls)
        if asked != self._asked and isinstance(self._generator, AdjustableGenerator):
            self._state = self._generator.adjust(self._state, asked)
        self._asked = asked

    @property
    def next_index(self) -> int:
        """Index of the next motion frame."""
        return self._next_frame + self._offset

    def pieces(self, features: Array) -> Iterator[Array]:
        """The frames of one message, cut to what one job should take."""
        size = self._generator.segment_frames
        for at in range(0, max(len(features), 1), size):
            yield features[at : at + size]

    def divide_steps(self, divisor: int) -> None:
        """Sample with so many times fewer denoising steps from the next segment on."""
        self._settings = replace(self._settings, step_divisor=max(1, divisor))

    def take(self, features: Array, ends_message: bool) -> StageStep[GeneratedFrames | None]:
        """The step that takes the next feature frames (T, D)."""
        self._begin_controls()
        accept = partial(self._accept, taken=len(features), with_checkpoint=ends_message)
        return StageStep(self._state, features, is_last=False, accept=accept)

    def finish(self) -> StageStep[GeneratedFrames | None]:
        """The step that gives the rest at the end of the speech."""
        nothing = np.zeros((0, self._generator.feature_dim), np.float32)
        accept = partial(self._accept, taken=0, with_checkpoint=False)
        return StageStep(self._state, nothing, is_last=True, accept=accept)

    def drive(self, motion: Array) -> GeneratedFrames:
        """Motion (T, 265) that the caller sends, on this portrait and shaped by the controls.

        Raises `InvalidInputError` for numbers that are not finite, and for none.
        """
        if not len(motion):
            raise InvalidInputError("motion", "has no frames; allowed: one or more")
        if not np.isfinite(motion).all():
            raise InvalidInputError("motion", "holds numbers that are not finite")
        self._driving, frames = driving.drive(
            self._driving, motion, self._reference, self._next_frame
        )
        return self._driven(frames)

    def idle(self, count: int) -> GeneratedFrames:
        """Frames for which the caller sent no motion, shaped by the controls.

        Raises `InvalidInputError` for more than `MAX_IDLE_FRAMES`.
        """
        if not 1 <= count <= MAX_IDLE_FRAMES:
            raise InvalidInputError("idle_frames", f"is {count}; allowed: 1 to {MAX_IDLE_FRAMES}")
        self._controls = controls.advance(self._controls, self._next_frame)
        asked = generator_settings(self._settings, self._controls)
        self._driving, frames = driving.idle(
            self._driving,
            count,
            self._reference,
            self._next_frame,
            asked.seed,
            asked.blinks_per_minute,
            asked.blink_frames,
        )
        return self._driven(frames)

    def _driven(self, frames: Array) -> GeneratedFrames:
        first, self._next_frame = self._next_frame, self._next_frame + len(frames)
        self._controls, shaped = controls.apply(self._controls, first, frames, self._reference)
        return GeneratedFrames(first + self._offset, shaped, self._checkpoint())

    def _accept(
        self, state: Any, frames: Array | None, taken: int, with_checkpoint: bool
    ) -> GeneratedFrames | None:
        self._state = state
        self.features_taken += taken
        if frames is None or not len(frames):
            return None
        first, self._next_frame = self._next_frame, self._next_frame + len(frames)
        self._controls, shaped = controls.apply(
            self._controls, first, frames, self._reference, self._gaze, self._settings.seed
        )
        first += self._offset
        return GeneratedFrames(first, shaped, self._checkpoint() if with_checkpoint else b"")

    def _checkpoint(self) -> bytes:
        state = self._checkpoint_type(
            self._state,
            self._controls,
            self.features_taken,
            self._next_frame,
            self._offset,
            self._driving,
        )
        return dump_state(state, self._pack_hash)


def generator_settings(settings: MotionSettings, state: ControlState) -> MotionSettings:
    """What a call asks of its generator once its controls have had their say."""
    asked: dict[str, Any] = {"saccade_gain": controls.value(state, "saccade_gain")}
    for name in ("blinks_per_minute", "blink_frames", "emotion_intensity"):
        if (value := controls.value(state, name)) != UNSET:
            asked[name] = value
    if (emotion := controls.value(state, "emotion")) != UNSET:
        asked["emotion"] = EMOTIONS[int(emotion)]
    return replace(settings, **asked)
