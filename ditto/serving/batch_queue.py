"""Which waiting items form the next batch, and when: arithmetic alone, no thread and no clock."""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar


class Waiting(Protocol):
    """What the queue must know of an item. Moments are seconds of one clock."""

    @property
    def arrived_s(self) -> float: ...

    @property
    def deadline_s(self) -> float: ...


Entry = TypeVar("Entry", bound=Waiting)


class BatchQueue(Generic[Entry]):
    """Items of different sessions, earliest deadline first."""

    def __init__(self, max_batch: int, max_wait_s: float) -> None:
        """At most ``max_batch`` items go together; none waits for others past ``max_wait_s``."""
        self._max_batch = max_batch
        self._max_wait_s = max_wait_s
        self._entries: list[Entry] = []

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, entry: Entry) -> None:
        """An item is ready."""
        self._entries.append(entry)

    def discard(self, entry: Entry) -> None:
        """An item is not wanted any more; nothing happens when it has gone already."""
        self._entries = [waiting for waiting in self._entries if waiting is not entry]

    def due_s(self, sessions: int) -> float | None:
        """When the next batch goes: at once (a moment that has passed) when it can grow no more.

        ``sessions`` live sessions have at most one item each. None while nothing waits.
        """
        if not self._entries:
            return None
        oldest_s = min(entry.arrived_s for entry in self._entries)
        is_complete = len(self._entries) >= min(self._max_batch, sessions)
        return oldest_s if is_complete else oldest_s + self._max_wait_s

    def take(self) -> list[Entry]:
        """Remove and give the next batch; equal deadlines go in the order of arrival."""
        self._entries.sort(key=lambda entry: (entry.deadline_s, entry.arrived_s))
        batch, self._entries = self._entries[: self._max_batch], self._entries[self._max_batch :]
        return batch
