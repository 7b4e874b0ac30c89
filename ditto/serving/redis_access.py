"""How a process reaches Redis: address, user, password and certificates, none of them ever told."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, SecretStr
from redis import CredentialProvider
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from ditto.errors import SetupError
from ditto.serving.certificates import CertificateFiles, NamedFile
from ditto.serving.credentials import Credentials, named
from ditto.serving.loopback import is_loopback

TIMEOUT_S = 0.5
"""Longest wait for one request; a value is a few MiB at most."""


class RedisConfig(BaseModel):
    """Keys of a process that uses Redis."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    redis_url: str | None = None
    """Redis that renderers share features through, as redis://host:port/0, rediss:// for TLS, or
    unix:///path; null for none."""
    redis_username: str | None = None
    """User of Redis. Default: its default user."""
    redis_password: SecretStr | None = None
    """Password of that user. From the environment or the file, never from a command line."""
    redis_password_file: Path | None = None
    """File that holds the password in its place; read again for each new connection."""
    redis_tls_ca: Path | None = None
    """PEM file of the authorities of Redis's certificate. Default: those of the system."""
    redis_tls_certificate: Path | None = None
    """PEM file of the own certificate, where Redis demands one."""
    redis_tls_key: Path | None = None
    """PEM file of its private key."""


class RedisAccess:
    """Opens clients of one Redis; certificates and password may change meanwhile."""

    def __init__(self, config: RedisConfig, allows_clear_text: bool = False) -> None:
        """Raises `SetupError` for keys that contradict each other and files that cannot be used.

        A password goes to another machine over TLS alone, unless `allows_clear_text`.
        """
        self._url = config.redis_url or ""
        self._config = config
        self._password_file = named("redis_password_file", config.redis_password_file)
        url = urlsplit(self._url)
        if url.username or url.password:
            raise SetupError(
                "redis_url: a user or password in it would be told in logs; "
                "use redis_username and redis_password_file"
            )
        files = _files(config)
        if url.scheme != "rediss" and [*files]:
            raise SetupError("redis_tls_...: mean nothing unless redis_url begins with rediss://")
        has_password = bool(config.redis_password or self._password_file)
        if config.redis_username and not has_password:
            raise SetupError("redis_username: comes without redis_password_file")
        is_exposed = url.scheme == "redis" and not is_loopback(url.netloc)
        if has_password and is_exposed and not allows_clear_text:
            raise SetupError(
                "redis_url: the password would cross the network in clear text; use rediss://, "
                "or say insecure: true where something else protects the network"
            )
        self._credentials = Credentials("redis_tls_ca", files) if [*files] else None
        self._password()

    @property
    def version(self) -> int:
        """Counts the changes of the certificates; a client of an older one should be replaced."""
        if self._credentials is None:
            return 0
        self._credentials.refresh()
        return self._credentials.version

    def open(self) -> Redis:
        """A client. Raises `SetupError` for an address that is none."""
        options: dict[str, Any] = {}
        if self._password() is not None:
            options["credential_provider"] = _Provider(self)
        if urlsplit(self._url).scheme == "rediss":
            options |= _tls_options(self._config)
        try:
            client: Redis = Redis.from_url(
                self._url,
                socket_timeout=TIMEOUT_S,
                socket_connect_timeout=TIMEOUT_S,
                retry=Retry(NoBackoff(), 0),
                max_connections=16,
                **options,
            )
        except ValueError as error:
            raise SetupError(f"redis_url: {self._url}: {error}") from None
        return client

    def login(self) -> tuple[str, ...]:
        """Password, or user and password, as they are now."""
        password = self._password() or ""
        user = self._config.redis_username
        return (password,) if user is None else (user, password)

    def _password(self) -> str | None:
        if self._password_file:
            return self._password_file.read().decode("utf-8", "replace").rstrip("\r\n")
        given = self._config.redis_password
        return given.get_secret_value() if given else None


class _Provider(CredentialProvider):
    """Asked for each new connection, so that a password may change."""

    def __init__(self, access: RedisAccess) -> None:
        self._access = access

    def get_credentials(self) -> Any:
        return self._access.login()

    async def get_credentials_async(self) -> Any:
        return self._access.login()


def _files(config: RedisConfig) -> CertificateFiles:
    def file(key: str) -> NamedFile | None:
        return named(key, getattr(config, key))

    return CertificateFiles(
        file("redis_tls_certificate"), file("redis_tls_key"), file("redis_tls_ca")
    )


def _tls_options(config: RedisConfig) -> dict[str, str]:
    paths = {
        "ssl_certfile": config.redis_tls_certificate,
        "ssl_keyfile": config.redis_tls_key,
        "ssl_ca_certs": config.redis_tls_ca,
    }
    return {name: str(path) for name, path in paths.items() if path}
