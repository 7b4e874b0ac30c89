"""A file of tenants and tokens for a test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from ditto.serving.token_hash import token_hash


def write_tokens(file: Path, **tenants: dict[str, Any]) -> Path:
    """Write tenants whose entries have `tokens` in clear, for the sake of the test."""
    content = {
        name: {**tenant, "tokens": list(map(_entry, tenant.get("tokens", ())))}
        for name, tenant in tenants.items()
    }
    file.write_text(yaml.safe_dump({"tenants": content}))
    return file


def _entry(token: str | dict[str, Any]) -> dict[str, Any]:
    if isinstance(token, str):
        return {"sha256": token_hash(token)}
    kept = {key: value for key, value in token.items() if key != "token"}
    return {"sha256": token_hash(token["token"]), **kept}
