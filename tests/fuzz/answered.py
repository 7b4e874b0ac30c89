"""Broken streams sent to a live server, and what it says to each."""

from __future__ import annotations

import asyncio
import resource
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc

from ditto.local_cluster.ports import free_port
from ditto.serving.call_writes import write_message
from ditto.serving.config import ProcessConfig
from ditto.serving.server import Load, ProcessServer

LONGEST_S = 20.0
"""For one stream, on a busy machine."""
_AT_ONCE = 4


@dataclass
class Answers:
    """What came back."""

    statuses: Counter[str] = field(default_factory=Counter)
    untyped: list[str] = field(default_factory=list)
    """Answers that name no error of the tree, or only its root: our mistakes."""
    grown_bytes: int = 0
    """By which the largest size of this process grew."""

    def take(self, case: int, error: grpc.aio.AioRpcError | None) -> None:
        """Note how a stream ended."""
        self.statuses["OK" if error is None else error.code().name] += 1
        trailers = dict(error.trailing_metadata() or ()) if error else {}
        kind = trailers.get("ditto-error", "DittoError")
        if error is not None and kind == "DittoError":
            self.untyped.append(f"case {case}: {error.code().name} {error.details()}")


async def answers_to(address: str, method: str, cases: Iterable[Sequence[bytes]]) -> Answers:
    """Send every stream, a few at once; each must be answered in time."""
    answers, before = Answers(), _peak_bytes()
    waiting = enumerate(cases)
    async with grpc.aio.insecure_channel(address, _OPTIONS) as channel:
        call = channel.stream_stream(method)

        async def work() -> None:
            for number, stream in waiting:
                answers.take(number, await _failure_of(call, stream))

        await asyncio.gather(*(work() for _ in range(_AT_ONCE)))
    answers.grown_bytes = _peak_bytes() - before
    return answers


@asynccontextmanager
async def served(config: ProcessConfig, load: Load) -> AsyncIterator[str]:
    """A service in this process; its address."""
    server = ProcessServer(config)
    await server.start()
    try:
        await server.serve(load)
        yield config.listen
    finally:
        await server.stop()


def addresses() -> dict[str, Any]:
    """Two free ports, as configuration."""
    return {
        "listen": f"127.0.0.1:{free_port()}",
        "metrics_listen": f"127.0.0.1:{free_port()}",
        "drain_seconds": 0.1,
    }


@dataclass(frozen=True)
class _Raw:
    """Bytes that may be no message, for `write_message`."""

    data: bytes

    def SerializeToString(self) -> bytes:  # noqa: N802
        return self.data


async def _failure_of(call: Any, stream: Sequence[bytes]) -> grpc.aio.AioRpcError | None:
    answer = call(timeout=LONGEST_S)
    writing = asyncio.create_task(_write(answer, stream))
    try:
        while await answer.read() is not grpc.aio.EOF:
            pass
    except grpc.aio.AioRpcError as error:
        return error
    finally:
        await writing
    return None


async def _write(call: Any, stream: Sequence[bytes]) -> None:
    for data in stream:
        if not await write_message(call, _Raw(data)):
            return
    await call.done_writing()


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


_OPTIONS = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
