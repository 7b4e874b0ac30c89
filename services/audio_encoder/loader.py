"""Loads the speech stage of a pack, warms it up, and puts the service around it."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import numpy as np

from ditto.packs import load as load_pack
from ditto.serving.batcher import Batcher
from ditto.serving.server import Load
from ditto.serving.slots import SlotPool
from ditto.serving.stage import StageIdentity, StageService
from ditto.serving.stage_steps import StageBatcher, stage_work
from ditto.stages import AudioEncoder
from ditto.v1.audio_encoder_pb2_grpc import add_AudioEncoderServiceServicer_to_server
from services.audio_encoder.config import AudioEncoderConfig
from services.audio_encoder.servicer import AudioEncoderServicer
from services.audio_encoder.session import Features

MODULE = "audio_encoder"
WARM_UP_UNITS = 3


def make_load(config: AudioEncoderConfig) -> Load:
    """The loader of a process with this configuration."""

    async def load() -> StageService:
        pack = load_pack(config.pack, config.pack_options)
        encoder = await asyncio.to_thread(pack.audio_encoder)
        await asyncio.to_thread(warm_up, encoder)
        facts = pack.manifest
        identity = StageIdentity(
            MODULE, config.replica, facts.name, facts.version, pack.hash, encoder.frame_rate
        )
        slots = SlotPool(MODULE, config.slots, config.reserved_slots)
        batcher: StageBatcher[Features | None] = Batcher(
            MODULE, stage_work(encoder), config.batch_limits, lambda: slots.live
        )
        servicer = AudioEncoderServicer(encoder, identity, slots, batcher, config.idle_seconds)
        return StageService(
            identity,
            slots,
            "ditto.v1.AudioEncoderService",
            partial(add_AudioEncoderServiceServicer_to_server, servicer),
            status=_waits(encoder, pack.motion_delay_frames),
            closers=[batcher.close],
        )

    return load


def warm_up(encoder: AudioEncoder[Any]) -> None:
    """Encode a few units of silence: the first ones are slow."""
    state = encoder.init_state()
    unit_samples = encoder.hop_frames * encoder.sample_rate_hz // encoder.frame_rate
    for _ in range(WARM_UP_UNITS):
        state, _ = encoder.step(state, np.zeros(unit_samples, np.float32))
    encoder.flush(state)


def _waits(encoder: AudioEncoder[Any], motion_delay_frames: int) -> dict[str, float]:
    hop_ms = 1000 * encoder.hop_frames / encoder.frame_rate
    delay_ms = 1000 * motion_delay_frames / encoder.frame_rate
    look_ahead_ms = 1000 * encoder.look_ahead_samples / encoder.sample_rate_hz
    return {"first_frame_audio_ms": hop_ms + look_ahead_ms + delay_ms, "hop_ms": hop_ms}
