"""Large values in Redis: cut into parts, so that none of them holds up Redis, or a request."""

from __future__ import annotations

import struct

from ditto.errors import StageUnavailableError
from ditto.serving import metrics
from ditto.serving.redis_tier import TIER, RedisTier

PART_BYTES = 4 << 20
_MAX_PARTS = 256
"""A value beyond a GiB is not kept."""
_HEAD = struct.Struct("<4sIQ")
_MAGIC = b"DPRT"


class PartedTier(RedisTier):
    """A `RedisTier` whose values may be large, as those of portrait videos are.

    The parts are written before the head that names them, and one that has gone since makes the
    whole value a miss.
    """

    async def get(self, key: str) -> bytes | None:
        """The payload; None where it, or a part, is missing, corrupt or out of reach."""
        payload, result = await self._look_up(key)
        parts: list[bytes] = []
        for part_key in _parts_of(key, payload):
            part, result = await self._look_up(part_key)
            if part is None:
                break
            parts.append(part)
        metrics.CACHE_REQUESTS.labels(TIER, result).inc()
        if result != "hit":
            return None
        return b"".join(parts) if parts else payload

    async def put(self, key: str, payload: bytes) -> None:
        """Store a payload, if Redis can be reached."""
        if len(payload) <= PART_BYTES:
            await super().put(key, payload)
            return
        if len(payload) > _MAX_PARTS * PART_BYTES:
            return
        head = _HEAD.pack(_MAGIC, -(-len(payload) // PART_BYTES), len(payload))
        for number, part_key in enumerate(_parts_of(key, head)):
            start = number * PART_BYTES
            await super().put(part_key, payload[start : start + PART_BYTES])
        await super().put(key, head)

    async def delete(self, key: str) -> None:
        """Forget a payload. Raises `StageUnavailableError` when Redis cannot be told so."""
        head, result = await self._look_up(key)
        if result in ("error", "skipped"):
            raise StageUnavailableError("redis: does not answer, so nothing was deleted there")
        for stored in (*_parts_of(key, head), key):
            await super().delete(stored)


def _parts_of(key: str, payload: bytes | None) -> list[str]:
    """Keys of the parts that a stored value is the head of; none for an ordinary value."""
    if payload is None or len(payload) != _HEAD.size or payload[: len(_MAGIC)] != _MAGIC:
        return []
    _, parts, _ = _HEAD.unpack(payload)
    return [f"{key}/{number}" for number in range(parts)]
