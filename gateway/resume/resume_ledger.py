"""Follows one call for places where it could go on elsewhere.

Such a place is a checkpoint of the motion stage, the checkpoint of the audio encoder that ends with
the same feature frame, and what was known of the speech when the encoder was given what that one
holds. Bounded by how far the stages may be ahead of the frames that are sent (`lead_seconds`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from ditto.media.mux import SOUND_BEFORE_SAMPLES
from ditto.v1 import audio_encoder_pb2 as audio_pb
from ditto.v1 import motion_dit_pb2 as motion_pb
from ditto.v1 import types_pb2 as types
from ditto.v1.resume_pb2 import ResumeState, SpeechProgress
from gateway.call.media_clock import SAMPLE_BYTES, MediaClock
from gateway.stages.frame_blocks import frames_in

Entry = TypeVar("Entry")

_MOST = 256
"""Entries of each list; a call that needs more is not resumable for a while."""


@dataclass(frozen=True)
class Place:
    """A call as of the motion frames before `motion_frames`."""

    motion_frames: int
    motion: motion_pb.GenerateConfig
    """Checkpoint, and after an interrupt history and first frame."""
    features: int
    """Feature frames of the encoder's session."""
    encoder: bytes
    origin: int
    """The call's frame that this session counts as its first."""
    speech: SpeechProgress
    position: int
    """Samples of the caller's speech that are in `speech`."""
    controls: tuple[types.MotionControl, ...] = ()
    """Controls that the checkpoint does not know of."""
    controls_taken: int = 0
    interrupts_taken: int = 0


_START = Place(0, motion_pb.GenerateConfig(), 0, b"", 0, SpeechProgress(), 0)


@dataclass(frozen=True)
class _Encoded:
    """A checkpoint of the audio encoder."""

    end: int
    """Index after the last frame."""
    position: int
    """Samples given by then, on the media clock."""
    origin: int
    checkpoint: bytes


@dataclass
class _Lists:
    """What may become a place, in order."""

    given: deque[tuple[SpeechProgress, int]] = field(default_factory=lambda: deque(maxlen=_MOST))
    encoded: deque[_Encoded] = field(default_factory=lambda: deque(maxlen=_MOST))
    features: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=_MOST))
    """Number of the request, index after its last frame."""
    places: deque[Place] = field(default_factory=lambda: deque(maxlen=_MOST))


