"""Packs whose files come from a model hub: fetch them into a folder, check them, know them again.

The folder keeps the repository's own layout and a listing (`hub.json`) of what was fetched, so that
it can be checked without a network and copied to machines that have none.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from ditto.errors import SetupError
from ditto.packs.download import download, require_free_space
from ditto.packs.hub_listing import HubFile, endpoint, file_url, list_files, open_url
from ditto.packs.manifest import HubSource
from ditto.packs.store import cache_dir

LISTING = "hub.json"
_OFFLINE = ("DITTO_OFFLINE", "HF_HUB_OFFLINE")
_WEIGHTS = ("*.pth", "*.onnx")
_MEND_DISK = "free some space, or name a folder on another disk with --dir"


class HubListing(BaseModel):
    """What was fetched, from where."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    repository: str
    revision: str
    files: tuple[HubFile, ...]


@dataclass(frozen=True)
class HubFileStatus:
    """One listed file as it stands in the folder."""

    path: Path
    present: bool
    intact: bool
    """Present with its size and checksum."""


def default_folder(source: HubSource) -> Path:
    """Where a repository's files lie unless somebody says otherwise."""
    return cache_dir() / source.repository.rpartition("/")[2]


def pull(
    source: HubSource, folder: Path, revision: str | None = None, quiet: bool = False
) -> list[HubFileStatus]:
    """Bring every file of the source's folders into `folder`, whole and checked.

    What is there already is checked and kept; a cut download goes on where it stopped, also in a
    later run. Raises `SetupError` that names the mend; offline ($DITTO_OFFLINE or $HF_HUB_OFFLINE)
    when anything is missing.
    """
    if any(os.environ.get(name) for name in _OFFLINE):
        return _require_complete(folder)
    revision = revision or source.revision
    try:
        with _locked(folder):
            files = tuple(list_files(source, revision))
            if not files:
                raise SetupError(f"{endpoint()}: {source.repository} has none of {source.folders}")
            missing = [file for file in files if not file.is_intact(folder)]
            needed = sum(file.size - _kept_bytes(folder, file) for file in missing)
            require_free_space(folder, needed, _MEND_DISK)
            for file in missing:
                _fetch(source, revision, file, folder, quiet)
            listing = HubListing(repository=source.repository, revision=revision, files=files)
            write_listing(folder, listing)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise SetupError(f"{folder}: the disk is full; {_MEND_DISK}") from error
        raise SetupError(
            f"cannot fetch {source.repository} from {endpoint()}: {error}; check the network and "
            "the proxy, or set HF_ENDPOINT to a mirror, and run it again (it goes on where it "
            "stopped)"
        ) from error
    return status(folder)


def status(folder: Path) -> list[HubFileStatus]:
    """Every file of the folder's listing, hashed; nothing is fetched. Raises `SetupError`."""
    return [
        HubFileStatus(folder / file.path, (folder / file.path).exists(), file.is_intact(folder))
        for file in read_listing(folder).files
    ]


def read_listing(folder: Path) -> HubListing:
    """The listing that `pull` left. Raises `SetupError` when there is none."""
    path = folder / LISTING
    try:
        return HubListing.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise SetupError(
            f"{folder} holds no pulled files; run `ditto models pull ditto --dir {folder}`"
        ) from error
    except (OSError, ValidationError) as error:
        raise SetupError(f"{path}: {error}; run `ditto models pull` again") from error


def write_listing(folder: Path, listing: HubListing) -> None:
    """Say what the folder holds."""
    part = _part(folder / LISTING)
    part.write_text(listing.model_dump_json(indent=1))
    part.replace(folder / LISTING)


def content_tag(folder: Path) -> str:
    """16 hex digits that name a folder's weights: its listing, or without one names and sizes."""
    digest = hashlib.sha256()
    if (folder / LISTING).is_file():
        for file in read_listing(folder).files:
            digest.update(f"{file.path}\0{file.sha256 or file.git_sha1}\0".encode())
    else:
        for path in sorted(path for kind in _WEIGHTS for path in folder.rglob(kind)):
            digest.update(f"{path.relative_to(folder)}\0{path.stat().st_size}\0".encode())
    return digest.hexdigest()[:16]


def _require_complete(folder: Path) -> list[HubFileStatus]:
    found = status(folder)
    if wrong := [file.path.name for file in found if not file.intact]:
        raise SetupError(
            f"{folder} lacks {', '.join(wrong)} and {' or '.join(_OFFLINE)} is set; unset it, or "
            "run `ditto models pull` where there is a network and copy the folder"
        )
    return found


def _fetch(source: HubSource, revision: str, file: HubFile, folder: Path, quiet: bool) -> None:
    target = folder / file.path
    part = _part(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    url = file_url(source, revision, file.path)
    download(lambda start: open_url(url, start), part, file.size, target.name, quiet)
    if not file.model_copy(update={"path": str(part.relative_to(folder))}).is_intact(folder):
        part.unlink()
        raise SetupError(
            f"{file.path}: what {endpoint()} sent has another checksum than its listing says; "
            "nothing was kept. Run it again, or set HF_ENDPOINT to a mirror that you trust"
        )
    with part.open("rb") as written:
        os.fsync(written.fileno())
    part.replace(target)


def _part(target: Path) -> Path:
    return target.with_name(target.name + ".part")


def _kept_bytes(folder: Path, file: HubFile) -> int:
    part = _part(folder / file.path)
    return min(part.stat().st_size, file.size) if part.exists() else 0


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One pull at a time in a folder; the kernel frees the lock when a process dies."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def selected(source: HubSource, folders: Sequence[str]) -> HubSource:
    """The source with other folders of its repository; patterns are allowed."""
    return source.model_copy(update={"folders": tuple(folders)}) if folders else source
