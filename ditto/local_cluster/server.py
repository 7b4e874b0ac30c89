"""One gRPC process of a local cluster: how it is started and how it becomes ready."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ditto.errors import SetupError
from ditto.local_cluster.child import Child, OnLine
from ditto.local_cluster.health import is_serving
from ditto.local_cluster.ports import HOST, free_port, is_free
from ditto.serving.config import is_setting

_POLL_S = 0.1
_PORT_ATTEMPTS = 4
_SHOWN_LINES = 12
_ONE_THREAD = {
    f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "VECLIB")
}
"""A process computes in one thread; the cores are shared by processes, not fought over."""


@dataclass(frozen=True)
class ServerPlan:
    """What one process is to be."""

    name: str
    """For example renderer-0; also its replica name."""
    module: str
    """What `python -m` runs."""
    settings: Sequence[str]
    """KEY=VALUE of its configuration."""
    port: int | None = None
    """None takes any free one."""
    metrics_port: int | None = None


@dataclass(frozen=True)
class Server:
    """A running process and where it answers."""

    plan: ServerPlan
    child: Child
    address: str
    metrics_address: str


def checkout_root() -> Path:
    """The folder with the services. Raises `SetupError` where only the library is installed."""
    for root in (Path(__file__).resolve().parents[2], Path.cwd()):
        if (root / "services" / "renderer").is_dir():
            return root
    raise SetupError(
        "the servers are not part of the installed package: run this in a checkout of ditto-cluster"
    )


def child_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Our environment, with one thread a process and without `ignored_variables`."""
    dropped = set(ignored_variables(environment))
    kept = {name: value for name, value in environment.items() if name not in dropped}
    return kept | _ONE_THREAD | {"PYTHONUNBUFFERED": "1"}


def ignored_variables(environment: Mapping[str, str]) -> list[str]:
    """``DITTO_<KEY>`` variables: each would reach every process, and most do not know the key."""
    return sorted(filter(is_setting, environment))


def start(plan: ServerPlan, on_line: OnLine) -> Server:
    """Start the process; it is not ready yet."""
    address = f"{HOST}:{plan.port or free_port()}"
    metrics_address = f"{HOST}:{plan.metrics_port or free_port()}"
    settings = [
        f"listen={address}",
        f"metrics_listen={metrics_address}",
        f"replica={plan.name}",
        *plan.settings,
    ]
    options = [word for setting in settings for word in ("--set", setting)]
    child = Child(
        plan.name,
        [sys.executable, "-m", plan.module, *options],
        checkout_root(),
        child_environment(os.environ),
        on_line,
    )
    return Server(plan, child, address, metrics_address)


def wait_until_serving(server: Server, deadline: float, on_line: OnLine) -> Server:
    """Wait for SERVING until the `time.monotonic` deadline.

    A port that was free when it was chosen may be gone when it is bound: such a process is started
    again on others, so the server that is given back may be a new one. Raises `SetupError` with the
    last lines that a process printed when it ended or never got ready.
    """
    for _ in range(_PORT_ATTEMPTS):
        while server.child.exit_code is None:
            if is_serving(server.address):
                return server
            if time.monotonic() > deadline:
                server.child.kill()
                raise SetupError(_failure(server, "did not get ready in time"))
            time.sleep(_POLL_S)
        if not _lost_its_port(server):
            break
        server = start(server.plan, on_line)
    raise SetupError(_failure(server, f"ended with exit code {server.child.exit_code}"))


def _lost_its_port(server: Server) -> bool:
    chosen_by_us = [
        address
        for port, address in (
            (server.plan.port, server.address),
            (server.plan.metrics_port, server.metrics_address),
        )
        if port is None
    ]
    return any(not is_free(int(address.rpartition(":")[2])) for address in chosen_by_us)


def _failure(server: Server, what: str) -> str:
    lines = server.child.tail()[-_SHOWN_LINES:] or ["(it printed nothing)"]
    return "\n  ".join([f"{server.plan.name} {what}; its last lines:", *lines])
