"""The cache of fetched assets on this machine.

Every file is hashed when a process first asks for it, not trusted by size and time: 40 MB take
some 50 ms, less than loading the network does, and a rotten or half-restored cache is found at
start-up rather than in the picture. What fails the check is fetched again.
"""

from __future__ import annotations

import fcntl
import importlib
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from ditto.errors import SetupError
from ditto.packs.fetch import fetch, file_sha256
from ditto.packs.manifest import Asset

_log = logging.getLogger(__name__)


def cache_dir() -> Path:
    """$DITTO_CACHE_DIR, else ditto-cluster in $XDG_CACHE_HOME or ~/.cache."""
    if chosen := os.environ.get("DITTO_CACHE_DIR"):
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "ditto-cluster"


def asset_path(asset: Asset) -> Path:
    """Where the asset's file lies, or would lie, in the cache."""
    return cache_dir() / asset.cache_name


def is_intact(asset: Asset) -> bool:
    """True when the file is there and has its checksum."""
    path = asset_path(asset)
    try:
        found = path.stat()
    except OSError:
        return False
    return _digest(path, found.st_size, found.st_mtime_ns) == _expected_sha256(asset)


def ensure(asset: Asset, quiet: bool = False) -> Path:
    """The asset's checked file, fetched and converted first where needed.

    Processes that ask together wait for one of them to do the work. Raises `SetupError` when it
    cannot be had, also when $DITTO_OFFLINE is set and it is not in the cache.
    """
    if is_intact(asset):
        return asset_path(asset)
    if os.environ.get("DITTO_OFFLINE"):
        raise SetupError(
            f"{asset.file} is not in {cache_dir()} and DITTO_OFFLINE is set; unset it, or run "
            "`ditto models pull` where there is a network and copy the folder"
        )
    path = asset_path(asset)
    with _locked(cache_dir() / f"{asset.source.file}.lock"):
        if not is_intact(asset):
            if path.exists():
                _log.warning("%s fails its checksum and is fetched again", path)
            _make(asset, path, quiet)
    return path


def _make(asset: Asset, path: Path, quiet: bool) -> None:
    downloads = cache_dir() / "downloads"
    if asset.convert is None:
        fetch(asset, path, downloads, quiet)
        return
    fetched, made = path.with_suffix(".source"), path.with_suffix(".made")
    fetch(asset, fetched, downloads, quiet)
    module, _, function = asset.convert.function.partition(":")
    getattr(importlib.import_module(module), function)(fetched, made)
    _checksum_file(path).write_text(file_sha256(made))
    made.replace(path)
    fetched.unlink()


def _expected_sha256(asset: Asset) -> str:
    """The manifest's checksum, or for a converted file the one recorded when it was made."""
    if asset.convert is None:
        return asset.sha256
    recorded = _checksum_file(asset_path(asset))
    return recorded.read_text() if recorded.exists() else "none recorded"


def _checksum_file(path: Path) -> Path:
    return path.with_suffix(".sha256")


@cache
def _digest(path: Path, size: int, mtime_ns: int) -> str:
    """Once per process and state of the file, which is what the last two arguments name."""
    return file_sha256(path)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock on one source among all processes; the kernel frees it when one dies."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.open("w")
    except OSError as error:
        raise SetupError(f"cannot write {path.parent} ({error}); set DITTO_CACHE_DIR") from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
