"""Names to addresses: one configured target may stand for many replicas (a headless Service)."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Iterable


async def resolve_all(targets: Iterable[str]) -> set[str] | None:
    """Every address, host:port, that the targets stand for now; None while a name has no answer."""
    try:
        found = await asyncio.gather(*map(_resolve, targets))
    except OSError:
        return None
    return set().union(*found)


async def _resolve(target: str) -> set[str]:
    host, _, port = target.rpartition(":")
    host = host.strip("[]")
    if _is_literal(host):
        return {target}
    answers = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return {_join(answer[4][0], port) for answer in answers}


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _join(host: object, port: str) -> str:
    return f"[{host}]:{port}" if ":" in str(host) else f"{host}:{port}"
