"""The one place where certificates become gRPC credentials, on either end of a connection.

Files that change are taken up without a restart: a server asks for them at each handshake, whoever
opens channels looks at `Credentials.version`.
"""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import grpc

from ditto.errors import SetupError
from ditto.serving import metrics
from ditto.serving.certificates import (
    CertificateFiles,
    Certificates,
    NamedFile,
    read_certificates,
)
from ditto.serving.config import ProcessConfig
from ditto.serving.loopback import is_loopback
from ditto.serving.watched_files import WatchedFiles

log = logging.getLogger(__name__)

WARN_BEFORE = timedelta(days=14)
"""A certificate that expires sooner is worth a warning."""
_WARN_AGAIN_S = 86_400.0


class Credentials:
    """Certificate files in force, checked, watched and told in the metrics."""

    def __init__(self, name: str, files: CertificateFiles) -> None:
        """Raises `SetupError` for files that cannot be used."""
        paths = [file.path for file in files]
        self._watched = WatchedFiles(name, paths, partial(read_certificates, files))
        self._warned_at = float("-inf")
        self.refresh()

    @property
    def version(self) -> int:
        """Counts the changes that were taken up."""
        return self._watched.version

    def refresh(self) -> Certificates:
        """The certificates as the files have them now; says so when they are about to expire."""
        found = self._watched.refresh()
        for key, end in found.ends.items():
            metrics.CERTIFICATE_EXPIRY.labels(key).set(end.timestamp())
        soon = {k: str(e) for k, e in found.ends.items() if e - datetime.now(UTC) < WARN_BEFORE}
        if soon and time.monotonic() - self._warned_at > _WARN_AGAIN_S:
            self._warned_at = time.monotonic()
            log.warning("a certificate expires soon; renew it", extra={"fields": soon})
        return found

    def for_server(self) -> grpc.ServerCredentials:
        """Credentials of one server; with an authority, it demands a certificate of each caller."""
        found, given = self.refresh(), self.version

        def changed() -> grpc.ServerCertificateConfiguration | None:
            """Asked at every handshake; None where nothing has changed since."""
            nonlocal given
            found = self.refresh()
            if given == self.version:
                return None
            given = self.version
            return _server_configuration(found)

        return grpc.dynamic_ssl_server_credentials(
            _server_configuration(found),
            changed,  # type: ignore[arg-type]
            found.authority is not None,
        )

    def for_channel(self) -> grpc.ChannelCredentials:
        """Credentials of a channel; without an authority, those that gRPC brings are trusted."""
        found = self.refresh()
        return grpc.ssl_channel_credentials(found.authority, found.key, found.chain)


def _server_configuration(found: Certificates) -> grpc.ServerCertificateConfiguration:
    pair = (found.key or b"", found.chain or b"")
    return grpc.ssl_server_certificate_configuration([pair], found.authority)


def named(key: str, path: Path | None) -> NamedFile | None:
    """A configured file, where the key is set."""
    return None if path is None else NamedFile(key, path)


def server_credentials(config: ProcessConfig) -> Credentials | None:
    """What the process presents at `listen`; None for clear text.

    Raises `SetupError` for files that cannot be used, and for an address that others can reach
    without the protection that it then needs.
    """
    require_protection(config)
    if config.tls_certificate is None:
        if config.tls_key or config.tls_client_ca:
            raise SetupError("tls_key, tls_client_ca: mean nothing without tls_certificate")
        return None
    return Credentials(
        "tls_certificate",
        CertificateFiles(
            named("tls_certificate", config.tls_certificate),
            named("tls_key", config.tls_key),
            named("tls_client_ca", config.tls_client_ca),
        ),
    )


def require_protection(config: ProcessConfig) -> None:
    """Raise `SetupError` for an address that others can reach without what it then needs."""
    if is_loopback(config.listen):
        return
    if missing := config.missing_caller_check:
        raise SetupError(f"listen: {config.listen} can be reached by others; {missing}")
    if config.tls_certificate is None and not config.insecure:
        raise SetupError(
            f"listen: {config.listen} can be reached by others, and in clear text; set "
            "tls_certificate and tls_key, or listen on 127.0.0.1, or say insecure: true where "
            "something else protects the network"
        )
    if config.insecure:
        log.warning("INSECURE: clear text or unknown callers are allowed, as `insecure` says")
