"""Every key of the gateway's configuration."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr, field_validator

from ditto.serving.config import ProcessConfig
from gateway.limits import CallLimits


class GatewayConfig(ProcessConfig, CallLimits):
    """Where the stages are, what is refused, and how calls are paced."""

    audio_encoder: tuple[str, ...]
    """Addresses of the audio_encoder replicas, host:port; a name stands for all its addresses."""
    motion_dit: tuple[str, ...]
    """Addresses of the motion_dit replicas, likewise."""
    renderer: tuple[str, ...]
    """Addresses of the renderer replicas, likewise."""
    pack: str = "starter"
    """Name of the pack that a call gets when it names none."""

    tokens_file: Path | None = None
    """YAML or JSON file of the tenants and the hashes of their tokens; `ditto token new` makes
    lines for it. Default: everybody may call, which only an address of this machine allows."""
    stage_tls_ca: Path | None = None
    """PEM file with the authorities of the stages' certificates. Default: clear text."""
    stage_tls_certificate: Path | None = None
    """PEM file with the certificate chain that the gateway shows to the stages."""
    stage_tls_key: Path | None = None
    """PEM file with its private key, without a passphrase."""
    stage_tls_name: str = Field(default="ditto-stage", min_length=1)
    """DNS name in every stage's certificate, whatever the address of the replica."""

    avatar_store: Path
    """Folder that keeps registered portraits. Several gateways may share it."""
    avatar_secret: SecretStr | None = None
    """Key of the avatar ids and resume tokens. Default: made once and kept in the store."""
    resume_seconds: float = Field(default=300.0, ge=0)
    """A broken call can go on at any gateway with this secret for so long."""
    avatar_count: int = Field(default=10_000, ge=1)
    """Most avatars in the store."""

    poll_seconds: float = Field(default=1.0, gt=0)
    """Time between two looks at the addresses, health and free slots of the replicas."""
    poll_timeout_seconds: float = Field(default=1.0, gt=0)
    """A replica that does not say its status for so long has missed the poll."""
    missed_polls: int = Field(default=3, ge=1)
    """A replica that misses so many in a row is given up: its sessions move to others."""
    hang_seconds: float = Field(default=5.0, gt=0)
    """A REALTIME session gives up a replica that leaves its work unanswered for so long; a FAST
    one, whose steps let others go first, waits twice as long. Must exceed the slowest step."""
    failover_seconds: float = Field(default=10.0, gt=0)
    """Longest search for a replica that takes a session over; then the call ends, UNAVAILABLE."""
    accept_seconds: float = Field(default=5.0, gt=0)
    """Longest wait for a stage replica to accept a session."""
    prepare_seconds: float = Field(default=30.0, gt=0)
    """Longest wait for a portrait to be prepared."""
    prepare_video_seconds: float = Field(default=300.0, gt=0)
    """Longest wait for a portrait video to be prepared."""

    steps_load: float = Field(default=0.7, gt=0)
    """REALTIME: a call samples half of its denoising steps while a replica that serves it is loaded
    this far, as a share of its compute time."""
    size_load: float = Field(default=0.8, gt=0)
    """REALTIME: from here its pictures have half the width and height too (JPEG, RGB24)."""
    admission_load: float = Field(default=0.9, gt=0)
    """REALTIME: a call that would load every replica of a stage further is refused."""

    lead_seconds: float = Field(default=10.0, ge=5)
    """Speech that the stages may hold beyond the last frame sent: the pace of a FAST call whose
    reader is slow, the bound of a REALTIME one whose stages are."""
    jitter_ms: float = Field(default=20.0, ge=0)
    """REALTIME: how long a unit of speech is waited for after the clock has passed it."""
    compute_margin_ms: float = Field(default=100.0, ge=0)
    """REALTIME: time that the stages get to compute a frame before it is due."""
    reader_lag_seconds: float = Field(default=1.0, gt=0)
    """REALTIME: a reader this far behind loses frames (JPEG, RGB24) or the call (H264_FMP4)."""

    @property
    def missing_caller_check(self) -> str | None:
        """A gateway knows its callers by their tokens."""
        if self.tokens_file:
            return None
        return "set tokens_file, for which `ditto token new TENANT` makes tokens"

    @field_validator("audio_encoder", "motion_dit", "renderer", mode="before")
    @classmethod
    def _are_addresses(cls, value: object) -> object:
        targets = [value] if isinstance(value, str) else value
        if not isinstance(targets, (list, tuple)) or not targets:
            raise ValueError("must be a list of host:port")
        for target in targets:
            host, _, port = str(target).rpartition(":")
            if not host or not port.isdigit():
                raise ValueError(f"{target!r} is not host:port")
        return tuple(targets)
