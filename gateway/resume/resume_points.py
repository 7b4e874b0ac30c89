"""The resume points of one call: what the caller needs to go on at another gateway."""

from __future__ import annotations

from ditto.v1 import animation_pb2 as pb
from ditto.v1.resume_pb2 import ResumeState
from gateway.call.measure import CallMeasure
from gateway.call.muxing import Packer
from gateway.clock import Clock
from gateway.resume.resume_ledger import Place, ResumeLedger
from gateway.resume.resume_token import TokenSeal
from gateway.resume.tracked_reader import TrackedReader


class ResumePoints:
    """Makes a point of the newest place that the caller has every frame up to."""

    def __init__(
        self,
        facts: ResumeState,
        seal: TokenSeal,
        ledger: ResumeLedger,
        reader: TrackedReader,
        packer: Packer,
        measure: CallMeasure,
        clock: Clock,
    ) -> None:
        """`facts` are what stays the same for the whole call, and how long it has lasted by now."""
        self._facts = facts
        self._seal = seal
        self._ledger = ledger
        self._reader = reader
        self._packer = packer
        self._measure = measure
        self._clock = clock
        self._began_s = clock.now() - facts.lasted_s
        self._told_at_s = clock.now() - self.interval_s

    @property
    def interval_s(self) -> float:
        """Time between two points."""
        return self._facts.config.resume_interval_ms / 1000

    def hurry(self) -> None:
        """The last point leads back too far: the next one is due at once."""
        self._told_at_s = self._clock.now() - self.interval_s

    def first(self) -> bytes:
        """The token of the call as it began."""
        return self._seal.seal(self._facts)

    def add_to(self, response: pb.AnimateResponse, next_frame: int) -> None:
        """Let a response carry a point, now and then, for a caller who with it has all frames
        before `next_frame`: with the first frame at once, whose header an MP4 goes on with."""
        now = self._clock.now()
        if not (self.interval_s and next_frame) or now - self._told_at_s < self.interval_s:
            return
        place = self._ledger.place(next_frame)
        if place is None:
            return
        state = self._state(place, now)
        if token := self._seal.seal(state):
            self._told_at_s = now
            response.resume_point.CopyFrom(
                pb.ResumePoint(
                    token=token,
                    speech_offset=state.speech_offset,
                    controls=state.controls_taken,
                    interrupts=state.interrupts_taken,
                )
            )

    def _state(self, place: Place, now: float) -> ResumeState:
        begin = self._reader.place(place.position)
        heard_from, heard = self._ledger.sound(place)
        stats = self._measure.stats()
        state = ResumeState(
            lasted_s=now - self._began_s,
            speech_offset=begin.offset,
            reader=begin.dump(),
            given_again=place.position - begin.samples,
            encoder=place.encoder,
            features=place.features,
            origin=place.origin,
            motion=place.motion,
            motion_frames=place.motion_frames,
            controls=place.controls,
            controls_taken=place.controls_taken,
            interrupts_taken=place.interrupts_taken,
            speech=place.speech,
            heard_from=heard_from,
            heard=heard,
            ffd_ms=stats.ffd_ms,
            ffd_compute_ms=stats.ffd_compute_ms,
        )
        if sets := self._packer.parameter_sets:
            state.sps, state.pps = sets.sps, sets.pps
        known = ResumeState()
        known.CopyFrom(self._facts)
        known.MergeFrom(state)
        return known


def facts_of(
    call_id: str, tenant: str, asked: pb.AnimateConfig, content_key: str, pack_hash: str
) -> ResumeState:
    """What stays the same for the whole call."""
    facts = ResumeState(
        call_id=call_id, tenant=tenant, config=asked, content_key=content_key, pack_hash=pack_hash
    )
    facts.config.ClearField("portrait")
    facts.config.ClearField("resume")
    return facts
