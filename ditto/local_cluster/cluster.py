"""A whole cluster on this machine: Redis, the three stages, the gateway."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType

from ditto.errors import SetupError
from ditto.local_cluster.child import Child, OnLine
from ditto.local_cluster.ports import port_of, require_free
from ditto.local_cluster.redis_server import find_redis, redis_command
from ditto.local_cluster.server import (
    Server,
    ServerPlan,
    child_environment,
    start,
    wait_until_serving,
)

STAGES = ("audio_encoder", "motion_dit", "renderer")
GATEWAY = "gateway"
_STOP_SECONDS = 5.0
_DRAIN_SETTING = "drain_seconds=3"
_SOCKET_PATH_BYTES = 100


@dataclass(frozen=True)
class ClusterPlan:
    """What to start, all of it on the loopback interface."""

    replicas: Mapping[str, int] = field(default_factory=dict)
    """Processes of each stage. Default: 1."""
    gateways: int = 1
    """Gateways, on one avatar store: a call that loses its own goes on at another."""
    pack: str = "starter"
    """Model pack of every process."""
    port: int | None = None
    """Port of the gateway, and of the further ones those after it. None: any free ones."""
    metrics_base_port: int | None = None
    """Metrics pages from this port on, the gateway's first. None: any free ones."""
    redis: str = "auto"
    """auto (one of our own, where there is one), none, or the URL of a running one."""
    settings: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Further KEY=VALUE of each process's configuration, by audio_encoder, gateway and so on."""
    start_seconds: float = 180.0
    """Longest wait until all processes serve."""
    avatar_store: Path | None = None
    """Folder of the registered portraits. None: one that vanishes with the cluster."""


@dataclass(frozen=True)
class Usage:
    """What one process used of the machine since it started."""

    cpu_seconds: float
    peak_memory_bytes: int
    loop_seconds: float = 0.0
    """Part of the processor time that its event loop took."""


def _ignore(*_: str) -> None:
    """Nobody listens."""


