"""The pack's motion stage: the motion diffusion model over fused segments (paper 3.2, 3.3.2).

T segment frames, V new frames a segment, D feature width, C condition width, B calls.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ditto.diffusion.ddim_noise import SegmentNoise, seeded_noise
from ditto.diffusion.steps import sampling_steps
from ditto.errors import InvalidInputError
from ditto.motion import condition, scheduler
from ditto.motion.blink import ENDLESS_FRAMES, blink_rows
from ditto.motion.condition import ConditionSource, intense_emotion
from ditto.motion.fuse import FuseOptions
from ditto.motion.gaze import released_gaze
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
        self.gaze_matrix = released_gaze()
        self.segment_frames = fusing.valid_frames
        self.feature_dim: int = silence.shape[1]

    def init_state(self, identity: FaceIdentity, settings: MotionSettings) -> LmdmState:
        """The state before a call's first frame. Raises `InvalidInputError` for bad settings."""
        steps = self._steps(settings)
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

    def adjust(self, state: LmdmState, settings: MotionSettings) -> LmdmState:
        """Another emotion and steps from the next window on; this model's blinks come from a
        table."""
        emotion = intense_emotion(settings.emotion, settings.emotion_intensity)
        return replace(state, emotion=emotion, steps=self._steps(settings))

    def _steps(self, settings: MotionSettings) -> int:
        return sampling_steps(settings, self._driving.sampling_steps, MAX_STEPS)

    def step(self, state: LmdmState, features: Array) -> tuple[LmdmState, Array | None]:
        """Take features (T, D), any T; give the motion frames now complete, (T', 265)."""
        return self.step_many([state], [features])[0]

    def step_many(
        self, states: Sequence[LmdmState], chunks: Sequence[Array]
    ) -> list[tuple[LmdmState, Array | None]]:
        """`step` for several calls at once; segments that are ready together are one batch."""
        if not all(np.isfinite(features).all() for features in chunks):
            raise InvalidInputError("features", "must be finite")
        pairs = zip(states, chunks, strict=True)
        return self._advance(
            [
                replace(state, schedule=scheduler.push(state.schedule, features))
                for state, features in pairs
            ]
        )

    def flush(self, state: LmdmState) -> tuple[LmdmState, Array | None]:
        """End of speech: the rest, so that every feature frame got its motion frame."""
        return self._advance([replace(state, schedule=scheduler.finish(state.schedule))])[0]

    def _advance(self, states: list[LmdmState]) -> list[tuple[LmdmState, Array | None]]:
        """Predict every window that is ready; also those that give no frame yet."""
        shown: list[list[Array]] = [[] for _ in states]
        while windows := self._ready(states):
            for steps in {states[i].steps for i in windows}:
                group = [i for i in windows if states[i].steps == steps]
                predictions = self._predict([(states[i], windows[i]) for i in group])
                for i, prediction in zip(group, predictions, strict=True):
                    states[i], frames = self._accept(states[i], prediction)
                    shown[i] += frames
        joined = [np.concatenate(frames) if frames else None for frames in shown]
        return list(zip(states, joined, strict=True))

    def _ready(self, states: list[LmdmState]) -> dict[int, Window]:
        found = {
            i: scheduler.next_window(state.schedule, self._options)
            for i, state in enumerate(states)
        }
        return {i: window for i, window in found.items() if window is not None}

    def _accept(self, state: LmdmState, prediction: Array) -> tuple[LmdmState, list[Array]]:
        first_frame = state.schedule.emitted_frame
        schedule, frames = scheduler.accept(state.schedule, prediction, self._options)
        state = replace(state, schedule=schedule)
        if frames is None:
            return state, []
        assert schedule.anchor is not None, "frames come after the first prediction"
        return state, [self._on_portrait(state, frames, schedule.anchor, first_frame)]

    def _predict(self, calls: list[tuple[LmdmState, Window]]) -> Array:
        """Windows of calls with one number of steps to motion (B, T, 265)."""
        noises = [
            seeded_noise(
                state.seed, window.first_frame, self._sampler.frames, MOTION_DIM, state.steps
            )
            for state, window in calls
        ]
        noise = SegmentNoise(
            np.concatenate([one.initial for one in noises]),
            np.concatenate([one.steps for one in noises], axis=1),
        )
        references = np.stack([window.reference for _, window in calls])
        conditions = np.stack([_conditions(state, window) for state, window in calls])
        return self._sampler.sample(noise, references, conditions)

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


def _conditions(state: LmdmState, window: Window) -> Array:
    """The window's condition rows (T, C)."""
    source = ConditionSource(
        keypoints=state.canonical_keypoints,
        eye_open=state.eye_state[None, :2],
        eye_ball=state.eye_state[None, 2:],
        emotions=state.emotion,
    )
    return condition.assemble(window.features, window.first_frame, source)


_EYE_DIMENSIONS = np.arange(3 * KEYPOINTS).reshape(KEYPOINTS, 3)[list(EYE_KEYPOINTS)].ravel()


@lru_cache(maxsize=64)
def _blinks(seed: int, open_frames: int | tuple[int, ...]) -> NDArray[np.int64]:
    """Table rows of a call's frames, repeated for ever."""
    return blink_rows(ENDLESS_FRAMES, open_frames, random.Random(seed))  # noqa: S311