class ResumeLedger:
    """Told of everything that goes to the first two stages and comes back."""

    def __init__(self) -> None:
        """Knows nothing until `begin`."""
        self._media: MediaClock | None = None
        self._spacing_frames = 0
        self._keeps_sound = False
        self._lists = _Lists()
        self._last_frame = 0
        self._controls: deque[tuple[int, int, motion_pb.GenerateRequest]] = deque(maxlen=_MOST)
        self._controls_seen = self._controls_done = 0
        self._interrupts = 0
        self._sound = bytearray()
        self._sound_from = 0

    def begin(self, media: MediaClock, spacing_frames: int, keeps_sound: bool) -> None:
        """Take notes from now on; places lie at least `spacing_frames` apart."""
        self._media = media
        self._spacing_frames = spacing_frames
        self._keeps_sound = keeps_sound
        self._lists.places.append(_START)

    def resume(self, state: ResumeState) -> None:
        """Go on in a call that began elsewhere."""
        self._lists.places.clear()
        self._last_frame = state.motion_frames
        self._controls_seen = self._controls_done = state.controls_taken
        self._interrupts = state.interrupts_taken
        self._sound_from, self._sound = state.heard_from, bytearray(state.heard)

    def gave(self, pcm: bytes, speech: SpeechProgress, position: int) -> None:
        """`pcm` goes to the encoder, and this is what is known then."""
        self._lists.given.append((speech, position))
        if self._keeps_sound:
            self._sound += pcm

    def encoded(self, features: audio_pb.EncodedFeatures, origin: int, end: int) -> None:
        """Feature frames came back, up to the call's frame before `end`, from a session that counts
        from frame `origin`."""
        if self._media is not None and features.checkpoint:
            position = origin * self._media.frame_samples + features.samples_taken
            encoded = _Encoded(end, position, origin, features.checkpoint)
            self._lists.encoded.append(encoded)

    def asked(self, number: int, request: motion_pb.GenerateRequest) -> None:
        """The call's request `number` goes to the motion stage."""
        if self._media is None:
            return
        if request.HasField("features"):
            self._lists.features.append((number, frames_in(request.features).stop))
        elif request.HasField("control"):
            known = next((n for _, n, each in self._controls if each is request), None)
            if known is None:  # one that is sent again after an interrupt is not counted again
                known = self._controls_seen = self._controls_seen + 1
            self._controls.append((number, known, request))

    def moved(self, end: int, requests: int, checkpoint: bytes) -> None:
        """Motion came back up to frame `end`, with a checkpoint that covers so many requests."""
        features = -1
        while self._lists.features and self._lists.features[0][0] <= requests:
            features = self._lists.features.popleft()[1]
        while self._controls and self._controls[0][0] <= requests:
            self._controls_done = max(self._controls_done, self._controls.popleft()[1])
        encoded = _take(self._lists.encoded, lambda each: each.end, features)
        if encoded is None or end < self._last_frame + self._spacing_frames:
            return
        given = _take(self._lists.given, lambda each: each[0].fed_samples, encoded.position)
        if given is None:
            return
        self._last_frame = end
        self._lists.places.append(
            Place(
                motion_frames=end,
                motion=motion_pb.GenerateConfig(checkpoint=checkpoint),
                features=features - encoded.origin,
                encoder=encoded.checkpoint,
                origin=encoded.origin,
                speech=given[0],
                position=given[1],
                controls_taken=self._controls_done,
                interrupts_taken=self._interrupts,
            )
        )

    def restart(
        self,
        motion: motion_pb.GenerateConfig,
        controls: Sequence[motion_pb.GenerateRequest],
        speech: SpeechProgress,
        position: int,
    ) -> None:
        """An interrupt began new sessions in every stage: only what comes now counts."""
        if self._media is None:
            return
        self._interrupts += 1
        self._last_frame = first = motion.first_frame
        self._lists = _Lists()
        start = first * self._media.frame_samples
        speech.fed_samples = start
        self._sound_from, self._sound = start, bytearray()
        self._lists.places.append(
            Place(
                motion_frames=first,
                motion=motion,
                features=0,
                encoder=b"",
                origin=first,
                speech=speech,
                position=position,
                controls=tuple(request.control for request in controls),
                controls_taken=self._controls_seen,
                interrupts_taken=self._interrupts,
            )
        )

    def place(self, next_frame: int) -> Place | None:
        """The last place before a frame; places up to it are forgotten."""
        found = None
        while self._lists.places and self._lists.places[0].motion_frames <= next_frame:
            found = self._lists.places.popleft()
        return found

    def sound(self, place: Place) -> tuple[int, bytes]:
        """Position and samples of what is heard around a place, up to where its speech ends."""
        assert self._media is not None
        begins = place.motion_frames * self._media.frame_samples - SOUND_BEFORE_SAMPLES
        if begins > self._sound_from:
            del self._sound[: (begins - self._sound_from) * SAMPLE_BYTES]
            self._sound_from = begins
        count = place.speech.fed_samples - self._sound_from
        return self._sound_from, bytes(self._sound[: max(0, count) * SAMPLE_BYTES])


def _take(entries: deque[Entry], key: Callable[[Entry], int], wanted: int) -> Entry | None:
    """The entry whose key is `wanted`; those before it are forgotten."""
    while entries and key(entries[0]) < wanted:
        entries.popleft()
    return entries[0] if entries and key(entries[0]) == wanted else None