class LocalCluster:
    """Starts on entering a ``with`` block, stops everything on leaving it, however that happens.

    Raises `SetupError` when a process cannot be started; nothing is left running then.
    """

    def __init__(
        self,
        plan: ClusterPlan | None = None,
        on_line: OnLine = _ignore,
        note: Callable[[str], None] = _ignore,
    ) -> None:
        """`on_line` gets each line that a process prints, `note` what a person should know."""
        self._plan = plan or ClusterPlan()
        self._on_line = on_line
        self._note = note
        self._folder = Path()
        self._redis: Child | None = None
        self._servers: dict[str, Server] = {}

    @property
    def address(self) -> str:
        """host:port that clients call; of several gateways, all of them with commas between."""
        return ",".join(self._servers[name].address for name in self.gateways)

    @property
    def gateways(self) -> list[str]:
        """Names of the gateways: gateway, gateway-1, ..."""
        return [name for name in self._servers if name.startswith(GATEWAY)]

    @property
    def servers(self) -> Mapping[str, Server]:
        """The gRPC processes by name: gateway, audio_encoder-0, ..."""
        return self._servers

    @property
    def redis(self) -> Child | None:
        """Our own Redis; None when there is none or it is somebody else's."""
        return self._redis

    def children(self) -> Iterator[Child]:
        """Every process that this cluster started."""
        if self._redis is not None:
            yield self._redis
        yield from (server.child for server in self._servers.values())

    def usage(self) -> dict[str, Usage]:
        """Processor time and memory of each process, by name."""
        return {
            child.name: Usage(child.cpu_seconds(), child.peak_memory_bytes(), child.loop_seconds())
            for child in self.children()
        }

    def restart(self, name: str) -> None:
        """Start a gRPC process that has ended anew, where it was; it is not ready yet."""
        old = self._servers[name]
        plan = replace(
            old.plan, port=port_of(old.address), metrics_port=port_of(old.metrics_address)
        )
        self._servers[name] = start(plan, self._on_line)

    def wait_until_serving(self, *names: str) -> None:
        """Wait for processes that were started anew. Raises `SetupError`."""
        deadline = time.monotonic() + self._plan.start_seconds
        for name in names:
            self._servers[name] = wait_until_serving(self._servers[name], deadline, self._on_line)

    def __enter__(self) -> LocalCluster:
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop everything: the gateway first, so that live calls end in order."""
        try:
            gateways = [self._servers[name].child for name in self.gateways]
            stages = [s.child for s in self._servers.values() if s.child not in gateways]
            for group in (gateways, stages, [self._redis] if self._redis else []):
                _stop_together(group)
        except BaseException:
            for child in self.children():
                child.kill()
            raise
        finally:
            if self._folder.name:
                shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self) -> None:
        self._check_ports()
        self._folder = _short_folder()
        redis_url = self._redis_url()
        deadline = time.monotonic() + self._plan.start_seconds
        metrics_ports = self._metrics_ports()
        gateway_metrics = next(metrics_ports)
        plans = [
            self._stage_plan(stage, index, redis_url, next(metrics_ports))
            for stage in STAGES
            for index in range(self._plan.replicas.get(stage, 1))
        ]
        for plan in plans:
            self._servers[plan.name] = start(plan, self._on_line)
        self._wait(deadline)
        for index in range(self._plan.gateways):
            plan = self._gateway_plan(index, next(metrics_ports) if index else gateway_metrics)
            self._servers[plan.name] = start(plan, self._on_line)
        self._wait(deadline)

    def _wait(self, deadline: float) -> None:
        for name, server in self._servers.items():
            self._servers[name] = wait_until_serving(server, deadline, self._on_line)

    def _check_ports(self) -> None:
        if first := self._plan.port:
            for port in range(first, first + self._plan.gateways):
                require_free(port, "--port")
        if base := self._plan.metrics_base_port:
            count = self._plan.gateways + sum(self._plan.replicas.get(stage, 1) for stage in STAGES)
            for port in range(base, base + count):
                require_free(port, "--metrics-base-port")

    def _metrics_ports(self) -> Iterator[int | None]:
        port = self._plan.metrics_base_port
        while True:
            yield port
            port = port + 1 if port else None

    def _redis_url(self) -> str | None:
        if self._plan.redis == "none":
            return None
        if self._plan.redis != "auto":
            return self._plan.redis
        try:
            binary = find_redis()
        except SetupError as error:
            self._note(f"no Redis, so every renderer keeps a cache of its own: {error}")
            return None
        socket = self._folder / "redis.sock"
        command = redis_command(binary, socket)
        environment = child_environment(os.environ)
        self._redis = Child("redis", command, self._folder, environment, self._on_line)
        return f"unix://{socket}"

    def _stage_plan(
        self, stage: str, index: int, redis_url: str | None, metrics_port: int | None
    ) -> ServerPlan:
        own = [f"redis_url={redis_url}"] if stage == "renderer" and redis_url else []
        settings = [*self._common(), *own, *self._plan.settings.get(stage, ())]
        name = f"{stage}-{index}"
        return ServerPlan(name, f"services.{stage}", settings, metrics_port=metrics_port)

    def _gateway_plan(self, index: int, metrics_port: int | None) -> ServerPlan:
        addresses = [f"{stage}=[{', '.join(self._addresses(stage))}]" for stage in STAGES]
        settings = [
            *self._common(),
            f"avatar_store={self._plan.avatar_store or self._folder / 'avatars'}",
            *addresses,
            *self._plan.settings.get(GATEWAY, ()),
        ]
        name = f"{GATEWAY}-{index}" if index else GATEWAY
        port = self._plan.port + index if self._plan.port else None
        return ServerPlan(name, GATEWAY, settings, port, metrics_port)

    def _common(self) -> list[str]:
        return [f"pack={self._plan.pack}", _DRAIN_SETTING]

    def _addresses(self, stage: str) -> list[str]:
        return [
            f'"{server.address}"'
            for name, server in self._servers.items()
            if name.startswith(f"{stage}-")
        ]


def _stop_together(children: Sequence[Child]) -> None:
    for child in children:
        child.terminate()
    deadline = time.monotonic() + _STOP_SECONDS
    for child in children:
        child.wait(max(0.0, deadline - time.monotonic()))


def _short_folder() -> Path:
    """A private folder whose path leaves room for a socket's name, which the kernel limits."""
    folder = Path(tempfile.mkdtemp(prefix="ditto-"))
    if len(os.fsencode(folder)) > _SOCKET_PATH_BYTES - len("/redis.sock"):
        folder.rmdir()
        folder = Path(tempfile.mkdtemp(prefix="ditto-", dir="/tmp"))
    return folder
