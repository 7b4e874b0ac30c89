"""Downloads that survive cuts: what has arrived is kept, and the next try goes on from there."""

from __future__ import annotations

import errno
import http.client
import shutil
import time
import urllib.error
from collections.abc import Callable
from http.client import HTTPResponse
from pathlib import Path

from tqdm import tqdm

from ditto.errors import SetupError

OpenFrom = Callable[[int], HTTPResponse]
"""Opens the source from a byte on; a server that cannot answers with the whole."""

_CHUNK_BYTES = 1 << 18
_ATTEMPTS = 5
_TOO_MANY_REQUESTS = 429


def download(open_from: OpenFrom, part: Path, size: int, label: str, quiet: bool = False) -> None:
    """Append to `part` until it has `size` bytes; what they are is for the caller to check.

    Raises `OSError` with the network's own reason when five tries in a row fail.
    """
    for attempt in range(_ATTEMPTS):
        try:
            _download_rest(open_from, part, size, label, quiet)
        except (OSError, http.client.HTTPException) as error:
            if _is_final(error):
                raise
            if attempt == _ATTEMPTS - 1:
                reason = getattr(error, "reason", error)  # what lies under urllib's own wording
                raise OSError(str(reason) or type(error).__name__) from error
            time.sleep(0.2 * 2**attempt)
        else:
            return


def require_free_space(folder: Path, needed_bytes: int, mend: str) -> None:
    """Raise `SetupError` unless the disk of `folder` has room."""
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < needed_bytes:
        need_mb, free_mb = needed_bytes >> 20, free_bytes >> 20
        raise SetupError(f"{folder}: {need_mb} MiB needed, {free_mb} MiB free; {mend}")


def _is_final(error: Exception) -> bool:
    """Trying again would not help."""
    if isinstance(error, urllib.error.HTTPError):
        return error.code < http.client.INTERNAL_SERVER_ERROR and error.code != _TOO_MANY_REQUESTS
    return isinstance(error, OSError) and error.errno == errno.ENOSPC


def _download_rest(open_from: OpenFrom, part: Path, size: int, label: str, quiet: bool) -> None:
    """Append what is missing; `ConnectionError` when the stream ends early."""
    start = part.stat().st_size if part.exists() else 0
    if start >= size > 0:
        return
    with open_from(start) as response:
        resumed = start > 0 and response.status == http.client.PARTIAL_CONTENT
        start = start if resumed else 0
        bar = tqdm(
            desc=label,
            total=size,
            initial=start,
            unit="B",
            unit_scale=True,
            disable=True if quiet else None,
        )
        with part.open("ab" if resumed else "wb") as file, bar:
            while chunk := response.read(min(_CHUNK_BYTES, size - start)):
                file.write(chunk)
                start += len(chunk)
                bar.update(len(chunk))
    if start < size:
        raise ConnectionError(f"the connection was cut at {start} of {size} bytes")
