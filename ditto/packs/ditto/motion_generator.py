"""The pack's motion stage: the motion diffusion model over fused segments (paper 3.2, 3.3.2).

T segment frames, V new frames a segment, D feature width.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ditto.diffusion.ddim_noise import seeded_noise
from ditto.errors import InvalidInputError
from ditto.motion import condition, scheduler
from ditto.motion.blink import ENDLESS_FRAMES, blink_rows
from ditto.motion.condition import ConditionSource, intense_emotion
from ditto.motion.fuse import FuseOptions
from ditto.motion.layout import EXPRESSION, EYE_KEYPOINTS, KEYPOINTS, MOTION_DIM
from ditto.motion.scheduler import SchedulerOptions, SchedulerState, Window
from ditto.packs.ditto.samplers import Sampler
from ditto.packs.ditto.settings import DrivingSettings
from ditto.stages import Array, FaceIdentity, MotionSettings

MAX_STEPS = 50


@dataclass(frozen=True)
class LmdmState:
    """What one call's generator remembers."""

    schedule: SchedulerState
    """At most a segment of features and two of motion."""
    seed: int
    steps: int
    emotion: Array
    """(1, 8)"""
    canonical_keypoints: Array
    """(63,)"""
    reference_motion: Array
    """(265,)"""
    eye_state: Array
    """(8,)"""


class LmdmMotionGenerator:
    """`ditto.stages.MotionGenerator`: HuBERT features to motion, V frames at a time.

    The frames are relative already: the portrait's own motion plus the change since the first
    generated frame, so that a renderer needs no memory of the call and gains act on the change.
    """

    def __init__(
        self, sampler: Sampler, silence: Array, driving: DrivingSettings, overlap: int
    ) -> None:
        """silence: features (overlap, D) that fill the buffer before the speech."""
        self._sampler = sampler
        self._silence = silence
        self._driving = driving
        fusing = FuseOptions(
            overlap,
            sampler.frames,
            online=True,
            smooth_frames=driving.smooth_frames,
            reset_every=driving.reset_every,
        )
        self._options = SchedulerOptions(fusing, driving.limits)
        self.segment_frames = fusing.valid_frames
        self.feature_dim: int = silence.shape[1]

    def init_state(self, identity: FaceIdentity, settings: MotionSettings) -> LmdmState:
        """The state before a call's first frame. Raises `InvalidInputError` for bad settings."""
        asked = settings.sampling_steps
        steps = self._driving.sampling_steps if asked is None else asked
        if not 1 <= steps <= MAX_STEPS:
            raise InvalidInputError("sampling_steps", f"{steps}; allowed: 1 to {MAX_STEPS}")
        if not 0 <= settings.emotion_intensity <= 1:
            raise InvalidInputError(
                "emotion_intensity", f"{settings.emotion_intensity}; allowed: 0 to 1"
            )
        return LmdmState(
            schedule=scheduler.init_state(self._silence, identity.reference_motion, self._options),
            seed=settings.seed,
            steps=steps,
            emotion=intense_emotion(settings.emotion, settings.emotion_intensity),
            canonical_keypoints=identity.canonical_keypoints,
            reference_motion=identity.reference_motion,
            eye_state=identity.eye_state,
        )

    def step(self, state: LmdmState, features: Array) -> tuple[LmdmState, Array | None]:
        """Take features (T, D), any T; give the motion frames now complete, (T', 265)."""
        if not np.isfinite(features).all():
            raise InvalidInputError("features", "must be finite")
        return self._advance(state, scheduler.push(state.schedule, features))

    def flush(self, state: LmdmState) -> tuple[LmdmState, Array | None]:
        """End of speech: the rest, so that every feature frame got its motion frame."""
        return self._advance(state, scheduler.finish(state.schedule))

    def _advance(
        self, state: LmdmState, schedule: SchedulerState
    ) -> tuple[LmdmState, Array | None]:
        """Predict every window that is ready; also those that give no frame yet."""
        shown: list[Array] = []
        while (window := scheduler.next_window(schedule, self._options)) is not None:
            first_frame = schedule.emitted_frame
            prediction = self._predict(state, window)
            schedule, frames = scheduler.accept(schedule, prediction, self._options)
            if frames is not None:
                assert schedule.anchor is not None, "frames come after the first prediction"
                shown.append(self._on_portrait(state, frames, schedule.anchor, first_frame))
        return replace(state, schedule=schedule), np.concatenate(shown) if shown else None

    def _predict(self, state: LmdmState, window: Window) -> Array:
        source = ConditionSource(
            keypoints=state.canonical_keypoints,
            eye_open=state.eye_state[None, :2],
            eye_ball=state.eye_state[None, 2:],
            emotions=state.emotion,
        )
        rows = condition.assemble(window.features, window.first_frame, source)
        frames = self._sampler.frames
        noise = seeded_noise(state.seed, window.first_frame, frames, MOTION_DIM, state.steps)
        return self._sampler.sample(noise, window.reference, rows)

    def _on_portrait(
        self, state: LmdmState, frames: Array, anchor: Array, first_frame: int
    ) -> Array:
        """Relative driving, and the eyes from the blink table where there is one."""
        motion = np.asarray(state.reference_motion + (frames - anchor), np.float32)
        deltas = self._driving.blink_deltas
        if deltas is not None:
            rows = _blinks(state.seed, self._driving.blink_open_frames)
            shown = rows[np.arange(first_frame, first_frame + len(frames)) % len(rows)]
            own = state.reference_motion[EXPRESSION]
            columns = EXPRESSION.start + _EYE_DIMENSIONS
            motion[:, columns] = (own + deltas[shown])[:, _EYE_DIMENSIONS]
        return motion


_EYE_DIMENSIONS = np.arange(3 * KEYPOINTS).reshape(KEYPOINTS, 3)[list(EYE_KEYPOINTS)].ravel()


@lru_cache(maxsize=64)
def _blinks(seed: int, open_frames: int | tuple[int, ...]) -> NDArray[np.int64]:
    """Table rows of a call's frames, repeated for ever."""
    return blink_rows(ENDLESS_FRAMES, open_frames, random.Random(seed))  # noqa: S311
