"""The gateways that a client may use: which one to call next, and for how long to try."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from ditto.errors import AtCapacityError, DittoError, InvalidInputError, StageUnavailableError

Connection = TypeVar("Connection")

GONE = (StageUnavailableError, AtCapacityError)
"""What makes it worth asking another gateway, or the same one later."""
_FIRST_WAIT_S = 0.05
_LONGEST_WAIT_S = 1.0


@dataclass(frozen=True)
class Patience:
    """How a call outlives its gateway."""

    point_interval_ms: int = 1000
    """Time between two points from which the call can go on; less means less to compute again."""
    stall_seconds: float = 5.0
    """A gateway that says nothing for so long is given up. At least three intervals."""
    start_seconds: float = 15.0
    """A gateway that has not taken a call after so long is passed over; it may have to prepare the
    portrait first."""
    give_up_seconds: float = 30.0
    """A call that no gateway takes for so long has failed."""

    def __post_init__(self) -> None:
        if self.stall_seconds * 1000 < 3 * self.point_interval_ms:
            raise InvalidInputError(
                "stall_seconds",
                f"is {self.stall_seconds:g}; allowed: three point intervals or more",
            )


def patience_with(patience: Patience | None, servers: int) -> Patience | None:
    """What is asked for; where nothing is, calls outlive their gateway only if there are others."""
    return Patience() if patience is None and servers > 1 else patience


class Servers(Generic[Connection]):
    """Addresses in the order in which they are tried, each connected to when it is needed."""

    def __init__(self, target: str | Sequence[str], connect: Callable[[str], Connection]) -> None:
        """`target` is one host:port, several with commas between them, or a list."""
        names = target.split(",") if isinstance(target, str) else target
        self._addresses = [name.strip() for name in names]
        if not all(self._addresses) or not self._addresses:
            raise InvalidInputError("target", "names no server; allowed: host:port,host:port")
        self._connect = connect
        self._open: dict[str, Connection] = {}
        self._preferred = self._addresses[0]

    @property
    def count(self) -> int:
        """Servers to choose from."""
        return len(self._addresses)

    @property
    def connections(self) -> Sequence[Connection]:
        """Those opened so far."""
        return tuple(self._open.values())

    def at(self, address: str) -> Connection:
        """The connection to a server."""
        if address not in self._open:
            self._open[address] = self._connect(address)
        return self._open[address]

    def works(self, address: str) -> None:
        """A server has answered: it is the first to be asked next time."""
        self._preferred = address

    def in_order(self, lost: str | None = None) -> list[str]:
        """All servers, the one that worked last before the others; a lost one last."""
        first = self._addresses.index(self._preferred if lost is None else lost)
        turned = self._addresses[first:] + self._addresses[:first]
        return turned if lost is None else [*turned[1:], lost]


class Tries:
    """One server after the other with growing waits, until one takes the call or time is up."""

    def __init__(self, addresses: Sequence[str], give_up_s: float) -> None:
        self._addresses = addresses
        self._deadline_s = time.monotonic() + give_up_s
        self._error: DittoError = StageUnavailableError("no server was asked")
        self._wait_s = 0.0

    def __iter__(self) -> Iterator[tuple[str, float]]:
        """Each server with how long to wait before asking it. Raises the last error at the end."""
        wait_s = _FIRST_WAIT_S
        self._wait_s = 0.0
        while True:
            for address in self._addresses:
                yield address, self._wait_s
                self._wait_s = 0.0
            self._wait_s = wait_s
            if isinstance(self._error, AtCapacityError):
                self._wait_s = min(_LONGEST_WAIT_S, self._error.retry_after_ms / 1000)
            if time.monotonic() + self._wait_s > self._deadline_s:
                raise self._error
            wait_s = min(_LONGEST_WAIT_S, 2 * wait_s)

    def failed(self, error: DittoError) -> None:
        """The server that was asked last did not take the call."""
        self._error = error
