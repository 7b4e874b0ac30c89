"""The frame scheduler of streamed motion: which window to predict next, which frames to emit when.

A pure state machine around the predictor, so that windows of many calls can be batched::

    state = push(state, features)            # or finish(state) at the end of speech
    while (window := next_window(state, options)) is not None:
        state, frames = accept(state, predict(window), options)

`step` and `flush` are this loop for a single call (paper 3.3.2). Frames are numbered from the first
feature frame of the speech; the silent prefix has negative numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from ditto.errors import InvalidInputError, ProtocolError
from ditto.motion import fuse
from ditto.motion.fuse import FuseOptions, FuseState

Array = NDArray[np.float32]

KEPT_SEGMENTS = 2
"""The fused buffer holds at most this many segments."""


@dataclass(frozen=True)
class SchedulerOptions:
    """How a call is cut into windows, and how literally the released worker is followed."""

    fuse: FuseOptions = field(default_factory=lambda: FuseOptions(overlap=70, online=True))
    limits: tuple[Array, Array] | None = None
    """Lowest and highest motion, (265,) each, applied to everything that leaves (paper 3.2.3)."""
    keep_reference_count: bool = False
    """False gives one motion frame for every feature frame. True keeps the released worker's
    count: its end is padded with repeated audio, speech shorter than V frames gives nothing, and
    below an overlap of half a segment the first V - F frames are lost."""


@dataclass(frozen=True)
class Window:
    """One prediction to make."""

    features: Array
    """(T, D), the last row repeated where the speech has ended."""
    first_frame: int
    """Frame number of row 0."""
    reference: Array
    """(265,) the paper's m_ref."""


Predict = Callable[[Window], Array]
"""Window -> motion (T, 265)."""


@dataclass(frozen=True)
class SchedulerState:
    """One call's bounded buffers."""

    features: Array
    """(N, D) from `window_frame` on."""
    window_frame: int
    """First frame of the next window."""
    fused: FuseState
    emitted_frame: int
    """The next motion frame to emit."""
    anchor: Array | None = None
    """(265,) the d0 of relative driving: the first row of the first segment."""
    ended: bool = False

    @property
    def end_frame(self) -> int:
        """One past the last feature frame that has arrived."""
        return self.window_frame + len(self.features)


def init_state(silence: Array, source: Array, options: SchedulerOptions) -> SchedulerState:
    """Start a call from features of silence (overlap, D) and the portrait's own motion (265,)."""
    overlap = options.fuse.overlap
    if silence.ndim != 2 or len(silence) != overlap:
        raise InvalidInputError("silence", f"must be ({overlap}, D), got {silence.shape}")
    lost = options.fuse.valid_frames - options.fuse.blend_frames
    first = lost if options.keep_reference_count else 0
    return SchedulerState(silence, -overlap, fuse.init_state(source), first)


def push(state: SchedulerState, features: Array) -> SchedulerState:
    """Add feature frames (N, D)."""
    if state.ended:
        raise ProtocolError("features after the end of the speech")
    width = state.features.shape[1]
    if features.ndim != 2 or features.shape[1] != width:
        raise InvalidInputError("features", f"must be (N, {width}), got {features.shape}")
    return replace(state, features=np.concatenate([state.features, features]))


def finish(state: SchedulerState) -> SchedulerState:
    """The speech has ended: what is left may be padded to a whole window."""
    return replace(state, ended=True)


def next_window(state: SchedulerState, options: SchedulerOptions) -> Window | None:
    """The window to predict now, or None when more features are needed or all is done."""
    segment = options.fuse.segment_frames
    rows = state.features[:segment]
    if len(rows) < segment:
        if not state.ended or _is_drained(state, options):
            return None
        rows = _repeat_last(rows, segment)
    return Window(rows, state.window_frame, state.fused.reference)


def _is_drained(state: SchedulerState, options: SchedulerOptions) -> bool:
    all_out = state.emitted_frame >= state.end_frame and not options.keep_reference_count
    return all_out or not len(state.features)


def _repeat_last(rows: Array, length: int) -> Array:
    return np.concatenate([rows, np.repeat(rows[-1:], length - len(rows), axis=0)])


def accept(
    state: SchedulerState, prediction: Array, options: SchedulerOptions
) -> tuple[SchedulerState, Array | None]:
    """Fuse the prediction (T, 265) of `next_window`; give the frames (N, 265) now final."""
    segment = options.fuse.segment_frames
    taken = options.fuse.valid_frames if len(state.features) >= segment else len(state.features)
    fused = fuse.step(state.fused, prediction, options.fuse)
    end = _final_frame(state, options)
    fused_start = state.window_frame + segment - len(fused.frames)
    rows = fused.frames[state.emitted_frame - fused_start : end - fused_start]
    state = replace(
        state,
        features=state.features[taken:],
        window_frame=state.window_frame + taken,
        fused=fuse.keep_last(fused, KEPT_SEGMENTS * segment),
        emitted_frame=end,
        anchor=_limited(fused.frames[0], options) if state.anchor is None else state.anchor,
    )
    return state, _limited(rows, options) if len(rows) else None


def _final_frame(state: SchedulerState, options: SchedulerOptions) -> int:
    """One past the last frame that no later segment will change."""
    fused_end = state.window_frame + options.fuse.segment_frames
    if len(state.features) >= options.fuse.segment_frames:
        end = fused_end - options.fuse.blend_frames
    elif not options.keep_reference_count:
        end = state.end_frame
    elif state.fused.segments == 0:
        end = state.emitted_frame
    else:
        end = min(state.emitted_frame + len(state.features), fused_end)
    return max(end, state.emitted_frame)


def _limited(frames: Array, options: SchedulerOptions) -> Array:
    return frames if options.limits is None else np.clip(frames, *options.limits)


def step(
    state: SchedulerState, features: Array, predict: Predict, options: SchedulerOptions
) -> tuple[SchedulerState, Array | None]:
    """Take features (N, D), any N; give the motion frames now complete, (N', 265)."""
    return _run(push(state, features), predict, options)


def flush(
    state: SchedulerState, predict: Predict, options: SchedulerOptions
) -> tuple[SchedulerState, Array | None]:
    """End of speech: the rest of the frames."""
    return _run(finish(state), predict, options)


def _run(
    state: SchedulerState, predict: Predict, options: SchedulerOptions
) -> tuple[SchedulerState, Array | None]:
    emitted: list[Array] = []
    while (window := next_window(state, options)) is not None:
        state, frames = accept(state, predict(window), options)
        if frames is not None:
            emitted.append(frames)
    return state, np.concatenate(emitted) if emitted else None


def run_offline(
    conditions: Array, source: Array, predict: Predict, options: SchedulerOptions
) -> Array:
    """All motion frames (N, 265) of a finished speech, from the conditions (N, C) of its frames.

    A window starts at every multiple of V; the result is trimmed and smoothed once more.
    """
    state = fuse.init_state(source)
    segment = options.fuse.segment_frames
    for first in range(0, len(conditions), options.fuse.valid_frames):
        rows = _repeat_last(conditions[first : first + segment], segment)
        prediction = predict(Window(rows, first, state.reference))
        state = fuse.step(state, prediction, options.fuse)
    return _limited(fuse.finish_offline(state, len(conditions), options.fuse), options)
