"""What a model-hub repository holds, as the hub's own listing says: paths, sizes, checksums.

The API is the one that the public hub and its mirrors share: the tree of a revision as JSON pages,
each naming the next in its `Link` header.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import ssl
import urllib.parse
import urllib.request
from http.client import HTTPResponse
from pathlib import Path, PurePosixPath
from typing import cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ditto.errors import SetupError
from ditto.packs.manifest import HubSource, Sha256

DEFAULT_ENDPOINT = "https://huggingface.co"
_TIMEOUT_S = 30.0
_MAX_PAGE_BYTES = 32 * 1024 * 1024
_MAX_PAGES = 100
_CHUNK_BYTES = 1 << 20


class HubFile(BaseModel):
    """One file of a repository."""

    model_config = ConfigDict(frozen=True)

    path: str
    size: int = Field(ge=0)
    sha256: Sha256 | None = None
    """Large files have it; small ones lie in the repository itself and have `git_sha1` alone."""
    git_sha1: str = Field(pattern=r"^[0-9a-f]{40}$")
    """Git's checksum of a small file; of a large file's pointer otherwise."""

    def is_intact(self, folder: Path) -> bool:
        """True when the file lies in `folder` with its size and checksum."""
        path = folder / self.path
        if not path.is_file() or path.stat().st_size != self.size:
            return False
        if self.sha256 is not None:
            return _digest(path, hashlib.sha256()) == self.sha256
        git = hashlib.sha1(b"blob %d\0" % self.size, usedforsecurity=False)
        return _digest(path, git) == self.git_sha1


def list_files(source: HubSource, revision: str) -> list[HubFile]:
    """The files of the source's folders, in order of path.

    Raises `SetupError` for a listing that cannot be used, `OSError` when the hub cannot be reached.
    """
    query = f"/api/models/{source.repository}/tree/{urllib.parse.quote(revision)}?recursive=1"
    url: str | None = endpoint() + query
    entries: list[dict[str, object]] = []
    for _ in range(_MAX_PAGES):
        if url is None:
            break
        with open_url(url) as response:
            entries += _page(response.read(_MAX_PAGE_BYTES), url)
            url = _next_url(url, response.headers.get("Link", ""))
    try:
        files = [_file(entry) for entry in entries if entry["type"] == "file"]
    except (KeyError, TypeError, ValidationError) as error:
        problem = f"{endpoint()}: the listing of {source.repository} is broken: {error}"
        raise SetupError(problem) from error
    return sorted((file for file in files if source.wants(file.path)), key=lambda f: f.path)


def endpoint() -> str:
    """The hub that is asked: $HF_ENDPOINT, as other tools of this hub understand it."""
    return os.environ.get("HF_ENDPOINT", DEFAULT_ENDPOINT).rstrip("/")


def file_url(source: HubSource, revision: str, path: str) -> str:
    """Where the content of one file is."""
    return (
        f"{endpoint()}/{source.repository}/resolve/{urllib.parse.quote(revision)}"
        f"/{urllib.parse.quote(path)}"
    )


def open_url(url: str, start_byte: int = 0) -> HTTPResponse:
    """Open `url`, from `start_byte` on where the server can."""
    if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
        raise SetupError(f"HF_ENDPOINT must be http or https, not {url}")
    request = urllib.request.Request(url)  # noqa: S310
    if start_byte:
        request.add_header("Range", f"bytes={start_byte}-")
    if token := os.environ.get("HF_TOKEN"):  # for mirrors; not sent on to where they redirect
        request.add_unredirected_header("Authorization", f"Bearer {token}")
    context = ssl.create_default_context()
    response = urllib.request.urlopen(request, timeout=_TIMEOUT_S, context=context)  # noqa: S310
    return cast(HTTPResponse, response)


def _page(data: bytes, url: str) -> list[dict[str, object]]:
    try:
        page = json.loads(data)
    except ValueError as error:
        raise SetupError(f"{url}: this is no listing of a model hub; check HF_ENDPOINT") from error
    if not isinstance(page, list):
        raise SetupError(f"{url}: this is no listing of a model hub; check HF_ENDPOINT")
    return page


def _next_url(url: str, links: str) -> str | None:
    found = re.search(r'<([^>]+)>\s*;\s*rel="?next"?', links)
    return urllib.parse.urljoin(url, found.group(1)) if found else None


def _file(entry: dict[str, object]) -> HubFile:
    path = PurePosixPath(str(entry["path"]))
    if path.is_absolute() or ".." in path.parts or "\\" in str(path):
        raise SetupError(f"the hub lists a file outside of the repository: {path}")
    large = entry.get("lfs")
    sha256 = large["oid"] if isinstance(large, dict) else None
    return HubFile.model_validate(
        {"path": str(path), "size": entry["size"], "sha256": sha256, "git_sha1": entry["oid"]}
    )


def _digest(path: Path, digest: hashlib._Hash) -> str:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
