"""Built engines on this machine: named by what they fit, checked, built once.

An engine serves one GPU model, one TensorRT version and one pack's weights. All three are in its
name and again in its first line, so that a renamed or copied file is never loaded where it does not
fit.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

log = logging.getLogger(__name__)

_MAX_HEADER_BYTES = 4096


@dataclass(frozen=True)
class EngineTag:
    """What an engine fits."""

    network: str
    precision: str
    gpu: str
    """Name of the GPU model."""
    tensorrt: str
    """Version of the library."""
    pack_hash: str

    @property
    def file_name(self) -> str:
        """For example decoder_fp16-nvidia-h100-trt11.4.0.106-0123456789abcdef.engine."""
        gpu = re.sub(r"[^a-z0-9]+", "-", self.gpu.lower()).strip("-")
        return f"{self.network}_{self.precision}-{gpu}-trt{self.tensorrt}-{self.pack_hash}.engine"


def ensure_engine(folder: Path, tag: EngineTag, build: Callable[[], bytes]) -> bytes:
    """The engine of this tag, built first where none that fits is cached.

    Processes that ask together wait for one of them to build.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / tag.file_name
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        engine = read_engine(path, tag)
        if engine is None:
            log.info("building an engine", extra={"fields": {"engine": path.name}})
            engine = build()
            write_engine(path, tag, engine)
    return engine


def read_engine(path: Path, tag: EngineTag) -> bytes | None:
    """The engine of a file, or None when it is missing, damaged or fits something else."""
    try:
        with path.open("rb") as file:
            header = json.loads(file.readline(_MAX_HEADER_BYTES))
            engine = file.read()
    except FileNotFoundError:
        return None
    except ValueError:
        header, engine = {}, b""
    if header == _header(tag, engine):
        return engine
    log.warning("an engine does not fit and is built again", extra={"fields": {"file": str(path)}})
    return None


def write_engine(path: Path, tag: EngineTag, engine: bytes) -> None:
    """Store an engine whole or not at all."""
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        file.write(json.dumps(_header(tag, engine)).encode() + b"\n")
        file.write(engine)
    part.replace(path)


def _header(tag: EngineTag, engine: bytes) -> dict[str, str]:
    return asdict(tag) | {"sha256": hashlib.sha256(engine).hexdigest()}
