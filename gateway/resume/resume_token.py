"""Resume tokens: the state of a call as bytes that the caller keeps and cannot change.

    magic, HMAC-SHA256 of the rest, zlib of a `ditto.v1.ResumeState` whose bytes lie sorted by their
    place in a group of four: most of it is float32, which is then a quarter smaller

Nothing is read before the HMAC holds. Its key comes from the secret that gateways share, so any of
them reads what another one wrote, and a caller learns nothing but its own speech and settings.
"""

from __future__ import annotations

import hashlib
import hmac
import time
import zlib
from collections.abc import Callable

import numpy as np
from google.protobuf.message import DecodeError

from ditto.errors import InvalidInputError, ResumeError
from ditto.v1.resume_pb2 import ResumeState

MAX_TOKEN_BYTES = 2 * 2**20
MAX_STATE_BYTES = 4 * 2**20
_MAGIC = b"DTR1"
_MAC_BYTES = 32
_FAST = 1
"""zlib level: a token a second and call must cost next to nothing."""
_GROUP_BYTES = 4
_CLOCK_ERROR_S = 60.0


class TokenSeal:
    """Makes tokens and reads them."""

    def __init__(
        self, secret: bytes, lifetime_s: float, now_s: Callable[[], float] = time.time
    ) -> None:
        """`secret` is what gateways share; tokens are good for `lifetime_s`."""
        self._key = hmac.digest(secret, b"resume token", "sha256")
        self._lifetime_s = lifetime_s
        self._now_s = now_s

    def seal(self, state: ResumeState) -> bytes:
        """The token of a state, dated now; empty for a state that is too large for one."""
        state.issued_s = self._now_s()
        plain = state.SerializeToString()
        if len(plain) > MAX_STATE_BYTES:
            return b""
        body = zlib.compress(_sorted(plain), _FAST)
        token = _MAGIC + self._mac(body) + body
        return token if len(token) <= MAX_TOKEN_BYTES else b""

    def open(self, token: bytes) -> ResumeState:
        """The state in a token.

        Raises `InvalidInputError` for one that no gateway with this secret made, `ResumeError` for
        one that is too old.
        """
        body_at = len(_MAGIC) + _MAC_BYTES
        body = token[body_at:] if len(token) <= MAX_TOKEN_BYTES else b""
        if not body or not hmac.compare_digest(token[:body_at], _MAGIC + self._mac(body)):
            raise InvalidInputError("resume.token", "was not made by this cluster, or was changed")
        state = _decoded(body)
        age_s = self._now_s() - state.issued_s
        if not -_CLOCK_ERROR_S <= age_s <= self._lifetime_s:
            raise ResumeError(
                f"resume.token: is {age_s:.0f} s old; allowed: {self._lifetime_s:g} s; "
                "start a new call"
            )
        return state

    def _mac(self, body: bytes) -> bytes:
        return hmac.digest(self._key, body, hashlib.sha256)


def _sorted(plain: bytes) -> bytes:
    whole = len(plain) - len(plain) % _GROUP_BYTES
    rows = np.frombuffer(plain[:whole], np.uint8).reshape(-1, _GROUP_BYTES)
    return rows.T.tobytes() + plain[whole:]


def _unsorted(data: bytes) -> bytes:
    whole = len(data) - len(data) % _GROUP_BYTES
    columns = np.frombuffer(data[:whole], np.uint8).reshape(_GROUP_BYTES, -1)
    return columns.T.tobytes() + data[whole:]


def _decoded(body: bytes) -> ResumeState:
    try:
        plain = zlib.decompressobj().decompress(body, MAX_STATE_BYTES)
        return ResumeState.FromString(_unsorted(plain))
    except (zlib.error, DecodeError):
        raise ResumeError("resume.token: of another version; start a new call") from None
