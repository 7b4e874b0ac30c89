"""The local cache tier: least recently used entries go when the bytes run out."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

from ditto.serving import metrics

Value = TypeVar("Value")
TIER = "local"


class ByteBoundedLru(Generic[Value]):
    """Values by key, within a bound on their total size in bytes."""

    def __init__(self, max_bytes: int, weigh: Callable[[Value], int]) -> None:
        """``weigh`` gives the size of a value; it is asked again whenever the value is used."""
        self._weigh = weigh
        self._max_bytes = max_bytes
        self._entries: OrderedDict[str, tuple[Value, int]] = OrderedDict()
        self._bytes = 0

    def get(self, key: str) -> Value | None:
        """The value, now the most recently used one; None where there is none."""
        entry = self._entries.get(key)
        metrics.CACHE_REQUESTS.labels(TIER, "hit" if entry else "miss").inc()
        if entry is None:
            return None
        self.put(key, entry[0])
        return entry[0]

    def put(self, key: str, value: Value) -> None:
        """Keep a value as the most recently used one; not if it exceeds the bound by itself."""
        self.discard(key)
        size_bytes = self._weigh(value)
        if size_bytes > self._max_bytes:
            return
        self._entries[key] = (value, size_bytes)
        self._bytes += size_bytes
        while self._bytes > self._max_bytes:
            _, (_, freed) = self._entries.popitem(last=False)
            self._bytes -= freed
            metrics.CACHE_EVICTIONS.labels(TIER).inc()
        metrics.CACHE_BYTES.labels(TIER).set(self._bytes)

    def discard(self, key: str) -> None:
        """Forget a value, if it is there."""
        _, freed = self._entries.pop(key, (None, 0))
        self._bytes -= freed
        metrics.CACHE_BYTES.labels(TIER).set(self._bytes)
