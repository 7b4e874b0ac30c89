"""How the clients connect, and as whom."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import grpc

from ditto.errors import InvalidInputError
from ditto.serving.certificates import CertificateFiles, NamedFile, read_certificates
from ditto.serving.loopback import is_loopback

_OPTIONS = (
    ("grpc.max_receive_message_length", 64 * 2**20),
    ("grpc.max_send_message_length", 64 * 2**20),
)
"""Room for a raw frame of the largest portrait."""
PREFIX = "DITTO_CLIENT_"


@dataclass(frozen=True)
class Access:
    """What a gateway wants to see before it answers, and what it must show itself."""

    token: str | None = field(default=None, repr=False)
    """Names the caller's tenant. Sent over TLS, or within this machine, and nowhere else."""
    token_file: str | Path | None = None
    """Holds the token, in its place."""
    tls: bool = False
    """Connect with TLS, and trust the public authorities that gRPC brings."""
    tls_ca: str | Path | None = None
    """PEM file of the authorities to trust instead; implies TLS."""
    tls_certificate: str | Path | None = None
    """PEM file of the client's own certificate, for a gateway that demands one."""
    tls_key: str | Path | None = None
    """PEM file of its private key."""
    tls_name: str | None = None
    """Name in the gateway's certificate, where it is not the host that is called."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Access:
        """What ``DITTO_CLIENT_<FIELD>`` variables say; ``DITTO_CLIENT_TLS=1`` asks for TLS.

        Raises `InvalidInputError` for a variable that no field has.
        """
        given = {
            name.removeprefix(PREFIX).lower(): text
            for name, text in environment.items()
            if name.startswith(PREFIX)
        }
        if unknown := sorted(given.keys() - cls.__dataclass_fields__.keys()):
            known = ", ".join(PREFIX + name.upper() for name in cls.__dataclass_fields__)
            raise InvalidInputError(PREFIX + unknown[0].upper(), f"is unknown; allowed: {known}")
        tls = given.pop("tls", "0")
        if tls not in ("0", "1"):
            raise InvalidInputError(f"{PREFIX}TLS", f"is {tls}; allowed: 0, 1")
        return cls(tls=tls == "1", **given)

    @property
    def has_tls(self) -> bool:
        """True where any of the fields asks for TLS."""
        return bool(self.tls or self.tls_ca or self.tls_certificate)


def open_channel(target: str, access: Access | None = None) -> grpc.Channel:
    """A channel to a gateway, by default as the environment says.

    Raises `SetupError` for files that cannot be used, `InvalidInputError` for a token that would
    leave this machine in clear text.
    """
    access = access or Access.from_environment()
    credentials = _credentials(target, access)
    if credentials is None:
        return grpc.insecure_channel(target, _OPTIONS)
    return grpc.secure_channel(target, credentials, _options(access))


def open_async_channel(target: str, access: Access | None = None) -> grpc.aio.Channel:
    """The same for asyncio."""
    access = access or Access.from_environment()
    credentials = _credentials(target, access)
    if credentials is None:
        return grpc.aio.insecure_channel(target, _OPTIONS)
    return grpc.aio.secure_channel(target, credentials, _options(access))


def _options(access: Access) -> Sequence[tuple[str, str | int]]:
    name = (("grpc.ssl_target_name_override", access.tls_name),) if access.tls_name else ()
    return (*_OPTIONS, *name)


def _credentials(target: str, access: Access) -> grpc.ChannelCredentials | None:
    token = _token(access)
    base = _transport(access)
    if token is None:
        return base
    if base is None:
        if not is_loopback(target):
            raise InvalidInputError(
                "token", f"would reach {target} in clear text; set tls or tls_ca as well"
            )
        base = grpc.local_channel_credentials()
    return grpc.composite_channel_credentials(base, grpc.access_token_call_credentials(token))


def _transport(access: Access) -> grpc.ChannelCredentials | None:
    if not access.has_tls:
        return None
    found = read_certificates(
        CertificateFiles(
            _named("tls_certificate", access.tls_certificate),
            _named("tls_key", access.tls_key),
            _named("tls_ca", access.tls_ca),
        )
    )
    return grpc.ssl_channel_credentials(found.authority, found.key, found.chain)


def _token(access: Access) -> str | None:
    if access.token_file is None:
        token = access.token
    else:
        token = NamedFile("token_file", Path(access.token_file)).read().decode("utf-8", "replace")
    if token is None:
        return None
    if not (token := token.strip()).isascii() or not token.isprintable() or not token:
        raise InvalidInputError("token", "is no token; it is one word of printable characters")
    return token


def _named(key: str, path: str | Path | None) -> NamedFile | None:
    return None if path is None else NamedFile(key, Path(path))
