"""The three stage interfaces that every model pack implements.

A stage streams: ``init_state -> step(state, chunk) -> (state, out | None) -> flush(state)``.
The state is a small frozen dataclass of arrays and numbers that the caller owns, so that a call can
be checkpointed, moved to another replica, and never mixes with its neighbour. A stage object holds
weights only and may be shared by any number of calls.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Image = NDArray[np.uint8]

State = TypeVar("State")
Appearance = TypeVar("Appearance")

EMOTIONS = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise", "contempt")
"""The eight emotion classes, in the order of the condition vector (paper 3.2.1)."""


@dataclass(frozen=True)
class FaceIdentity:
    """What the motion stage must know of a portrait: small vectors, cheap to send with a call."""

    canonical_keypoints: Array
    """(63,) canonical keypoints, the paper's c_ref."""
    reference_motion: Array
    """(265,) the portrait's own motion frame, the paper's m_ref."""
    eye_state: Array
    """(8,) eye-open left, right; eye-ball xL, xR, yL, yR, zL, zR: the paper's e."""


@dataclass(frozen=True)
class MotionSettings:
    """What a call may choose about its motion."""

    seed: int = 0
    """Noise is a pure function of (seed, absolute frame)."""
    emotion: str = "neutral"
    """One of `EMOTIONS`."""
    emotion_intensity: float = 1.0
    """0 (neutral) to 1 (as trained)."""
    sampling_steps: int | None = None
    """Denoising steps a segment; None takes the pack's default."""
    step_divisor: int = 1
    """Divides that number, rounded up, while a replica has little headroom."""
    blinks_per_minute: float | None = None
    """Rate of natural blinks; None takes the pack's."""
    blink_frames: float | None = None
    """Length of a natural blink; None takes the pack's."""
    saccade_gain: float = 1.0
    """Size of the small natural glances, 0 to 2."""


class AudioEncoder(Protocol[State]):
    """Speech samples to features at the pack's frame rate (paper 3.3.1)."""

    sample_rate_hz: int
    """Rate of the samples that `step` takes."""
    frame_rate: int
    """Feature frames a second."""
    feature_dim: int
    """D, width of one feature frame."""
    hop_frames: int
    """Valid frames that one unit yields."""
    look_ahead_samples: int
    """Samples after a unit's end that its features depend on."""

    def init_state(self) -> State: ...

    def step(self, state: State, samples: Array) -> tuple[State, Array | None]:
        """Take samples (n,), any n, in [-1, 1]; give the feature frames now complete, (T, D)."""

    def flush(self, state: State) -> tuple[State, Array | None]:
        """End of speech: the rest; in all ceil(total samples / samples a frame) frames came out."""


class MotionGenerator(Protocol[State]):
    """Features to motion frames, by conditional diffusion in motion space (paper 3.2)."""

    feature_dim: int
    segment_frames: int
    """Frames that one sampling yields; features are consumed in this unit."""

    def init_state(self, identity: FaceIdentity, settings: MotionSettings) -> State: ...

    def step(self, state: State, features: Array) -> tuple[State, Array | None]:
        """Take features (T, D), any T; give the motion frames now complete, (T', 265)."""

    def flush(self, state: State) -> tuple[State, Array | None]:
        """End of speech: the rest, so that every feature frame got its motion frame."""


@runtime_checkable
class BatchedStage(Protocol[State]):
    """An audio encoder or motion generator that computes steps of several calls together."""

    def step_many(
        self, states: Sequence[State], chunks: Sequence[Array]
    ) -> list[tuple[State, Array | None]]:
        """``step`` of each call, in order; the same to 1e-4 as one by one."""


@runtime_checkable
class BatchedRenderer(Protocol):
    """A renderer that draws the frames of several calls together."""

    def render_heads(self, appearances: Sequence[Any], motions: Sequence[Array]) -> Sequence[Image]:
        """`Renderer.render_head` of each call, in order; 50 dB or nearer to one by one."""


@runtime_checkable
class RepaintsFullViews(Protocol):
    """A renderer that changes an earlier FULL view instead of making a new one."""

    def repaint_full(self, appearance: Any, head: Image, picture: Image) -> None:
        """`Renderer.paste_back` into ``picture``, which it gave for the same appearance before."""


