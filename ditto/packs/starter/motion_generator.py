"""The starter pack's motion stage: a small diffusion transformer, streamed (paper 3.2, 3.3.2).

Every segment of 5 frames is sampled behind the frames already shown, in a few deterministic steps.
Blinks, glances and posture come from seeded processes (`behaviour`) that condition the network.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnxruntime as ort

from ditto.diffusion.few_step import keyed_noise, sample, soften_seam
from ditto.diffusion.steps import sampling_steps
from ditto.errors import InvalidInputError
from ditto.motion.layout import EXPRESSION_DIM
from ditto.packs.starter import behaviour, brightness, conditions, coordinates
from ditto.packs.starter.lip_follow import follow_voice, heard_so_far
from ditto.packs.starter.lip_seal import seal_lips
from ditto.stages import EMOTIONS, Array, FaceIdentity, MotionSettings

DEFAULT_STEPS = 2
MAX_STEPS = 50
_MOUTH_GUIDANCE = 1.4
_MOUTH_TEMPERATURE = 0.5
"""SD of the mouth's noise: nearer to the mean of samples, which follows speech best
(docs/quality.md)."""
_HEAD_SEAM_STRENGTH = 2.0
_EMOTION_FRAMES = 15
"""A change of emotion is in full effect after so many frames."""


@dataclass(frozen=True)
class MotionState:
    """What one call's generator remembers: the last frames shown, and what the call asked for."""

    shown: Array
    """(P, C) standardised coordinates of the last frames."""
    shown_tokens: Array
    """(P, D) their condition tokens."""
    waiting: Array
    """(n, 770) features, n < segment, of a segment not yet complete."""
    heard: Array
    """(2,) `lip_follow.heard_so_far`."""
    frame: int
    """Absolute index of the next frame."""
    seed: int
    steps: int
    emotion: Array
    """(8,) emotion vector."""
    emotion_before: Array
    """(8,) the one that it takes over from."""
    emotion_frame: int
    """Frame at which it begins to."""
    blinks_per_minute: float | None
    blink_frames: float | None
    saccade_gain: float
    canonical_keypoints: Array
    """(63,)"""
    reference_motion: Array
    """(265,)"""


