"""Why a session moves to another replica, and what is reported of it."""

from __future__ import annotations

from dataclasses import dataclass

REASONS = ("reset", "hang", "polls", "not_serving", "drain")
"""As the metric names them."""


@dataclass(frozen=True)
class FailoverLimits:
    """When a replica is given up, and how long another one is looked for."""

    hang_s: float
    """Work may stay unanswered for so long."""
    missed_polls: int
    """Polls in a row that a replica may miss."""
    search_s: float
    """Longest search for a replica with room."""


class LostReplicaError(Exception):
    """The replica of a session will answer no more."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


@dataclass(frozen=True)
class Departure:
    """A session has left a replica, and nothing has come of the new one yet."""

    reason: str
    left: str
    """Name of the replica that served it."""
    taken_by: str
    """Name of the one that serves it now."""
    starts_over: bool
    """The new one could not read the checkpoint and began with the last seconds of input."""
    since_s: float
    """When the old one was last known to work."""
    until_answered: int
    """The new one has caught up once so many requests are answered."""


@dataclass(frozen=True)
class Move:
    """A session went from one replica to another."""

    module: str
    departure: Departure
    first_frame: int
    """Index of the first frame of the new one."""
    gap_s: float
    """How long the stage gave nothing although it had work."""

    def __str__(self) -> str:
        gone = self.departure
        anew = ", which could not read its state and began anew" if gone.starts_over else ""
        return f"{self.module}: {gone.reason}; {gone.left} was replaced by {gone.taken_by}{anew}"
