"""A call that another gateway began: what its token says, checked against what its caller says."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ditto.errors import CorruptDataError, InvalidInputError, ResumeError
from ditto.media.h264 import ParameterSets
from ditto.v1 import animation_pb2 as pb
from ditto.v1 import motion_dit_pb2 as motion_pb
from ditto.v1.resume_pb2 import ResumeState
from gateway.call.media_clock import MediaClock
from gateway.limits import CallLimits, check_portrait
from gateway.resume.resume_token import TokenSeal
from gateway.resume.tracked_reader import Place, TrackedReader, reader_at
from gateway.stages.call_stages import FirstFrames, StageConfigs
from gateway.validation import audio_reader

_MOST_FRAMES_BEHIND = 60 * 25
_MOST_SILENT_S = 60.0


@dataclass(frozen=True)
class Resumption:
    """Where and how a call goes on."""

    state: ResumeState
    config: pb.AnimateConfig
    """The settings in effect, with the portrait where the caller sent it again."""
    next_frame: int
    """First frame that the caller has not received."""
    silent_s: float
    speech_bytes: int
    """Bytes of speech that the caller has had so far."""

    def reader(self) -> TrackedReader:
        """Decodes the speech that is sent again, and what follows it."""
        state = self.state
        if not state.reader:
            fresh = audio_reader(self.config.audio_format)
            return TrackedReader.resume(Place(0, 0, None), fresh, state.given_again)
        try:
            reader, known = reader_at(state.reader)
        except CorruptDataError as error:
            raise ResumeError(f"resume.token: {error}; start a new call") from None
        place = Place(state.speech_offset, known.produced_samples, known)
        return TrackedReader.resume(place, reader, state.given_again)

    def configs(self, configs: StageConfigs) -> StageConfigs:
        """What the stages are told, so that they go on. Raises `InvalidInputError` for another
        portrait than the call's."""
        state = self.state
        if configs.render.content_key != state.content_key:
            raise InvalidInputError("portrait", "is not that of the call; send the same again")
        if configs.audio is not None:
            configs.audio.checkpoint = state.encoder
        configs.motion.MergeFrom(state.motion)
        for told in (configs.audio, configs.motion, configs.render):
            if told is not None:
                told.moved = True
        features = state.origin + state.features
        first = FirstFrames(state.origin, features, state.motion_frames, self.next_frame)
        return replace(configs, first=first)

    def check_pack(self, pack_hash: str) -> None:
        """Raises `ResumeError` where another version of the pack serves than at the beginning."""
        if pack_hash != self.state.pack_hash:
            raise ResumeError(
                "resume.token: the call began with another version of the pack; start a new call"
            )

    @property
    def controls(self) -> list[motion_pb.GenerateRequest]:
        """Controls for the motion stage to take again."""
        return [motion_pb.GenerateRequest(control=control) for control in self.state.controls]

    @property
    def parameter_sets(self) -> ParameterSets | None:
        """Of the H.264 stream so far."""
        return ParameterSets(self.state.sps, self.state.pps) if self.state.sps else None

    def starts_s(self, media: MediaClock, now_s: float) -> float:
        """When position 0 of the media clock was, by this gateway's clock."""
        last_came_s = now_s - self.silent_s
        if not self.next_frame:
            return last_came_s
        return last_came_s - media.delay_s - (self.next_frame - 1) / media.frame_rate


def resumption(
    config: pb.AnimateConfig, seal: TokenSeal, tenant: str, limits: CallLimits
) -> Resumption:
    """Check a first message with `resume`.

    Raises `InvalidInputError` for one that names another place than its token, `ResumeError` for a
    token of no use.
    """
    asked = config.resume
    state = seal.open(asked.token)
    if state.tenant != tenant:
        raise InvalidInputError("resume.token", "belongs to another tenant")
    least, most = state.motion_frames, state.motion_frames + _MOST_FRAMES_BEHIND
    if not least <= asked.next_frame_index <= most:
        raise InvalidInputError(
            "resume.next_frame_index",
            f"is {asked.next_frame_index}; allowed with this token: {least} to {most}",
        )
    if asked.speech_offset != state.speech_offset:
        raise InvalidInputError(
            "resume.speech_offset",
            f"is {asked.speech_offset}; allowed with this token: {state.speech_offset}",
        )
    return Resumption(
        state,
        _settings(config, state, limits),
        asked.next_frame_index,
        min(asked.silent_ms / 1000, _MOST_SILENT_S),
        max(asked.speech_bytes, asked.speech_offset),
    )


def _settings(config: pb.AnimateConfig, state: ResumeState, limits: CallLimits) -> pb.AnimateConfig:
    settings = pb.AnimateConfig()
    settings.CopyFrom(state.config)
    if settings.WhichOneof("avatar") is None:
        if not config.HasField("portrait"):
            raise InvalidInputError("portrait", "is missing; send that of the call again")
        check_portrait(config.portrait, limits)
        settings.portrait = config.portrait
    return settings
