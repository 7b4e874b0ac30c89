"""Segment-wise fusion: overlapping predictions become one motion sequence (paper 3.3.2).

A segment is T frames; V = T - overlap of them are new each time, and the last F frames so far are
blended into their re-prediction. Letters: L frames held so far, V valid frames, F blended frames.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ditto.errors import InvalidInputError
from ditto.motion.layout import EXPRESSION, MOTION_DIM

Array = NDArray[np.float32]

SMOOTHED = slice(0, EXPRESSION.start)
"""Scale, pose and translation are smoothed; expressions are left sharp for the lips' sake."""


@dataclass(frozen=True)
class FuseOptions:
    """How segments overlap, and what each new segment is conditioned on."""

    overlap: int = 10
    """Frames that neighbouring segments share: about 10 offline, 70 to 75 online."""
    segment_frames: int = 80
    """T, frames of one prediction."""
    online: bool = False
    """Online blends at most the V frames that each segment adds, so that emission can follow."""
    smooth_frames: int = 3
    """Width of the centred box filter; 1 turns smoothing off."""
    reset_every: int = 0
    """Every so many segments the reference motion returns to the source; 0 never."""
    reset_keeps: tuple[int, int] | None = None
    """Dimensions [start, end) that go on following the prediction through a reset."""

    def __post_init__(self) -> None:
        if not 0 < self.overlap < self.segment_frames:
            raise InvalidInputError("overlap", f"{self.overlap} is not below {self.segment_frames}")
        if self.smooth_frames < 1:
            raise InvalidInputError("smooth_frames", f"{self.smooth_frames} is below 1")

    @property
    def valid_frames(self) -> int:
        """V, frames that each segment after the first adds."""
        return self.segment_frames - self.overlap

    @property
    def blend_frames(self) -> int:
        """F, frames that are blended with their re-prediction."""
        return min(self.overlap, self.valid_frames) if self.online else self.overlap


@dataclass(frozen=True)
class FuseState:
    """The fused sequence so far, and what the next segment starts from."""

    source: Array
    """(265,) the portrait's own motion."""
    reference: Array
    """(265,) the paper's m_ref for the next prediction, `kp_cond` in the released code."""
    frames: Array
    """(L, 265); the last F rows still change when the next segment arrives."""
    segments: int = 0


def init_state(source: Array) -> FuseState:
    """Nothing predicted yet; the first segment starts from the source's own motion (265,)."""
    if source.shape != (MOTION_DIM,):
        raise InvalidInputError("source", f"motion must be ({MOTION_DIM},), got {source.shape}")
    return FuseState(source, source, np.empty((0, MOTION_DIM), np.float32))


def smooth(frames: Array, start: int, end: int, width: int) -> Array:
    """Frames (L, 265), dims 0..201 of rows [start, end) box-filtered; the window is clipped."""
    rows = range(max(start, 0), min(end, len(frames)))
    if width < 2 or not rows:
        return frames
    half = width // 2
    pose = frames[:, SMOOTHED]
    smoothed = frames.copy()
    smoothed[rows.start : rows.stop, SMOOTHED] = [
        pose[max(row - half, 0) : row + half + 1].mean(axis=0) for row in rows
    ]
    return smoothed


def blend_weights(frames: int) -> Array:
    """(F,) share of the new prediction, ``[0, 1, ..., F-1] / F``."""
    return np.arange(frames, dtype=np.float32) / np.float32(frames)


def step(state: FuseState, prediction: Array, options: FuseOptions) -> FuseState:
    """Fuse one prediction (T, 265); V rows are added after the first."""
    if prediction.shape != (options.segment_frames, MOTION_DIM):
        raise InvalidInputError("prediction", f"unexpected shape {prediction.shape}")
    segments = state.segments + 1
    if segments == 1:
        frames = smooth(prediction, 0, len(prediction), options.smooth_frames)
    else:
        frames = _append(state.frames, prediction, options)
    followed = frames[len(frames) - options.overlap - 1]
    reference = _next_reference(state.source, followed, segments, options)
    return replace(state, reference=reference, frames=frames, segments=segments)


def _append(frames: Array, prediction: Array, options: FuseOptions) -> Array:
    valid, blend = options.valid_frames, options.blend_frames
    kept, old = frames[: len(frames) - blend], frames[len(frames) - blend :]
    again, new = prediction[-valid - blend : -valid], prediction[-valid:]
    weights = blend_weights(blend)[:, None]  # F 1
    fused = np.concatenate([kept, old * (1 - weights) + again * weights, new])
    return smooth(fused, len(kept), len(kept) + blend + 1, options.smooth_frames)


def _next_reference(source: Array, followed: Array, segments: int, options: FuseOptions) -> Array:
    if not options.reset_every or segments % options.reset_every:
        return followed
    reference = source.copy()
    if options.reset_keeps is not None:
        start, end = options.reset_keeps
        reference[start:end] = followed[start:end]
    return reference


def keep_last(state: FuseState, frames: int) -> FuseState:
    """The same state with at most its last ``frames`` rows, so that a long call stays bounded."""
    return replace(state, frames=state.frames[-frames:])


def finish_offline(state: FuseState, frames: int, options: FuseOptions) -> Array:
    """The offline result (frames, 265): trimmed to the speech, and smoothed once more."""
    trimmed = state.frames[:frames]
    return smooth(trimmed, 0, len(trimmed), options.smooth_frames)
