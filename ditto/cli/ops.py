"""`ditto ops`: the load of a running cluster, more replicas, an empty one, its portraits."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ditto.cli.commands import Commands, add_action, add_actions, add_command
from ditto.errors import InvalidInputError

if TYPE_CHECKING:
    from ditto.ops.kubernetes_cluster import KubernetesCluster
    from ditto.ops.source import Source

_EXAMPLES = """\
Examples:
  ditto ops status                     replicas, sessions, headroom and speed of each service
  ditto ops status --each              one line a pod
  ditto ops status --seconds 10        speed in the next ten seconds, not since the start
  ditto ops status --local             the cluster of `ditto up --metrics-base-port 9401` here
  ditto ops scale renderer 4           four renderers
  ditto ops drain renderer-7d9f-x2k1   empty one pod; Kubernetes starts another
  ditto ops avatars                    portraits kept, and how well the cache answers

Kubernetes is reached as kubectl reaches it; pip install 'ditto-cluster[ops]' brings the client. The
rights that this needs are in deploy/k8s/components/ops-rbac.
"""
_FIRST_PORT = 9401
_MOST_REPLICAS = 1000


def add_parser(commands: Commands) -> None:
    """Add `ditto ops` to the command line."""
    parser = add_command(
        commands,
        "ops",
        about="look at a cluster in Kubernetes, scale and drain it",
        description="Looks at a running cluster, scales its services, drains its pods.",
        examples=_EXAMPLES,
    )
    actions = add_actions(parser)
    status = _add(actions, "status", _status, "replicas, sessions, headroom and speed")
    _add_local(status)
    status.add_argument("--each", action="store_true", help="one line a process")
    status.add_argument("--seconds", type=float, default=0, help="measure the speed for so long")
    avatars = _add(actions, "avatars", _avatars, "portraits kept, and how the cache answers")
    _add_local(avatars)
    scale = _add(actions, "scale", _scale, "set the number of replicas of a service")
    scale.add_argument("service", metavar="SERVICE", help="such as renderer")
    scale.add_argument("replicas", type=int, metavar="N", help="how many")
    drain = _add(actions, "drain", _drain, "empty a pod and have it replaced")
    drain.add_argument("pod", metavar="POD", help="its name")
    drain.add_argument(
        "--timeout", type=float, default=300, metavar="SECONDS", help="longest wait (default: 300)"
    )


def _add(
    actions: Commands, name: str, run: Callable[[argparse.Namespace], int], about: str
) -> argparse.ArgumentParser:
    parser = add_action(actions, name, run, about)
    parser.add_argument("--namespace", "-n", default="ditto", help="default: ditto")
    parser.add_argument("--kubeconfig", metavar="FILE", help="default: as kubectl")
    parser.add_argument("--context", metavar="NAME", help="default: the current one")
    return parser


def _add_local(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--local",
        type=int,
        nargs="?",
        const=_FIRST_PORT,
        metavar="PORT",
        help=f"a cluster of this machine: its first metrics port (default: {_FIRST_PORT})",
    )
    parser.add_argument("--pages", metavar="HOST:PORT,...", help="metrics pages, one by one")


def _status(options: argparse.Namespace) -> int:
    from ditto.ops.status import look, status_table
    from ditto.ops.table import format_table

    source = _source(options)
    print(status_table(look(source, options.seconds)))
    if options.each:
        heads = ("REPLICA", "SERVICE", "STATE", "LIVE", "FREE")
        print(f"\n{format_table(heads, [_row(each) for each in source.replicas()])}")
    return 0


def _row(replica: Any) -> tuple[str, ...]:
    page = replica.page
    if page is None:
        return (replica.name, replica.service, "no answer", "-", "-")
    state = "serving" if page.is_serving else "not ready"
    free = "-" if page.free_slots is None else str(page.free_slots)
    return (replica.name, replica.service, state, str(page.live_sessions), free)


def _avatars(options: argparse.Namespace) -> int:
    from ditto.ops.avatars import avatars_report

    print(avatars_report(_source(options)))
    return 0


def _scale(options: argparse.Namespace) -> int:
    if not 1 <= options.replicas <= _MOST_REPLICAS:
        raise InvalidInputError("N", f"{options.replicas}: 1 to {_MOST_REPLICAS} replicas")
    _cluster(options).scale(options.service, options.replicas)
    print(
        f"{options.service}: {options.replicas} replicas asked for; `ditto ops status` shows them"
    )
    return 0


def _drain(options: argparse.Namespace) -> int:
    from ditto.ops.drain import drain

    drain(_cluster(options), options.pod, options.timeout, print)
    return 0


def _source(options: argparse.Namespace) -> Source:
    from ditto.ops.source import LocalSource, addresses_from

    if options.pages:
        return LocalSource(options.pages.split(","))
    if options.local:
        return LocalSource(addresses_from(options.local))
    return _cluster(options)


def _cluster(options: argparse.Namespace) -> KubernetesCluster:
    from ditto.ops.kubernetes_cluster import KubernetesCluster, connect

    return KubernetesCluster(connect(options.kubeconfig, options.context), options.namespace)
