"""Loads the motion stage of a pack, warms it up, and puts the service around it."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import numpy as np

from ditto.motion.layout import EXPRESSION_DIM, Motion
from ditto.motion.layout import pack as pack_motion
from ditto.packs import load as load_pack
from ditto.serving.batcher import Batcher
from ditto.serving.face_identity import EYE_STATE_DIM
from ditto.serving.server import Load
from ditto.serving.slots import SlotPool
from ditto.serving.stage import StageIdentity, StageService
from ditto.serving.stage_steps import StageBatcher, stage_work
from ditto.stages import FaceIdentity, MotionGenerator, MotionSettings
from ditto.v1.motion_dit_pb2_grpc import add_MotionDitServiceServicer_to_server
from services.motion_dit.config import MotionDitConfig
from services.motion_dit.servicer import MotionDitServicer
from services.motion_dit.session import GeneratedFrames

MODULE = "motion_dit"
WARM_UP_SEGMENTS = 3


def make_load(config: MotionDitConfig) -> Load:
    """The loader of a process with this configuration."""

    async def load() -> StageService:
        pack = load_pack(config.pack, config.pack_options)
        generator = await asyncio.to_thread(pack.motion_generator)
        await asyncio.to_thread(warm_up, generator)
        facts = pack.manifest
        identity = StageIdentity(
            MODULE, config.replica, facts.name, facts.version, pack.hash, facts.frame_rate
        )
        slots = SlotPool(MODULE, config.slots, config.reserved_slots)
        batcher: StageBatcher[GeneratedFrames | None] = Batcher(
            MODULE, stage_work(generator), config.batch_limits, lambda: slots.live
        )
        servicer = MotionDitServicer(generator, identity, slots, batcher, config.idle_seconds)
        return StageService(
            identity,
            slots,
            "ditto.v1.MotionDitService",
            partial(add_MotionDitServiceServicer_to_server, servicer),
            closers=[batcher.close],
        )

    return load


def warm_up(generator: MotionGenerator[Any]) -> None:
    """Generate a few segments for a plain face and silence: the first ones are slow."""
    state = generator.init_state(_plain_face(), MotionSettings())
    silence = np.zeros((generator.segment_frames, generator.feature_dim), np.float32)
    for _ in range(WARM_UP_SEGMENTS):
        state, _ = generator.step(state, silence)
    generator.flush(state)


def _plain_face() -> FaceIdentity:
    zero = np.zeros(1, np.float32)
    still = Motion(
        scale=zero + 1,
        pitch=zero,
        yaw=zero,
        roll=zero,
        t=np.zeros((1, 3), np.float32),
        exp=np.zeros((1, EXPRESSION_DIM), np.float32),
    )
    return FaceIdentity(
        canonical_keypoints=np.zeros(EXPRESSION_DIM, np.float32),
        reference_motion=pack_motion(still)[0],
        eye_state=np.zeros(EYE_STATE_DIM, np.float32),
    )