class StarterMotionGenerator:
    """`ditto.stages.MotionGenerator` on ONNX Runtime, one thread.

    Holds weights alone; may be shared by any number of calls and threads.
    """

    def __init__(
        self, model_path: Path, threads: int = 1, gaze_matrix: Array | None = None
    ) -> None:
        """gaze_matrix: K (63, 3) of `ditto.motion.gaze`; None lets the eyes go with the head."""
        nothing = np.zeros((EXPRESSION_DIM, 3), np.float32)
        self.gaze_matrix = nothing if gaze_matrix is None else gaze_matrix
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        self._session = ort.InferenceSession(
            str(model_path), options, providers=["CPUExecutionProvider"]
        )
        facts = self._session.get_modelmeta().custom_metadata_map
        self.centre = np.array(json.loads(facts["mean"]), np.float32)
        self.spread = np.array(json.loads(facts["scale"]), np.float32)
        shapes = {node.name: node.shape for node in self._session.get_inputs()}
        self._prefix_frames, self._token_width = shapes["shown_tokens"][1:]
        self.segment_frames, speech_dim = shapes["audio"][1:]
        self.feature_dim = speech_dim + brightness.COUNT
        self._guidance = np.ones(coordinates.COUNT, np.float32)
        self._guidance[list(coordinates.MOUTH)] = _MOUTH_GUIDANCE
        self._temperature = np.ones(coordinates.COUNT, np.float32)
        self._temperature[list(coordinates.MOUTH)] = _MOUTH_TEMPERATURE
        self._seam_strength = np.ones(coordinates.COUNT, np.float32)
        self._seam_strength[coordinates.POSE_PART] = _HEAD_SEAM_STRENGTH

    def init_state(self, identity: FaceIdentity, settings: MotionSettings) -> MotionState:
        """The state before a call's first frame. Raises `InvalidInputError` for bad settings."""
        steps = sampling_steps(settings, DEFAULT_STEPS, MAX_STEPS)
        emotion = _emotion_vector(settings)
        state = MotionState(
            shown=self._standard(np.zeros((self._prefix_frames, coordinates.COUNT), np.float32)),
            shown_tokens=np.zeros((self._prefix_frames, self._token_width), np.float32),
            waiting=np.zeros((0, self.feature_dim), np.float32),
            heard=np.zeros(brightness.COUNT, np.float32),
            frame=0,
            seed=settings.seed,
            steps=steps,
            emotion=emotion,
            emotion_before=emotion,
            emotion_frame=0,
            blinks_per_minute=settings.blinks_per_minute,
            blink_frames=settings.blink_frames,
            saccade_gain=settings.saccade_gain,
            canonical_keypoints=identity.canonical_keypoints,
            reference_motion=identity.reference_motion,
        )
        return replace(state, shown_tokens=self._rest_tokens(state))

    def adjust(self, state: MotionState, settings: MotionSettings) -> MotionState:
        """Another emotion, eased in, other eyes and steps from the next segment on."""
        emotion = _emotion_vector(settings)
        if (emotion != state.emotion).any():
            before = _eased_emotion(state, np.array([state.frame]))[0]
            state = replace(
                state, emotion=emotion, emotion_before=before, emotion_frame=state.frame
            )
        return replace(
            state,
            steps=sampling_steps(settings, DEFAULT_STEPS, MAX_STEPS),
            blinks_per_minute=settings.blinks_per_minute,
            blink_frames=settings.blink_frames,
            saccade_gain=settings.saccade_gain,
        )

    def step(self, state: MotionState, features: Array) -> tuple[MotionState, Array | None]:
        """Take features (T, 770), any T; give the motion frames now complete, (T', 265)."""
        return self.step_many([state], [features])[0]

    def step_many(
        self, states: Sequence[MotionState], chunks: Sequence[Array]
    ) -> list[tuple[MotionState, Array | None]]:
        """`step` for several calls at once; segments that are ready together share their runs."""
        states = [self._append(state, chunk) for state, chunk in zip(states, chunks, strict=True)]
        frames: list[list[Array]] = [[] for _ in states]
        while ready := [i for i, state in enumerate(states) if self._is_ready(state)]:
            for steps in {states[i].steps for i in ready}:
                group = [i for i in ready if states[i].steps == steps]
                sampled = self._sample_segments([states[i] for i in group])
                for i, segment, tokens in zip(group, *sampled, strict=True):
                    after = self._advance(states[i], segment, tokens)
                    frames[i].append(self._lift(states[i], segment, after.heard))
                    states[i] = after
        joined = [np.concatenate(new) if new else None for new in frames]
        return list(zip(states, joined, strict=True))

    def flush(self, state: MotionState) -> tuple[MotionState, Array | None]:
        """End of speech: the rest, so that every feature frame got its motion frame."""
        left = len(state.waiting)
        if left == 0:
            return state, None
        filler = np.repeat(state.waiting[-1:], self.segment_frames - left, axis=0)
        filled = replace(state, waiting=np.concatenate([state.waiting, filler]))
        (segment,), (tokens,) = self._sample_segments([filled])
        kept = segment[:left]
        after = self._advance(state, kept, tokens[:left])
        return after, self._lift(state, kept, after.heard)

    def settle(self, state: MotionState) -> MotionState:
        """The state after a segment that was cut short, ready for more."""
        return self.flush(state)[0]

    def _append(self, state: MotionState, features: Array) -> MotionState:
        shape = (-1, self.feature_dim)
        if features.ndim != 2 or features.shape[1] != shape[1] or not np.isfinite(features).all():
            problem = f"shape {features.shape}; allowed: (T, {self.feature_dim}), all finite"
            raise InvalidInputError("features", problem)
        waiting = np.concatenate([state.waiting, features.astype(np.float32, copy=False)])
        return replace(state, waiting=waiting)

    def _is_ready(self, state: MotionState) -> bool:
        return bool(len(state.waiting) >= self.segment_frames)

    def _sample_segments(self, states: list[MotionState]) -> tuple[Array, Array]:
        """The next segments (B, K, C) of states with one number of steps, and their tokens."""
        inputs = self._inputs(states)
        tokens = np.empty(0, np.float32)

        def denoise(noisy: Array, t: float) -> Array:
            nonlocal tokens
            times = np.full(len(states), t, np.float32)
            clean, tokens = self._session.run(
                ["clean", "tokens"], {**inputs, "noisy": noisy, "t": times}
            )
            return np.asarray(clean)

        size = (self.segment_frames, coordinates.COUNT)
        noise = np.stack([keyed_noise(state.seed, state.frame, *size) for state in states])
        segments = sample(denoise, noise * self._temperature, states[0].steps)
        return soften_seam(inputs["shown"], segments, self._seam_strength), tokens

    def _inputs(self, states: list[MotionState]) -> dict[str, Array]:
        """What does not change from one denoising step to the next."""
        rows = [self._conditions(state) for state in states]
        segment = np.s_[: self.segment_frames, brightness.SPEECH]
        return {
            "shown": np.stack([state.shown for state in states]),
            "shown_tokens": np.stack([state.shown_tokens for state in states]),
            "steer": np.stack([steer for steer, _ in rows]),
            "audio": np.stack([state.waiting[segment] for state in states]),
            "enhanced": np.stack([enhanced for _, enhanced in rows]),
            "guidance": np.broadcast_to(self._guidance, (len(states), coordinates.COUNT)),
        }

    def _conditions(self, state: MotionState) -> tuple[Array, Array]:
        """Steering motion (P + K, C) of shown and coming frames, enhanced conditions (K, E)."""
        coming = np.arange(state.frame, state.frame + self.segment_frames)
        every = np.arange(state.frame - self._prefix_frames, coming[-1] + 1)
        steer = self.reference(state, every)
        eyes = behaviour.eye_state(
            behaviour.blink(state.seed, coming, state.blinks_per_minute, state.blink_frames),
            behaviour.gaze(state.seed, coming) * np.float32(state.saccade_gain),
        )
        emotions = _eased_emotion(state, coming)
        enhanced = conditions.enhanced(eyes, state.canonical_keypoints, emotions)
        return self._standard(steer), enhanced

    def reference(self, state: MotionState, frames: behaviour.Frames) -> Array:
        """The initial signal m_ref (T, C) of absolute frames (T,), which steers the head."""
        return behaviour.reference_steer(behaviour.posture(state.seed, frames))

    def _rest_tokens(self, state: MotionState) -> Array:
        """(P, D) tokens of the time before the first frame: nothing heard, eyes at rest."""
        still = np.zeros((self.segment_frames, 2), np.float32)
        eyes = behaviour.eye_state(still[:, 0], still)
        enhanced = conditions.enhanced(eyes, state.canonical_keypoints, state.emotion)
        silence = np.zeros((self.segment_frames, self.feature_dim), np.float32)
        inputs = self._inputs([replace(state, waiting=silence)]) | {"enhanced": enhanced[None]}
        inputs["noisy"] = np.zeros((1, self.segment_frames, coordinates.COUNT), np.float32)
        inputs["t"] = np.ones(1, np.float32)
        (tokens,) = self._session.run(["silent_tokens"], inputs)
        return np.repeat(tokens[0, :1], self._prefix_frames, axis=0)

    def _advance(self, state: MotionState, segment: Array, tokens: Array) -> MotionState:
        return replace(
            state,
            shown=np.concatenate([state.shown, segment])[-self._prefix_frames :],
            shown_tokens=np.concatenate([state.shown_tokens, tokens])[-self._prefix_frames :],
            waiting=state.waiting[len(segment) :],
            heard=heard_so_far(state.heard, _bright(state, segment)),
            frame=state.frame + len(segment),
        )

    def _lift(self, state: MotionState, segment: Array, heard: Array) -> Array:
        """Motion frames of a segment; heard: what was, this segment among it."""
        sealed = seal_lips(segment * self.spread + self.centre)
        motion = follow_voice(sealed, _bright(state, segment), heard)
        return coordinates.lift(motion, state.reference_motion)

    def _standard(self, motion: Array) -> Array:
        return np.asarray((motion - self.centre) / self.spread, np.float32)


def _bright(state: MotionState, segment: Array) -> Array:
    """(T, 2) brightness of the next segment's frames."""
    return state.waiting[: len(segment), brightness.BRIGHT]


def _emotion_vector(settings: MotionSettings) -> Array:
    if settings.emotion not in EMOTIONS:
        raise InvalidInputError(
            "emotion", f"unknown {settings.emotion!r}; allowed: {', '.join(EMOTIONS)}"
        )
    if not 0 <= settings.emotion_intensity <= 1:
        raise InvalidInputError(
            "emotion_intensity", f"{settings.emotion_intensity}; allowed: 0 to 1"
        )
    return conditions.emotion(EMOTIONS.index(settings.emotion), settings.emotion_intensity)


def _eased_emotion(state: MotionState, frames: behaviour.Frames) -> Array:
    """(T, 8) emotion of each frame, changing evenly from the last one to the present."""
    if state.emotion_before is state.emotion:
        return state.emotion[None]
    share = np.clip((frames - state.emotion_frame) / _EMOTION_FRAMES, 0, 1)[:, None]
    mixed = state.emotion_before + share * (state.emotion - state.emotion_before)
    return np.asarray(mixed, np.float32)
