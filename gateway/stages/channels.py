"""Channels to stage replicas, in clear text or with the certificates of the configuration."""

from __future__ import annotations

import grpc

from ditto.errors import SetupError
from ditto.serving.certificates import CertificateFiles
from ditto.serving.credentials import Credentials, named
from ditto.serving.server import MAX_RECEIVE_BYTES
from gateway.config import GatewayConfig

_OPTIONS = (
    ("grpc.max_receive_message_length", MAX_RECEIVE_BYTES),
    ("grpc.max_send_message_length", MAX_RECEIVE_BYTES),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.use_local_subchannel_pool", 1),
)


class StageDialer:
    """Opens channels. One that is open keeps the certificates that it was opened with."""

    def __init__(self, credentials: Credentials | None = None, name: str = "") -> None:
        """`name` must be in the certificate of every stage; None for clear text."""
        self._credentials = credentials
        self._options = (*_OPTIONS, ("grpc.ssl_target_name_override", name))

    def version(self) -> int:
        """Counts the changes of the certificates; a channel of an older one should be replaced."""
        if self._credentials is None:
            return 0
        self._credentials.refresh()
        return self._credentials.version

    def open(self, address: str) -> grpc.aio.Channel:
        """A channel to one replica."""
        if self._credentials is None:
            return grpc.aio.insecure_channel(address, options=_OPTIONS)
        credentials = self._credentials.for_channel()
        return grpc.aio.secure_channel(address, credentials, options=self._options)


def stage_dialer(config: GatewayConfig) -> StageDialer:
    """The dialer of a configuration. Raises `SetupError` for files that cannot be used."""
    if config.stage_tls_ca is None:
        if config.stage_tls_certificate or config.stage_tls_key:
            raise SetupError(
                "stage_tls_certificate, stage_tls_key: mean nothing without stage_tls_ca"
            )
        return StageDialer()
    files = CertificateFiles(
        named("stage_tls_certificate", config.stage_tls_certificate),
        named("stage_tls_key", config.stage_tls_key),
        named("stage_tls_ca", config.stage_tls_ca),
    )
    return StageDialer(Credentials("stage_tls_ca", files), config.stage_tls_name)
