"""The measured numbers of one call (definitions: ditto/v1/animation.proto, CallStats)."""

from __future__ import annotations

from dataclasses import dataclass, field

from ditto.serving import metrics
from ditto.v1 import animation_pb2 as pb
from ditto.v1 import types_pb2 as types
from ditto.v1.resume_pb2 import ResumeState
from gateway.call.media_clock import SAMPLE_RATE_HZ
from gateway.clock import Clock
from gateway.stages.moves import Move

STAGES = ("audio_encoder", "motion_dit", "renderer")


@dataclass
class _Work:
    """What one stage did."""

    replicas: list[str] = field(default_factory=list)
    compute_us: int = 0
    queue_us: int = 0


class CallMeasure:
    """Collects while the call runs; gives the stats message and the trailers at any time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._work = {stage: _Work() for stage in STAGES}
        self._first_byte_s: float | None = None
        self._first_unit_s: float | None = None
        self._first_frame_s: float | None = None
        self.frame_rate = 25
        self.frames_sent = 0
        self.speech_samples = 0
        """Samples received, at 16 kHz."""
        self.skew_frames = 0
        """Frames rendered beyond those that the speech and silence given amount to."""
        self.avatar_source = ""
        self._failovers = 0
        self._failover_gap_s = 0.0

    def resume(self, state: ResumeState, frames: int, speech_samples: int) -> None:
        """Go on in a call that began elsewhere, of which the caller has so many frames."""
        self.frames_sent, self.speech_samples = frames, speech_samples
        if state.ffd_ms:
            self._first_frame_s = 0.0
            self._first_byte_s = -state.ffd_ms / 1000
            self._first_unit_s = -state.ffd_compute_ms / 1000

    def speech_arrived(self) -> None:
        """A message with speech is here."""
        if self._first_byte_s is None:
            self._first_byte_s = self._clock.now()

    def first_unit_complete(self, at_s: float | None = None) -> None:
        """All the speech that the first frame waits for is here, now or since `at_s`."""
        if self._first_unit_s is None and self._first_byte_s is not None:
            moment = self._clock.now() if at_s is None else at_s
            self._first_unit_s = max(moment, self._first_byte_s)

    def serves(self, stage: str, replica: str) -> None:
        """A replica takes part in the call."""
        if replica not in self._work[stage].replicas:
            self._work[stage].replicas.append(replica)

    def moved(self, move: Move) -> None:
        """A stage replica was replaced."""
        self.serves(move.module, move.departure.taken_by)
        self._failovers += 1
        self._failover_gap_s = max(self._failover_gap_s, move.gap_s)

    def step(self, stage: str, timing: types.StepTiming) -> None:
        """One step of a stage."""
        work = self._work[stage]
        work.compute_us += timing.compute_us
        work.queue_us += timing.queue_us

    def frame_leaves(self, frame: int, first_speech_frame: int | None) -> None:
        """A frame is being sent."""
        self.frames_sent += 1
        metrics.FRAMES.labels("gateway").inc()
        is_speech = first_speech_frame is not None and frame >= first_speech_frame
        if is_speech and self._first_frame_s is None:
            self._first_frame_s = self._clock.now()
            metrics.FIRST_FRAME_DELAY.observe(self._ffd_ms / 1000)
            metrics.FIRST_FRAME_DELAY_COMPUTE.observe(self._ffd_compute_ms / 1000)

    def stats(self) -> pb.CallStats:
        """The numbers so far."""
        return pb.CallStats(
            frames=self.frames_sent,
            video_seconds=self.frames_sent / self.frame_rate,
            speech_seconds=self.speech_samples / SAMPLE_RATE_HZ,
            ffd_ms=self._ffd_ms,
            ffd_compute_ms=self._ffd_compute_ms,
            av_skew_ms=self.skew_frames * 1000 / self.frame_rate,
            modules=[self._module(stage) for stage in STAGES],
            avatar_source=self.avatar_source,
            failovers=self._failovers,
            failover_gap_ms=self._failover_gap_s * 1000,
        )

    def trailers(self) -> tuple[tuple[str, str], ...]:
        """The same numbers as trailing metadata."""
        stats = self.stats()
        rtf = {module.module: module.rtf for module in stats.modules}
        return (
            ("ditto-ffd-ms", f"{stats.ffd_ms:.1f}"),
            ("ditto-ffd-compute-ms", f"{stats.ffd_compute_ms:.1f}"),
            *((f"ditto-rtf-{stage.replace('_', '-')}", f"{rtf[stage]:.4f}") for stage in STAGES),
            ("ditto-frames", str(stats.frames)),
            ("ditto-av-skew-ms", f"{stats.av_skew_ms:.1f}"),
            ("ditto-failovers", str(stats.failovers)),
            ("ditto-failover-gap-ms", f"{stats.failover_gap_ms:.1f}"),
        )

    @property
    def _ffd_ms(self) -> float:
        return self._until_first_frame_ms(self._first_byte_s)

    @property
    def _ffd_compute_ms(self) -> float:
        return self._until_first_frame_ms(self._first_unit_s)

    def _until_first_frame_ms(self, since_s: float | None) -> float:
        if since_s is None or self._first_frame_s is None:
            return 0.0
        return (self._first_frame_s - since_s) * 1000

    def _module(self, stage: str) -> pb.ModuleStats:
        work = self._work[stage]
        video_us = self.frames_sent * 1_000_000 / self.frame_rate
        return pb.ModuleStats(
            module=stage,
            replicas=work.replicas,
            rtf=work.compute_us / video_us if video_us else 0.0,
            compute_ms=work.compute_us / 1000,
            queue_ms=work.queue_us / 1000,
        )
