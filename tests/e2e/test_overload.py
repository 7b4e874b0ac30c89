"""A loaded cluster: quality goes down first, then calls are refused; live ones keep their pace."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from io import BytesIO

import grpc
import numpy as np
import pytest
from PIL import Image

from ditto.local_cluster import ClusterPlan, LocalCluster
from ditto.v1 import animation_pb2 as pb
from ditto.v1 import types_pb2 as types
from tests.e2e import speech
from tests.e2e.calling import animate, config, speak, stub
from tests.until import until

REALTIME = types.PACING_REALTIME
STAGES = ("audio_encoder", "motion_dit", "renderer")
PIECE_S = 0.1


@dataclass
class LiveCall:
    """A REALTIME call that is fed at the pace of its speech, and when each frame of it came."""

    address: str
    seconds: float
    frames: list[pb.VideoFrame] = field(default_factory=list)
    arrived_s: list[float] = field(default_factory=list)
    events: list[pb.Event] = field(default_factory=list)
    refused_after_s: float | None = None
    error: grpc.RpcError | None = None

    def run(self) -> LiveCall:
        began = time.monotonic()
        call = stub(self.address).Animate(self._requests(), timeout=self.seconds + 30)
        try:
            for response in call:
                if response.WhichOneof("response") == "frame":
                    self.frames.append(response.frame)
                    self.arrived_s.append(time.monotonic())
                elif response.WhichOneof("response") == "event":
                    self.events.append(response.event)
        except grpc.RpcError as error:
            self.error, self.refused_after_s = error, time.monotonic() - began
        return self

    def _requests(self) -> Iterator[pb.AnimateRequest]:
        yield pb.AnimateRequest(config=config(pacing=REALTIME))
        spoken = speech.samples()
        for start in np.arange(0, self.seconds, PIECE_S):
            at = round(start % 8 * speech.RATE_HZ)
            piece = spoken[at : at + round(PIECE_S * speech.RATE_HZ)]
            yield pb.AnimateRequest(audio=speech.s16le(piece))
            time.sleep(PIECE_S)

    @property
    def late(self) -> int:
        """Frames that came more than a frame's time after their place on the call's best clock."""
        lags = np.array(self.arrived_s) - np.array([f.index for f in self.frames]) / 25
        return int((lags > np.percentile(lags, 5) + 0.04).sum())

    def kinds(self) -> list[int]:
        return [event.kind for event in self.events]


@pytest.fixture(scope="module")
def easily_loaded() -> Iterator[LocalCluster]:
    """A cluster that holds a single call for a heavy load, and a second one for too much."""
    settings = ["steps_load=0.005", "size_load=0.01", "admission_load=0.02", "poll_seconds=0.3"]
    with LocalCluster(ClusterPlan(settings={"gateway": settings}, redis="none")) as running:
        yield running


def test_quality_steps_down_and_the_next_call_is_refused_while_the_first_goes_on(
    easily_loaded: LocalCluster,
) -> None:
    address = easily_loaded.address
    live = LiveCall(address, 5)
    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(live.run)
        asyncio.run(until(lambda: pb.EVENT_KIND_DEGRADED in live.kinds(), timeout_s=20))
        refused = LiveCall(address, 1).run()
        at_leisure = animate(address, speak(config(), speech.part(1, 1.4)))
        running.result()
    assert refused.error is not None
    assert refused.error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "retry-after-ms" in dict(refused.error.trailing_metadata())
    assert len(at_leisure.frames) == 10
    assert live.error is None
    assert [f.index for f in live.frames] == list(range(len(live.frames)))
    assert live.kinds().count(pb.EVENT_KIND_DEGRADED) == 2
    sizes = [(f.width, f.height) for f in live.frames]
    assert sizes[0] == (0, 0)
    assert sizes[-1] == (256, 256)
    assert Image.open(BytesIO(live.frames[0].data)).size == (512, 512)
    assert Image.open(BytesIO(live.frames[-1].data)).size == (256, 256)


@pytest.mark.slow
def test_past_its_headroom_the_cluster_refuses_in_under_100_ms_and_live_calls_keep_pace() -> None:
    """Sixteen calls of 15 s, one every second, on whatever cores this machine has."""
    plan = ClusterPlan(settings={stage: ["slots=16"] for stage in STAGES})
    with LocalCluster(plan) as cluster, ThreadPoolExecutor(16) as threads:
        animate(cluster.address, speak(config(), speech.part(0, 4)))
        running = []
        for _ in range(16):
            running.append(threads.submit(LiveCall(cluster.address, 15).run))
            time.sleep(1)
        calls = [each.result() for each in running]
    refused = [call for call in calls if call.error]
    served = [call for call in calls if not call.error]
    frames, late = sum(len(c.frames) for c in served), sum(c.late for c in served)
    waits_ms = sorted(1000 * (call.refused_after_s or 0) for call in refused)
    steps = sum(call.kinds().count(pb.EVENT_KIND_DEGRADED) for call in served)
    print(
        f"served {len(served)}, refused {len(refused)} in {np.round(waits_ms)} ms, "
        f"late {late} of {frames}, steps down {steps}"
    )
    assert served
    assert refused
    assert all(c.error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED for c in refused)
    assert np.median(waits_ms) < 100
    assert late <= 0.02 * frames
