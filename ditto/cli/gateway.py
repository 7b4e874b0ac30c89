"""The gateway that a command talks to, and how it is reached."""

from __future__ import annotations

import argparse
from dataclasses import fields, replace

from ditto.client import Access, Client
from ditto.errors import StageUnavailableError
from ditto.local_cluster.health import is_serving

DEFAULT_SERVER = "127.0.0.1:50051"


def access_of(options: argparse.Namespace) -> Access:
    """What the options say, and the environment where they say nothing."""
    given = {field.name: getattr(options, field.name, None) for field in fields(Access)}
    said = {name: value for name, value in given.items() if value is not None}
    return replace(Access.from_environment(), **said)


def connect(options: argparse.Namespace) -> Client:
    """A client of the gateway, or of several, once one serves. Raises `StageUnavailableError` when
    none does."""
    address, access = options.server or DEFAULT_SERVER, access_of(options)
    if not any(is_serving(each.strip(), access=access) for each in address.split(",")):
        raise StageUnavailableError(f"no gateway serves at {address}{_hint(access)}")
    return Client(address, access)


def _hint(access: Access) -> str:
    return ", or it does not show a certificate that is trusted" if access.has_tls else ""
