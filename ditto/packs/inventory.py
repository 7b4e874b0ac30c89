"""What `ditto models list | pull | verify` do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ditto.packs.pack import load, names
from ditto.packs.store import asset_path, ensure, is_intact


@dataclass(frozen=True)
class AssetStatus:
    """One fetched file of a pack, as it stands on this machine."""

    pack: str
    asset: str
    license: str
    download_bytes: int
    path: Path
    present: bool
    intact: bool
    """Present and with its checksum."""


def status(name: str | None = None) -> list[AssetStatus]:
    """Every asset of the pack `name`, or of all packs; hashes what is present, fetches nothing."""
    return [
        AssetStatus(
            pack,
            key,
            asset.license,
            asset.source.size,
            asset_path(asset),
            asset_path(asset).exists(),
            is_intact(asset),
        )
        for pack in ([name] if name else names())
        for key, asset in load(pack).manifest.assets.items()
    ]


def pull(name: str, quiet: bool = False) -> list[AssetStatus]:
    """Fetch and convert what the pack lacks; a second run fetches nothing. Raises `SetupError`."""
    for asset in load(name).manifest.assets.values():
        ensure(asset, quiet)
    return status(name)


def verify(name: str) -> list[AssetStatus]:
    """The assets that are missing or fail their checksum; empty when all is well."""
    return [asset for asset in status(name) if not asset.intact]
