"""How much memory the arrays of a value take, for bounds that are kept in bytes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np


def array_bytes(value: Any) -> int:
    """Bytes of all numpy arrays that ``value`` reaches through attributes and containers.

    A buffer that several arrays look at counts once.
    """
    buffers: dict[int, int] = {}
    seen: set[int] = set()
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        if isinstance(item, np.ndarray):
            owner = _owner(item)
            known = getattr(owner, "nbytes", None)  # a tensor has this, and no buffer of its own
            buffers[id(owner)] = memoryview(owner).nbytes if known is None else known
        else:
            waiting.extend(_parts(item))
    return sum(buffers.values())


def _owner(array: np.ndarray[Any, Any]) -> Any:
    """Whatever holds the array's memory: another array, or any object with a buffer."""
    owner: Any = array
    while True:
        base = owner.obj if isinstance(owner, memoryview) else getattr(owner, "base", None)
        if base is None:
            return owner
        owner = base


def _parts(item: Any) -> Iterable[Any]:
    if isinstance(item, dict):
        return item.values()
    if isinstance(item, (list, tuple, set, frozenset)):
        return item
    return vars(item).values() if hasattr(item, "__dict__") else ()
