"""From a checked configuration to three open stages: what happens before `started`."""

from __future__ import annotations

import math

from ditto.errors import (
    AtCapacityError,
    DittoError,
    NoHeadroomError,
    ProtocolError,
    ResumeError,
    StageUnavailableError,
)
from ditto.serving import metrics
from ditto.v1 import animation_pb2 as pb
from ditto.v1 import audio_encoder_pb2 as audio_pb
from ditto.v1 import motion_dit_pb2 as motion_pb
from ditto.v1 import renderer_pb2 as render_pb
from ditto.v1 import types_pb2 as types
from gateway.call.media_clock import SAMPLE_RATE_HZ
from gateway.portraits import PortraitDesk, PreparedAvatar
from gateway.resume.resumption import Resumption
from gateway.stages.call_stages import CallStages, StageConfigs, StagePools
from gateway.video_portraits import keep_source_motion


async def admit(
    call_id: str,
    asked: pb.AnimateConfig,
    pools: StagePools,
    desk: PortraitDesk,
    stages: CallStages,
    most_load: float,
    going_on: Resumption | None = None,
) -> PreparedAvatar:
    """Prepare the portrait and open `stages`. Raises `AtCapacityError` at once when one is full, or
    when a REALTIME call would take more than `most_load` of what a replica measures as its own. A
    call that is `going_on` was admitted before: it may take what is reserved for such."""
    try:
        for pool in () if going_on else pools.of(asked):
            await pool.require_room(asked.pack, most_load if is_realtime(asked) else math.inf)
        avatar = await desk.find(asked)
        if avatar.known.source_frames > 1:
            keep_source_motion(asked.motion)
        stages.prepare_s = desk.longest_s(avatar.portrait)
        configs = stage_configs(call_id, asked, avatar)
        if going_on:
            configs = going_on.configs(configs)
        await _open(stages, pools, configs, going_on)
    except DittoError as error:
        _count_refusal(error)
        raise
    return avatar


async def _open(
    stages: CallStages, pools: StagePools, configs: StageConfigs, going_on: Resumption | None
) -> None:
    try:
        await stages.open(pools, configs)
    except ProtocolError as error:
        if going_on:  # a checkpoint that this version of the pack cannot read
            raise ResumeError(f"resume.token: {error.args[0]}; start a new call") from None
        raise


def stage_configs(call_id: str, asked: pb.AnimateConfig, avatar: PreparedAvatar) -> StageConfigs:
    """What each stage is told of a call."""
    speech = types.AudioFormat(
        encoding=types.AUDIO_ENCODING_S16LE, sample_rate_hz=SAMPLE_RATE_HZ, channels=1
    )
    motion = motion_pb.GenerateConfig(
        call_id=call_id,
        identity=avatar.identity,
        seed=asked.seed,
        emotion=asked.emotion,
        emotion_intensity=asked.emotion_intensity,
        control=asked.motion,
        is_realtime=is_realtime(asked),
    )
    if asked.HasField("sampling_steps"):
        motion.sampling_steps = asked.sampling_steps
    return StageConfigs(
        pack=asked.pack,
        audio=None
        if asked.driving == types.DRIVING_MOTION
        else audio_pb.EncodeConfig(
            call_id=call_id, audio_format=speech, is_realtime=is_realtime(asked)
        ),
        motion=motion,
        render=render_pb.RenderConfig(
            call_id=call_id,
            content_key=avatar.known.content_key,
            video_format=asked.video_format,
            view=asked.view,
            is_realtime=is_realtime(asked),
        ),
        portrait=avatar.portrait,
    )


def is_realtime(asked: pb.AnimateConfig) -> bool:
    """Whether the call's frames have a time at which they are due."""
    return asked.pacing == types.PACING_REALTIME


def _count_refusal(error: DittoError) -> None:
    if isinstance(error, NoHeadroomError):
        metrics.ADMISSIONS_REFUSED.labels("no_headroom").inc()
    elif isinstance(error, AtCapacityError):
        metrics.ADMISSIONS_REFUSED.labels("no_slot").inc()
    elif isinstance(error, StageUnavailableError):
        metrics.ADMISSIONS_REFUSED.labels("no_replica").inc()
