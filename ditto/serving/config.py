"""One strict configuration per process: file < environment < command line.

Each key of a model is documented by the docstring below it. A key that the model does not know is
an error wherever it comes from, so that a typo never passes silently.
"""

from __future__ import annotations

import argparse
import os
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import NoneType
from typing import Any, TypeVar, get_args

import yaml
from pydantic import Field, SecretStr, ValidationError, field_validator

from ditto.errors import SetupError
from ditto.serving.batcher import BatchLimits
from ditto.serving.transport import TransportLimits

ENVIRONMENT_PREFIX = "DITTO_"
RESERVED_ENVIRONMENT = frozenset({"DITTO_CACHE_DIR", "DITTO_OFFLINE", "DITTO_REFERENCE_DIR"})
"""Read by the pack manager, not configuration of a process."""
CLIENT_PREFIX = "DITTO_CLIENT_"
"""Begins the variables that clients read, likewise."""
MESSAGE_BYTES = 32 * 2**20
"""Largest message of the contract."""


def default_replica() -> str:
    """Name of this process among its likes: host name and process id."""
    return f"{socket.gethostname()}-{os.getpid()}"


class ProcessConfig(TransportLimits):
    """Keys that every server process has."""

    listen: str
    """Address of the gRPC server, host:port."""
    metrics_listen: str
    """Address of the Prometheus page /metrics, host:port."""
    replica: str = Field(default_factory=default_replica)
    """Name of this replica in replies, logs and traces. Default: host name and process id."""
    log_level: str = Field(default="info", pattern="^(debug|info|warning|error)$")
    """Least severity that is logged: debug, info, warning or error."""
    drain_seconds: float = Field(default=30.0, ge=0)
    """Time that live sessions get to end after SIGTERM."""
    message_bytes: int = Field(default=MESSAGE_BYTES, ge=2**16, le=2 * MESSAGE_BYTES)
    """Largest request message that is taken. Unit: bytes."""
    tls_certificate: Path | None = None
    """PEM file with the certificate chain of the gRPC server. Default: clear text. Read again when
    it changes."""
    tls_key: Path | None = None
    """PEM file with its private key, without a passphrase."""
    tls_client_ca: Path | None = None
    """PEM file with authorities; callers must then present a certificate of one of them."""
    otlp_endpoint: str | None = Field(default=None, pattern="^https?://")
    """Collector of OpenTelemetry traces (OTLP over gRPC), as http://collector:4317. Default: no
    traces. Needs the extra `otel`."""
    otlp_ratio: float = Field(default=1.0, ge=0, le=1)
    """Share of the calls that are traced where the caller does not say."""
    insecure: bool = False
    """Allow clear text, and to stages any caller, on an address that others can reach."""

    @property
    def missing_caller_check(self) -> str | None:
        """What a process that others can reach lacks to know its callers, and the mend."""
        return None

    @field_validator("listen", "metrics_listen")
    @classmethod
    def _is_address(cls, address: str) -> str:
        host, _, port = address.rpartition(":")
        if not host or not port.isdigit() or not 0 < int(port) < 65536:
            raise ValueError("must be host:port with a port from 1 to 65535")
        return address


class StageConfig(ProcessConfig):
    """Keys that every stage service has."""

    pack: str = "starter"
    """Name of the model pack that is served."""
    pack_options: dict[str, str | int | float | bool] = Field(default_factory=dict)
    """What the pack lets a process choose, as weights, device, backend; its manifest lists them."""
    slots: int = Field(default=4, ge=1)
    """Most sessions at once; further ones are refused with RESOURCE_EXHAUSTED."""
    reserved_slots: int = Field(default=2, ge=0)
    """Sessions beyond `slots` that only calls under way may take, when a replica is gone."""
    idle_seconds: float = Field(default=60.0, gt=0)
    """A session that sends nothing for so long is ended."""
    max_batch: int = Field(default=8, ge=1)
    """Most sessions whose steps are computed together, where the pack can do so."""
    batch_wait_ms: float = Field(default=5.0, ge=0, le=100)
    """Longest that a step waits for those of other sessions; a lone session never waits."""

    @property
    def missing_caller_check(self) -> str | None:
        """A stage knows the gateway by its certificate."""
        if self.tls_client_ca or self.insecure:
            return None
        return (
            "set tls_certificate, tls_key and tls_client_ca so that it serves the gateway alone, "
            "or insecure: true where something else protects the network"
        )

    @property
    def batch_limits(self) -> BatchLimits:
        """What a stage's batcher may do."""
        return BatchLimits(
            self.max_batch, self.batch_wait_ms / 1000, self.slots + self.reserved_slots + 1
        )