@runtime_checkable
class AdjustableGenerator(Protocol[State]):
    """A motion generator whose emotion, eyes and step divisor may change while a call runs."""

    def adjust(self, state: State, settings: MotionSettings) -> State:
        """The state with these settings from its next segment on; the seed stays."""


@runtime_checkable
class RewindableGenerator(Protocol[State]):
    """A motion generator that can go on from between two of its segments."""

    def settle(self, state: State) -> State:
        """The state after every feature frame that was taken, ready for more."""


@runtime_checkable
class CorrectsGaze(Protocol):
    """A motion generator whose glances do not know of the head's turn (paper 3.2.3)."""

    @property
    def gaze_matrix(self) -> Array:
        """K (63, 3): expression change per degree of pitch, yaw, roll; `ditto.motion.gaze`."""


@dataclass(frozen=True)
class Portrait(Generic[Appearance]):
    """A registered portrait: everything that rendering needs, computed once per identity."""

    appearance: Appearance
    """Pack-specific, read-only; `Renderer.dump_appearance` gives its bytes for the cache."""
    identity: FaceIdentity
    warnings: tuple[str, ...] = field(default=())
    """What will look worse than usual, and why (a turned face, glasses, a tiny face ...)."""


class Renderer(Protocol[Appearance]):
    """Motion frames to pixels, by warping a portrait's cached appearance (paper 3.1)."""

    head_size: int
    """Side of the square HEAD view, in pixels."""

    def prepare(self, image: Image) -> Portrait[Appearance]:
        """Register an RGB portrait (H, W, 3). Raises `ditto.errors.FaceError` for unusable ones."""

    def full_size(self, appearance: Appearance) -> tuple[int, int]:
        """Width and height of the FULL view, in pixels."""

    def render_head(self, appearance: Appearance, motion: Array) -> Image:
        """One HEAD frame (S, S, 3) RGB of one motion frame (265,)."""

    def paste_back(self, appearance: Appearance, head: Image) -> Image:
        """The FULL view (H, W, 3) RGB: a rendered head stitched back into the whole portrait."""

    def dump_appearance(self, portrait: Portrait[Appearance]) -> bytes:
        """The portrait as bytes for the cache; nothing in them can execute when read."""

    def load_appearance(self, data: bytes) -> Portrait[Appearance]:
        """Inverse of `dump_appearance`. Raises `ditto.errors.CorruptDataError`."""


class Progress(NamedTuple):
    """How far the preparation of a portrait video is."""

    frames_done: int
    frames: int
    """In all; 0 while they are being counted."""


@runtime_checkable
class AnimatesVideos(Protocol[Appearance]):
    """A renderer whose portraits may be short videos, played forward and backward for ever.

    Output frame i shows source frame ``ditto.motion.mirror.mirror_index(i, source frames)``: its
    body, background and own head pose, moved further by as much as motion frame i differs from the
    portrait's reference motion, which is that of source frame 0.
    """

    def prepare_video(
        self, images: Iterable[Image]
    ) -> Generator[Progress, None, Portrait[Appearance]]:
        """Register a video of RGB pictures, walked through more than once.

        A generator, so that other work may go on between two of its steps; returns the portrait.
        Raises `ditto.errors.FaceError`, saying when, for a face that is lost or cannot be used.
        """

    def appearance_at(self, appearance: Appearance, frame: int) -> Appearance:
        """What output frame ``frame`` is rendered and pasted from; a still one gives itself."""

    def source_frames(self, appearance: Appearance) -> int:
        """Pictures that a portrait has; 1 for a still one."""


@runtime_checkable
class ExtractsMotion(Protocol):
    """A renderer that also reads how a face in a video moves, so that it can drive portraits."""

    def extract_motion(self, images: Iterable[Image]) -> Array:
        """Motion frames (T, 265) of the face in RGB pictures (H, W, 3), T >= 1, at 25 a second.

        Raises `ditto.errors.FaceError` when the first one shows none.
        """
