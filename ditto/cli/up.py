"""`ditto up`: a whole cluster on this machine, in the foreground."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from ditto.cli.commands import Commands, add_command
from ditto.cli.pack_options import add_pack_options, start_seconds, with_pack_options
from ditto.errors import InvalidInputError, SetupError

if TYPE_CHECKING:
    from ditto.local_cluster import LocalCluster

_EXAMPLES = """\
Examples:
  ditto up                                  gateway at 127.0.0.1:50051, Ctrl-C stops all
  ditto up --replicas renderer=2            two renderers share the calls
  ditto up --gateways 2                     calls of `--server a,b` outlive either gateway
  ditto up --port 6000 --redis none         another port; every renderer keeps its own cache
  ditto up --metrics-base-port 9401         metrics pages at 9401, 9402, ... for a Prometheus
  ditto up --set renderer.slots=8           any key of a process; its config.yaml lists them
  ditto up --pack ditto --weights D         the published networks, with the weights of folder D
  ditto up --pack ditto --device cuda       on a GPU; weights from `ditto models pull ditto`
  ditto up --pack ditto --weights generated no files, no GPU: a slow and senseless, true test

Everything listens on 127.0.0.1 alone. A process that dies is reported, not restarted. Redis is a
redis-server of the PATH, or a packaged one (BSD licence), or none where neither can be had.
"""
_STAGES = ("audio_encoder", "motion_dit", "renderer")
_PROCESSES = ("gateway", *_STAGES)
_MOST_REPLICAS = 64
_POLL_S = 0.3


def add_parser(commands: Commands) -> None:
    """Add `ditto up` to the command line."""
    parser = add_command(
        commands,
        "up",
        about="start a cluster on this machine",
        description="Starts Redis, the three stage services and the gateway on this machine.",
        examples=_EXAMPLES,
    )
    add = parser.add_argument
    add(
        "--replicas",
        action="append",
        default=[],
        metavar="STAGE=N",
        help=f"replicas of {', '.join(_STAGES)}",
    )
    add("--gateways", type=int, default=1, metavar="N", help="at --port and after it (default: 1)")
    add("--pack", default="starter", metavar="NAME", help="model pack (default: starter)")
    add_pack_options(parser)
    add("--port", type=int, default=50051, help="port of the gateway (default: 50051)")
    add("--redis", default="auto", metavar="auto|none|URL", help="the cache (default: auto)")
    add("--metrics-base-port", type=int, metavar="PORT", help="default: any free ports")
    add(
        "--set",
        action="append",
        default=[],
        metavar="PROCESS.KEY=VALUE",
        dest="settings",
        help=f"configuration of a process: {', '.join(_PROCESSES)}",
    )
    add(
        "--avatar-store",
        type=Path,
        metavar="DIR",
        default=Path.home() / ".local" / "share" / "ditto-cluster" / "avatars",
        help="keeps registered portraits (default: ~/.local/share/ditto-cluster/avatars)",
    )
    add("--log-dir", type=Path, metavar="DIR", help="also write one log file a process there")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Start the cluster and watch it until Ctrl-C; 1 when the last gateway dies."""
    from ditto import packs
    from ditto.cli.log_lines import LogPrinter
    from ditto.local_cluster import ClusterPlan, LocalCluster
    from ditto.local_cluster.server import ignored_variables

    plan = ClusterPlan(
        replicas=parse_replicas(options.replicas),
        gateways=parse_gateways(options.gateways),
        pack=options.pack,
        port=options.port,
        metrics_base_port=options.metrics_base_port,
        redis=options.redis,
        settings=with_pack_options(options, parse_settings(options.settings)),
        start_seconds=start_seconds(options),
        avatar_store=options.avatar_store,
    )
    for variable in ignored_variables(os.environ):
        say(f"{variable} is ignored here; use --set PROCESS.KEY=VALUE")
    packs.pull(options.pack)
    say("starting ...")
    with LocalCluster(plan, LogPrinter(sys.stderr, options.log_dir), say) as cluster:
        for line in endpoints(cluster):
            print(line, flush=True)
        return watch(cluster)


def say(text: str) -> None:
    """A line from `ditto up` itself, beside the lines of the processes."""
    print(f"{'ditto up':16} {text}", file=sys.stderr, flush=True)


def endpoints(cluster: LocalCluster) -> list[str]:
    """One line a process with its addresses, then how to go on."""
    rows = [
        f"{name:16} {server.address:22} metrics http://{server.metrics_address}/metrics"
        for name, server in cluster.servers.items()
    ]
    option = "" if cluster.address.endswith(":50051") else f" --server {cluster.address}"
    return [
        *rows,
        f"ready: ditto animate examples/astronaut.jpg examples/speech.wav -o out.mp4{option}",
        "Ctrl-C stops everything",
    ]


def watch(cluster: LocalCluster) -> int:
    """Report each process that dies, until the last gateway has; ends by Ctrl-C otherwise."""
    running = {child.name: child for child in cluster.children()}
    while any(name in running for name in cluster.gateways):
        time.sleep(_POLL_S)
        for name, child in list(running.items()):
            if child.exit_code is not None:
                del running[name]
                say(f"{name} ended with exit code {child.exit_code}; it is not started again")
    raise SetupError("the gateway has ended, so nothing can be called: see its last lines above")


def parse_replicas(options: Iterable[str]) -> dict[str, int]:
    """``["renderer=2", "motion_dit=1,audio_encoder=3"]`` as counts by stage."""
    counts = {}
    for option in (part for text in options for part in text.split(",")):
        stage, _, number = option.partition("=")
        if stage not in _STAGES:
            raise InvalidInputError("--replicas", f"{option}: stages are {', '.join(_STAGES)}")
        if not number.isdigit() or not 1 <= int(number) <= _MOST_REPLICAS:
            raise InvalidInputError("--replicas", f"{option}: 1 to {_MOST_REPLICAS} processes")
        counts[stage] = int(number)
    return counts


def parse_gateways(count: int) -> int:
    """A number of gateways that can be."""
    if not 1 <= count <= _MOST_REPLICAS:
        raise InvalidInputError("--gateways", f"{count}: 1 to {_MOST_REPLICAS} processes")
    return count


def parse_settings(options: Iterable[str]) -> dict[str, list[str]]:
    """``["renderer.slots=8"]`` as KEY=VALUE lists by process."""
    settings: dict[str, list[str]] = {}
    for option in options:
        process, dot, setting = option.partition(".")
        if process not in _PROCESSES or not dot or "=" not in setting:
            allowed = f"PROCESS.KEY=VALUE with a process of {', '.join(_PROCESSES)}"
            raise InvalidInputError("--set", f"{option}: must be {allowed}")
        settings.setdefault(process, []).append(setting)
    return settings
