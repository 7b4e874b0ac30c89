"""An honest caller in a process of its own, who calls all the time while others misbehave.

    python -m bench.bystander HOST:PORT

Each call is spoken at its own pace and takes three seconds. A line of JSON tells of each; the end
of standard input ends the process.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Thread

import grpc
import numpy as np

from bench.soak_media import portraits, speech
from ditto.bench.timed_call import TimedCall, make_call
from ditto.v1 import types_pb2 as types
from ditto.v1.animation_pb2 import AnimateConfig
from ditto.v1.animation_pb2_grpc import AnimationServiceStub

_SECONDS = 3
_FRAMES = 25 * _SECONDS


@dataclass(frozen=True)
class HonestCall:
    """What the honest caller got."""

    begin_s: float
    end_s: float
    status: str
    lost_frames: int
    late_ms: float
    """95 of 100 frames came at most so long after their place on the call's best clock."""


class Bystander:
    """Collects what the other process tells."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.calls: list[HonestCall] = []
        Thread(target=self._read, daemon=True).start()

    def between(self, begin_s: float, end_s: float) -> list[HonestCall]:
        """Calls that were under way in a stretch of the monotonic clock."""
        return [call for call in self.calls if call.end_s > begin_s and call.begin_s < end_s]

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.calls.append(HonestCall(**json.loads(line)))


@contextmanager
def bystander(address: str) -> Iterator[Bystander]:
    """Let the honest caller call for the length of a block."""
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "bench.bystander", address],
        cwd=Path(__file__).resolve().parents[1],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Bystander(process)
    finally:
        process.kill()
        process.wait()


async def _call_on(address: str) -> None:
    config = AnimateConfig(portrait=portraits()[0], pacing=types.PACING_REALTIME)
    pcm = speech()[: 32_000 * _SECONDS]
    async with grpc.aio.insecure_channel(address) as channel:
        stub = AnimationServiceStub(channel)  # type: ignore[no-untyped-call]
        while True:
            begin_s = time.monotonic()
            status, lost, late_ms = "OK", 0, 0.0
            try:
                call = await make_call(stub, config, pcm, begin_s)
                lost, late_ms = max(0, _FRAMES - len(call.arrivals_s)), _late_ms(call)
            except grpc.aio.AioRpcError as error:
                status = f"{error.code().name}: {error.details()}"
                await asyncio.sleep(0.5)
            told = HonestCall(begin_s, time.monotonic(), status, lost, late_ms)
            print(json.dumps(asdict(told)), flush=True)


def _late_ms(call: TimedCall) -> float:
    offsets = np.array(call.arrivals_s) - np.arange(len(call.arrivals_s)) / call.frame_rate
    return float(np.percentile(offsets - offsets.min(), 95) * 1000) if len(offsets) else 0.0


def main(arguments: Sequence[str]) -> None:
    """Call until standard input ends."""

    def end_with_parent() -> None:
        sys.stdin.read()
        loop.call_soon_threadsafe(loop.stop)

    loop = asyncio.new_event_loop()
    Thread(target=end_with_parent, daemon=True).start()
    calling = loop.create_task(_call_on(arguments[0]))
    loop.run_forever()
    calling.cancel()


if __name__ == "__main__":
    main(sys.argv[1:])
