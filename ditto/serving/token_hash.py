"""Bearer tokens: how they are made, and the only form in which they are kept."""

from __future__ import annotations

import hashlib
import secrets

PREFIX = "ditto_"
"""Lets scanners of repositories and logs recognise a token."""
TENANT_NAME = r"[a-z0-9][a-z0-9._-]{0,62}"
"""What a tenant may be called: it names a folder, too."""


def new_token() -> str:
    """A token with 256 random bits."""
    return PREFIX + secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """SHA-256 of a token, hexadecimal.

    A slow hash protects words that people choose; nobody can try 2**256 random ones.
    """
    return hashlib.sha256(token.encode()).hexdigest()
