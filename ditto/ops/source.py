"""Where the state of a cluster comes from: processes on this machine, or Kubernetes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.request import urlopen

from ditto.errors import CorruptDataError, SetupError
from ditto.ops.page import Page, read_page

_TIMEOUT_S = 3.0
_MOST_PROCESSES = 256


@dataclass(frozen=True)
class Replica:
    """One process and what it tells of itself."""

    name: str
    service: str
    """audio_encoder, motion_dit, renderer or gateway."""
    page: Page | None
    """None where its page cannot be read."""

    @property
    def is_ready(self) -> bool:
        """It says that it can do its work."""
        return self.page is not None and self.page.is_serving


class Source(Protocol):
    """A cluster that can be looked at."""

    def replicas(self) -> list[Replica]:
        """All processes, as they are now. Raises `SetupError` when the cluster is out of reach."""

    def wanted(self) -> dict[str, int]:
        """Replicas that there should be, by service; empty where nothing says."""


class LocalSource:
    """Processes whose metrics pages are at known addresses."""

    def __init__(self, addresses: Sequence[str]) -> None:
        """`addresses` are host:port."""
        self._addresses = addresses

    def replicas(self) -> list[Replica]:
        """All of them; one that does not answer is in it, without a page."""
        return [self._look(address) for address in self._addresses]

    def wanted(self) -> dict[str, int]:
        """Nothing says how many there should be."""
        return {}

    def _look(self, address: str) -> Replica:
        try:
            page = read_page(_fetch(address))
        except (OSError, CorruptDataError):
            return Replica(address, "unknown", None)
        return Replica(address, page.module or "loading", page)


def addresses_from(first_port: int) -> list[str]:
    """The pages that `ditto up --metrics-base-port` opened: ports from the first on, in a row.

    Raises `SetupError` when the first does not answer.
    """
    found: list[str] = []
    for port in range(first_port, first_port + _MOST_PROCESSES):
        address = f"127.0.0.1:{port}"
        if not _answers(address):
            break
        found.append(address)
    if not found:
        raise SetupError(
            f"no metrics page at 127.0.0.1:{first_port}; start the cluster with "
            f"`ditto up --metrics-base-port {first_port}`, or name its pages with --pages"
        )
    return found


def _answers(address: str) -> bool:
    try:
        read_page(_fetch(address))
    except (OSError, CorruptDataError):
        return False
    return True


def _fetch(address: str) -> str:
    with urlopen(f"http://{address}/metrics", timeout=_TIMEOUT_S) as page:
        return str(page.read().decode("utf-8", "replace"))


def pages_of(replicas: Iterable[Replica], service: str) -> list[Page]:
    """The pages of one service's replicas that could be read."""
    return [each.page for each in replicas if each.service == service and each.page is not None]