Config = TypeVar("Config", bound=ProcessConfig)


def parse_config(
    model: type[Config], default_file: Path, arguments: Sequence[str] | None = None
) -> Config:
    """Read the configuration of a process from its command line, environment and file.

    Raises `SetupError` naming the source and the key of whatever cannot be used.
    """
    parser = argparse.ArgumentParser(
        formatter_class=argparse.RawDescriptionHelpFormatter, epilog=_describe_keys(model)
    )
    parser.add_argument("--config", type=Path, default=default_file, metavar="FILE")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", dest="settings")
    options = parser.parse_args(arguments)
    return load_config(model, options.config, os.environ, options.settings)


def load_config(
    model: type[Config],
    file: Path,
    environment: Mapping[str, str],
    settings: Sequence[str] = (),
) -> Config:
    """Merge the file, the ``DITTO_<KEY>`` variables and ``key=value`` settings into a model."""
    merged = _from_file(file)
    _refuse_unknown(model, merged, str(file))
    merged |= _from_environment(model, environment)
    merged |= _from_settings(model, settings)
    try:
        return model(**merged)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise SetupError(
            f"configuration key {key}: {first['msg']}; set it in {file}, "
            f"as {ENVIRONMENT_PREFIX}{key.upper()} or with --set {key}=..."
        ) from None


def is_setting(variable: str) -> bool:
    """Whether an environment variable sets a key of a process."""
    is_ours = variable.startswith(ENVIRONMENT_PREFIX) and not variable.startswith(CLIENT_PREFIX)
    return is_ours and variable not in RESERVED_ENVIRONMENT


def _describe_keys(model: type[ProcessConfig]) -> str:
    lines = [f"  {name:24} {field.description}" for name, field in model.model_fields.items()]
    return "\n".join(["keys, also as environment variables DITTO_<KEY>:", *lines])


def _from_file(file: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(file.read_text("utf-8"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise SetupError(f"configuration file {file}: {error}") from None
    if not isinstance(content, dict):
        raise SetupError(f"configuration file {file}: must be a mapping of keys to values")
    return content


def _from_environment(model: type[ProcessConfig], environment: Mapping[str, str]) -> dict[str, Any]:
    texts = {
        name.removeprefix(ENVIRONMENT_PREFIX).lower(): text
        for name, text in environment.items()
        if is_setting(name)
    }
    _refuse_unknown(model, texts, f"environment ({ENVIRONMENT_PREFIX}...)")
    return {key: _value(model, key, text) for key, text in texts.items()}


def _from_settings(model: type[ProcessConfig], settings: Sequence[str]) -> dict[str, Any]:
    texts = {}
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals:
            raise SetupError(f"--set {setting}: must be KEY=VALUE")
        if _is_secret(model, key):
            raise SetupError(
                f"--set {key}: everybody on this machine can read command lines; "
                f"use {ENVIRONMENT_PREFIX}{key.upper()} or the file"
            )
        texts[key] = text
    _refuse_unknown(model, texts, "--set")
    return {key: _value(model, key, text) for key, text in texts.items()}


def _refuse_unknown(model: type[ProcessConfig], keys: Mapping[str, Any], source: str) -> None:
    if unknown := sorted(str(key) for key in keys if key not in model.model_fields):
        known = ", ".join(sorted(model.model_fields))
        raise SetupError(f"{source}: unknown key {', '.join(unknown)}; known are {known}")


def _value(model: type[ProcessConfig], key: str, text: str) -> Any:
    """A text as YAML, but verbatim for keys that take a string (a name may look like a number)."""
    annotation = model.model_fields[key].annotation
    if annotation is str or _is_secret(model, key):
        return text
    try:
        value = yaml.safe_load(text)
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise SetupError(f"configuration key {key}: {text!r} is not YAML: {error}") from None
    if value is not None and set(get_args(annotation)) == {str, NoneType}:
        return text
    return value


def _is_secret(model: type[ProcessConfig], key: str) -> bool:
    field = model.model_fields.get(key)
    return field is not None and SecretStr in (field.annotation, *get_args(field.annotation))
