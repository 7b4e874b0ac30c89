"""More and more concurrent calls in real time, until one of their frames is late."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from statistics import median

import grpc

from ditto.bench.figures import LoadFigures, ModuleFigures, Spread
from ditto.bench.observer import Observer, Reading
from ditto.bench.timed_call import SAMPLE_RATE_HZ, TimedCall, make_call
from ditto.client import Access
from ditto.client.channel import open_async_channel
from ditto.v1.animation_pb2 import AnimateConfig
from ditto.v1.animation_pb2_grpc import AnimationServiceStub
from ditto.v1.types_pb2 import PACING_FAST, PACING_REALTIME, AudioFormat

_HEAD_START_S = 0.3
_STAGGER_S = 0.2
"""Calls begin at random within one unit of speech, as callers do."""
_PROBE_SPEECH_S = 0.6
_SPARE_S = 20.0


@dataclass(frozen=True)
class SweepPlan:
    """What is asked of a cluster."""

    config: AnimateConfig
    """Portrait or avatar, view and video format of every call."""
    pcm: bytes
    """16 kHz s16le speech; it is repeated as long as a call lasts."""
    calls: Sequence[int] = (1, 2, 4, 8, 16)
    """Concurrent calls, level after level."""
    seconds: float = 10.0
    """Length of the calls of a level."""
    probes: int = 12
    """Short calls a level, one at a time beside the others, whose first frame is timed."""
    limit_seconds: float = 600.0
    """No level begins after so long."""
    ends_when_late: bool = True
    """False runs every level, however the last one went."""
    seed: int = 0

    def speech(self, seconds: float, offset_s: float = 0.0) -> bytes:
        """So much of the recording, from a place in it on."""
        first, size = 2 * int(offset_s * SAMPLE_RATE_HZ), 2 * int(seconds * SAMPLE_RATE_HZ)
        repeats = 1 + (first + size) // max(1, len(self.pcm))
        return (self.pcm * repeats)[first : first + size]

    def paced(self, pacing: int) -> AnimateConfig:
        """The configuration of a call."""
        config = AnimateConfig(pacing=pacing, audio_format=AudioFormat())  # type: ignore[arg-type]
        config.MergeFrom(self.config)
        return config


@dataclass(frozen=True)
class _Outcome:
    calls: list[TimedCall]
    failures: list[str]


async def sweep(
    address: str,
    plan: SweepPlan,
    observer: Observer | None,
    tell: Callable[[LoadFigures], None],
) -> list[LoadFigures]:
    """Load after load, by default until one is not on time; `tell` gets each at once.

    ``observer`` knows the processes of a cluster on this machine.
    """
    begun, loads = time.monotonic(), []
    chance = random.Random(plan.seed)  # noqa: S311
    async with _service(address, is_local=observer is not None) as service:
        await _together(service, plan, 1, _PROBE_SPEECH_S, chance)
        for calls in plan.calls:
            if time.monotonic() - begun > plan.limit_seconds:
                break
            loads.append(await _load(service, plan, calls, observer, chance))
            tell(loads[-1])
            if plan.ends_when_late and not loads[-1].is_on_time:
                break
    return loads


@asynccontextmanager
async def _service(address: str, is_local: bool) -> AsyncIterator[AnimationServiceStub]:
    async with open_async_channel(address, Access() if is_local else None) as channel:
        yield AnimationServiceStub(channel)  # type: ignore[no-untyped-call]


async def _load(
    service: AnimationServiceStub,
    plan: SweepPlan,
    calls: int,
    observer: Observer | None,
    chance: random.Random,
) -> LoadFigures:
    before, begun = _read(observer), time.monotonic()
    outcome = await _together(service, plan, calls, plan.seconds, chance)
    spent_s, after = time.monotonic() - begun, _read(observer)
    used = after.since(before) if before and after else None
    probes = await _probed(service, plan, calls, chance)
    return _figures(calls, outcome, probes, used, spent_s)


def _read(observer: Observer | None) -> Reading | None:
    return observer.read() if observer else None


async def _together(
    service: AnimationServiceStub,
    plan: SweepPlan,
    calls: int,
    seconds: float,
    chance: random.Random,
) -> _Outcome:
    """So many calls in real time at once; a refused or broken one counts as failed."""
    config, start_s = plan.paced(PACING_REALTIME), time.monotonic() + _HEAD_START_S
    made = [
        _within(
            seconds + _SPARE_S + calls,
            make_call(
                service,
                config,
                plan.speech(seconds, offset_s=chance.random() * 10),
                start_s + chance.random() * _STAGGER_S,
            ),
        )
        for _ in range(calls)
    ]
    ended = await asyncio.gather(*made)
    finished = [call for call in ended if isinstance(call, TimedCall)]
    return _Outcome(finished, [call for call in ended if isinstance(call, str)])


async def _within(seconds: float, call: Awaitable[TimedCall]) -> TimedCall | str:
    """The call, or why it failed."""
    try:
        async with asyncio.timeout(seconds):
            return await call
    except TimeoutError:
        return f"did not end within {seconds:.0f} s"
    except grpc.aio.AioRpcError as error:
        return f"{error.code().name}: {error.details()}"


async def _probed(
    service: AnimationServiceStub, plan: SweepPlan, calls: int, chance: random.Random
) -> list[TimedCall]:
    """Calls that begin one after another beside ``calls - 1`` that run all the time."""
    config = plan.paced(PACING_FAST)
    per_probe_s = _PROBE_SPEECH_S + 0.6
    others = asyncio.create_task(
        _together(service, plan, calls - 1, plan.probes * per_probe_s, chance)
    )
    probes = []
    try:
        await asyncio.sleep(_HEAD_START_S + _STAGGER_S)
        for _ in range(plan.probes):
            start_s = time.monotonic() + chance.random() * _STAGGER_S
            speech = plan.speech(_PROBE_SPEECH_S, chance.random() * 10)
            probe = await _within(_SPARE_S, make_call(service, config, speech, start_s))
            if isinstance(probe, str):
                break
            probes.append(probe)
    finally:
        others.cancel()
        await asyncio.gather(others, return_exceptions=True)
    return probes


def _figures(
    calls: int,
    outcome: _Outcome,
    probes: Sequence[TimedCall],
    used: Reading | None,
    spent_s: float,
) -> LoadFigures:
    frames = sum(len(call.arrivals_s) for call in outcome.calls)
    rate = outcome.calls[0].frame_rate if outcome.calls else 25
    video_s = frames / rate or float("inf")
    return LoadFigures(
        calls=calls,
        frames=frames,
        late_frames=sum(call.late_frames() for call in outcome.calls),
        failed_calls=len(outcome.failures),
        first_failure=next(iter(outcome.failures), ""),
        ffd_ms=_spread([probe.stats.ffd_ms for probe in probes]),
        ffd_compute_ms=_spread([probe.stats.ffd_compute_ms for probe in probes]),
        received_bytes_per_s=sum(call.received_bytes for call in outcome.calls) / video_s,
        modules=_modules(outcome.calls, used, spent_s),
        cpu_s_per_video_s={name: cpu / video_s for name, cpu in used.cpu_s.items()} if used else {},
        peak_memory_bytes=used.peak_memory_bytes if used else None,
        loop_cpu_s_per_video_s=(
            {name: loop / video_s for name, loop in used.loop_s.items()} if used else {}
        ),
    )


def _spread(values: Sequence[float]) -> Spread | None:
    return Spread.of(values) if values else None


def _modules(
    calls: Sequence[TimedCall], used: Reading | None, spent_s: float
) -> dict[str, ModuleFigures]:
    rtfs: dict[str, list[float]] = {}
    for call in calls:
        for module in call.stats.modules:
            rtfs.setdefault(module.module, []).append(module.rtf)
    return {
        name: ModuleFigures(
            rtf=median(values),
            busy=used.busy_s(name) / spent_s if used else None,
            batch_size=used.mean_batch(name) if used else None,
        )
        for name, values in rtfs.items()
    }
