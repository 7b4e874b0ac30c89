"""A cluster of pairs whose processes are killed, and what its calls should give all the same."""

from __future__ import annotations

import io
import os
import queue
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import av
import cv2
import grpc
import numpy as np

from ditto.local_cluster import ClusterPlan, LocalCluster
from ditto.v1 import animation_pb2 as pb
from ditto.v1.stage_status_pb2 import GetStageStatusRequest
from ditto.v1.stage_status_pb2_grpc import StageStatusServiceStub
from tests.e2e.calling import Answer, config, speak, stub

STAGES = ("audio_encoder", "motion_dit", "renderer")
FRAME_BYTES = 1280
UNIT_FRAMES = 12
"""Speech of so many frames more than a frame's number brings that frame about."""
MESSAGE_BYTES = 6400
PATIENCE_S = 600
"""For calls on a machine that has much else to do."""


def pairs(*gateway_settings: str, **settings: list[str]) -> LocalCluster:
    """Two replicas of every stage."""
    plan = ClusterPlan(
        replicas=dict.fromkeys(STAGES, 2), settings={"gateway": [*gateway_settings], **settings}
    )
    return LocalCluster(plan)


@dataclass
class Watched(Answer):
    """An answer with the time of each message."""

    came_s: list[float] = field(default_factory=list)
    """When each frame or chunk came."""

    @property
    def count(self) -> int:
        """Frames so far."""
        return len(self.frames) + sum(chunk.frame_count for chunk in self.chunks)

    @property
    def longest_pause_s(self) -> float:
        """Between two frames, as the caller sees it."""
        return float(np.diff(self.came_s).max())

    @property
    def moves(self) -> list[pb.Event]:
        """What was told of replicas that were replaced."""
        return [event for event in self.events if event.kind == pb.EVENT_KIND_FAILED_OVER]

    @property
    def indices(self) -> list[int]:
        """Of the frames, in the order in which they came."""
        of_chunks = [c.first_frame_index for c in self.chunks if c.frame_count]
        return [frame.index for frame in self.frames] + of_chunks


def watched_call(
    address: str,
    speech: bytes,
    at_frame: int = -1,
    disturb: Callable[[], object] = lambda: None,
    **fields: object,
) -> Watched:
    """A call that is disturbed when a frame has come; raises `grpc.RpcError` when it fails.

    The speech after that frame is sent when it has been disturbed, so that no stage is done before.
    """
    todo: queue.Queue[pb.AnimateRequest | None] = queue.Queue()
    needed = FRAME_BYTES * (at_frame + UNIT_FRAMES) if at_frame >= 0 else len(speech)
    rest: list[pb.AnimateRequest | None] = []
    for request in speak(config(**fields), speech, message_bytes=MESSAGE_BYTES):
        if needed > 0:
            todo.put(request)
        else:
            rest.append(request)
        needed -= len(request.audio)
    rest.append(None)
    call = stub(address).Animate(iter(todo.get, None), timeout=PATIENCE_S)
    answer = Watched()
    for response in call:
        answer.take(response)
        if response.WhichOneof("response") in ("frame", "chunk"):
            answer.came_s.append(time.monotonic())
        if (response.HasField("started") and at_frame < 0) or answer.count == at_frame + 1 > 0:
            at_frame = 1 << 30
            disturb()
            for request in rest:
                todo.put(request)
    answer.trailers = {key: str(value) for key, value in call.trailing_metadata()}
    return answer


def busy_replica(cluster: LocalCluster, stage: str) -> str | None:
    """The replica of a stage that has a session; None when that has ended already."""
    for index in range(2):
        name = f"{stage}-{index}"
        with grpc.insecure_channel(cluster.servers[name].address) as channel:
            status = StageStatusServiceStub(channel).GetStageStatus(GetStageStatusRequest())
        if status.live_sessions:
            return name
    return None


def strike(cluster: LocalCluster, stage: str, how: signal.Signals) -> tuple[str, bool]:
    """Send a signal to the replica that serves, or to any; its name, and whether it served."""
    busy = busy_replica(cluster, stage)
    name = busy or f"{stage}-0"
    os.kill(cluster.servers[name].child.pid, how)
    return name, busy is not None


def revive(cluster: LocalCluster, name: str) -> None:
    """Begin to start a replica anew that was killed or stopped."""
    child = cluster.servers[name].child
    child.kill()
    child.wait(5)
    cluster.restart(name)


def decoded(answer: Watched) -> Iterator[np.ndarray]:
    """The pictures of an answer, RGB."""
    if answer.chunks:
        with av.open(io.BytesIO(answer.file)) as file:
            for picture in file.decode(video=0):
                yield picture.to_ndarray(format="rgb24")
    for frame in answer.frames:
        image = cv2.imdecode(np.frombuffer(frame.data, np.uint8), cv2.IMREAD_COLOR)
        yield cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def psnr_db(one: np.ndarray, other: np.ndarray) -> float:
    """Of two pictures; 100 for equal ones."""
    error = float(np.mean((one.astype(np.float32) - other) ** 2))
    return 100.0 if error == 0 else 10 * float(np.log10(255**2 / error))


def least_psnr_db(one: Watched, other: Watched) -> float:
    """Of the worst pair of pictures."""
    pairs_of = zip(decoded(one), decoded(other), strict=True)
    return min(psnr_db(a, b) for a, b in pairs_of)


def check_whole(answer: Watched, frames: int) -> None:
    """Every index once, in order, sound in sync."""
    assert answer.indices == list(range(frames))
    assert answer.stats.frames == frames
    assert answer.stats.av_skew_ms == 0
    for frame in answer.frames:
        assert frame.speech_sample_offset == frame.index * 640
