"""Files that may change while a process runs: certificates and tokens are renewed in place."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock
from typing import Generic, TypeVar

from ditto.errors import SetupError
from ditto.serving import metrics

log = logging.getLogger(__name__)

Loaded = TypeVar("Loaded")
_Signature = tuple[tuple[int, int, int] | None, ...]


class WatchedFiles(Generic[Loaded]):
    """What some files say, read again when they change. May be used from any thread.

    A change that cannot be used is refused, logged and counted; what was read before stays in
    force. That is also what happens between two files that are replaced one after the other.
    """

    def __init__(self, name: str, paths: Sequence[Path], load: Callable[[], Loaded]) -> None:
        """`name` is told in logs and metrics. Raises what `load` raises, a `SetupError`."""
        self._name = name
        self._paths = paths
        self._load = load
        self._lock = Lock()
        self._refused: _Signature | None = None
        self._seen = self._signature()
        self.current = load()
        """What the files said last."""
        self.version = 0
        """Counts the changes."""
        metrics.RELOAD_ERRORS.labels(name)

    def refresh(self) -> Loaded:
        """What the files say now."""
        with self._lock:
            if (found := self._signature()) != self._seen:
                self._reload(found)
            return self.current

    def _reload(self, found: _Signature) -> None:
        try:
            self.current = self._load()
        except SetupError as error:
            metrics.RELOAD_ERRORS.labels(self._name).inc()
            if found != self._refused:
                log.error("a changed file cannot be used", extra={"fields": {"why": str(error)}})
            self._refused = found
            return
        self._seen = found
        self.version += 1
        log.info("read again", extra={"fields": {"what": self._name}})

    def _signature(self) -> _Signature:
        return tuple(map(_stamp, self._paths))


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
