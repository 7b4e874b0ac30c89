"""What a session is in the middle of goes with it to another replica."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ditto.motion.layout import MOTION_DIM
from ditto.serving.frames import block_of
from ditto.v1 import animation_pb2 as pb
from ditto.v1 import types_pb2 as types
from tests.gateway.cluster import (
    MODULES,
    Answer,
    Cluster,
    animate,
    config,
    running_cluster,
    speech,
    tone,
    video,
)
from tests.gateway.failing import (
    FRAMES,
    QUICK,
    check_frames,
    disturbed_call,
    failovers,
    pair,
    pictures,
    ramp,
    share_faults,
    strike,
)
from tests.gateway.fake_renderer import loudness
from tests.gateway.fake_stages import start_stage
from tests.until import until


@pytest.mark.parametrize("module", MODULES)
async def test_an_mp4_file_stays_playable(tmp_path: Path, module: str) -> None:
    async with pair(tmp_path) as cluster:
        asked = {"video_format": video("H264_FMP4")}
        calm = await animate(cluster, [config(**asked), *speech(ramp(FRAMES))])
        answer = await disturbed_call(
            cluster, FRAMES, 20, lambda: strike(cluster, module, "reset"), **asked
        )
        assert answer.error is None
        assert len(failovers(answer)) == 1
        assert pictures(answer) == pytest.approx(pictures(calm), abs=1.5)
        assert len(pictures(answer)) == FRAMES


@pytest.mark.parametrize("module", MODULES)
async def test_controls_hold_across_a_move(tmp_path: Path, module: str) -> None:
    async with pair(tmp_path) as cluster:

        async def requests() -> Any:
            control = pb.AnimateRequest(control=types.MotionControl(mouth_gain=0.5))
            for request in [config(), control, *speech(ramp(FRAMES))]:
                yield request

        share_faults(cluster, module).die_at_frame = 30
        answer = await animate(cluster, requests())
        check_frames(answer, FRAMES, gain=0.5)
        assert len(failovers(answer)) == 1


def interrupted(answer: Answer) -> bool:
    return any(event.kind == pb.EVENT_KIND_INTERRUPTED for event in answer.events)


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("lost_before", [True, False])
async def test_interrupts_before_and_after_a_loss(
    tmp_path: Path, module: str, lost_before: bool
) -> None:
    async with pair(tmp_path) as cluster:
        faults = share_faults(cluster, module)
        if lost_before:
            faults.die_at_frame = 10

        async def interrupting(answer: Answer) -> Any:
            for request in [config(), *speech(ramp(40))]:
                yield request
            await until(lambda: len(answer.frames) >= 30)
            yield pb.AnimateRequest(interrupt=pb.Interrupt())
            await until(lambda: interrupted(answer))
            if not lost_before:  # before the new sessions have given a checkpoint
                faults.die_at_frame = 0
            for request in speech(tone(1.0, 3000)):
                yield request

        answer = Answer()
        await animate(cluster, interrupting(answer), answer)
        assert answer.error is None
        assert [frame.index for frame in answer.frames] == list(range(len(answer.frames)))
        assert len(failovers(answer)) == 1
        assert await cluster.all_slots_free()


async def test_motion_that_drives_stays_relative_to_its_first_frame(tmp_path: Path) -> None:
    async with pair(tmp_path) as cluster:
        share_faults(cluster, "motion_dit").die_at_frame = 20
        answer = await animate(cluster, [config(driving=types.DRIVING_MOTION), *_driving(FRAMES)])
        assert answer.error is None
        assert len(failovers(answer)) == 1
        check_driven(answer)


def _driving(frames: int) -> list[pb.AnimateRequest]:
    rows = np.zeros((frames, MOTION_DIM), "<f4")
    rows[:, 0] = 5 + np.arange(frames)
    return [
        pb.AnimateRequest(motion=block_of(at, rows[at : at + 10])) for at in range(0, frames, 10)
    ]


def check_driven(answer: Answer) -> None:
    assert [loudness(frame.data) for frame in answer.frames] == list(range(FRAMES))


@pytest.mark.parametrize("module", MODULES)
async def test_an_upgraded_replica_begins_anew(tmp_path: Path, module: str) -> None:
    """It cannot read the checkpoint, or knows the portrait by another key."""
    async with running_cluster(tmp_path, **QUICK) as cluster:
        new = await start_stage(module, 9, pack_hash="upgraded")
        cluster.stages[module].append(new)
        pool = getattr(cluster.gateway._pools, module)
        control = pb.AnimateRequest(control=types.MotionControl(mouth_gain=0.5))
        answer = Answer()

        async def upgrading() -> Any:
            for request in [config(), control, *speech(ramp(150))]:
                yield request
            await until(lambda: len(answer.frames) >= 120)
            pool._targets = (*pool._targets, new.address)
            await cluster.poll()
            strike(cluster, module, "drain")
            await until(lambda: failovers(answer) or new.slots.live)
            for request in speech(ramp(30, first=150)):
                yield request

        await animate(cluster, upgrading(), answer)
        check_frames(answer, 180, gain=0.5)
        (event,) = failovers(answer)
        assert "began anew" in event.detail
        assert new.configs[0].moved
        if module == "audio_encoder":  # it heard the last seconds again, not the whole call
            heard = sum(len(request.audio) for request in new.requests)
            assert heard < 2 * 16_000 * (3 + 1 + 10 + 1.5)


async def test_a_replay_is_short(tmp_path: Path) -> None:
    """What a replacement is sent again does not grow with the call."""
    async with pair(tmp_path) as cluster:
        answer = await disturbed_call(
            cluster, 200, 180, lambda: strike(cluster, "audio_encoder", "reset")
        )
        check_frames(answer, 200)
        new = serving_second(cluster, "audio_encoder")
        heard = sum(len(request.audio) for request in new.requests) // 2
        assert heard <= (200 - 180 + 20 + 5) * 640


def serving_second(cluster: Cluster, module: str) -> Any:
    return next(s for s in cluster.stages[module] if s.configs and s.configs[0].moved)
