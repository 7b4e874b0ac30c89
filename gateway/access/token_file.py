"""The file of tenants and their tokens: who may call, and how much."""

from __future__ import annotations

import hmac
import re
from datetime import datetime
from pathlib import Path

import yaml
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from ditto.serving.certificates import NamedFile
from ditto.serving.token_hash import TENANT_NAME, token_hash
from gateway.access.usage import TenantLimits

KEY = "tokens_file"


class Token(BaseModel):
    """One token, as its hash; a tenant has several while it goes from one to the next."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    expires: AwareDatetime | None = None
    note: str = ""
    """For whoever reads the file."""

    def is_expired(self, now: datetime) -> bool:
        """Whether its time is over."""
        return self.expires is not None and now >= self.expires


class Tenant(BaseModel):
    """Whoever pays for the calls, and owns the avatars."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tokens: tuple[Token, ...] = ()
    suspended: bool = False
    """Known and refused."""
    limits: TenantLimits = TenantLimits()


class TokenFile(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tenants: dict[str, Tenant]

    def find(self, token: str) -> tuple[str, Tenant, Token] | None:
        """The tenant's name, the tenant and the entry of a token.

        Takes as long whether and wherever it is found.
        """
        wanted, found = token_hash(token), None
        for name, tenant in self.tenants.items():
            for entry in tenant.tokens:
                if hmac.compare_digest(entry.sha256, wanted):
                    found = name, tenant, entry
        return found


def read_token_file(path: Path) -> TokenFile:
    """Read and check the file. Raises `SetupError` that names what is wrong in it, without it."""
    file = NamedFile(KEY, path)
    try:
        content = yaml.safe_load(file.read())
    except (yaml.YAMLError, UnicodeDecodeError):
        raise file.error("is no YAML or JSON; `ditto token new TENANT` shows its form") from None
    try:
        found = TokenFile.model_validate(content, strict=False)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise file.error(f"{where}: {first['msg']}") from None
    _check_names(file, found)
    return found


def _check_names(file: NamedFile, found: TokenFile) -> None:
    hashes = [entry.sha256 for tenant in found.tenants.values() for entry in tenant.tokens]
    if len(set(hashes)) < len(hashes):
        raise file.error("the same sha256 stands there twice; a token belongs to one tenant")
    for name in found.tenants:
        if not re.fullmatch(TENANT_NAME, name):
            raise file.error(f"tenant {name!r}: a name matches {TENANT_NAME}")
