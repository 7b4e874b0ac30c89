"""Where a wheel can be downloaded: asked of the package index that this machine's pip uses.

Following pip's own settings (PIP_INDEX_URL, PIP_CERT, pip.conf) means that a company's mirror,
proxy and certificates hold here too.
"""

from __future__ import annotations

import base64
import html
import os
import re
import ssl
import subprocess
import sys
import urllib.parse
import urllib.request
from http.client import HTTPResponse
from typing import cast

from ditto.errors import SetupError

_TIMEOUT_S = 30.0
_MAX_PAGE_BYTES = 32 * 1024 * 1024


def find_file(package: str, file: str) -> str:
    """URL of `file` on the index's page of `package`.

    Raises `SetupError` when the index does not list it, `OSError` when it cannot be reached.
    """
    page_url = f"{_index_url().rstrip('/')}/{package}/"
    with open_url(page_url) as response:
        page = response.read(_MAX_PAGE_BYTES).decode(errors="replace")
    for href in re.findall(r"""href\s*=\s*["']([^"']+)""", page):
        url = urllib.parse.urljoin(page_url, html.unescape(href))
        if urllib.parse.urlsplit(url).path.rpartition("/")[2] == file:
            return urllib.parse.urldefrag(url).url
    raise SetupError(f"the package index has no {file}; set PIP_INDEX_URL to one that has")


def open_url(url: str, start_byte: int = 0) -> HTTPResponse:
    """Open `url`, from `start_byte` on where the server can; credentials may be in the URL."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in ("http", "https"):
        raise SetupError(f"the package index must be http or https, not {parts.scheme}")
    user, at, host = parts.netloc.rpartition("@")
    request = urllib.request.Request(parts._replace(netloc=host).geturl())  # noqa: S310
    request.add_header("Accept", "text/html, */*")
    if at:
        token = base64.b64encode(urllib.parse.unquote(user).encode()).decode()
        request.add_header("Authorization", f"Basic {token}")
    if start_byte:
        request.add_header("Range", f"bytes={start_byte}-")
    context = ssl.create_default_context(cafile=_pip_setting("cert"))
    response = urllib.request.urlopen(request, timeout=_TIMEOUT_S, context=context)  # noqa: S310
    return cast(HTTPResponse, response)


def _index_url() -> str:
    return _pip_setting("index-url") or _pip_default_index()


def _pip_setting(name: str) -> str | None:
    variable = "PIP_" + name.upper().replace("-", "_")
    return os.environ.get(variable) or _pip("config", "get", f"global.{name}").strip() or None


def _pip_default_index() -> str:
    """The index that pip falls back to, as its own help states it."""
    stated = re.search(
        r"--index-url.*?\(default:?\s+(https?://\S+?)\)", _pip("download", "-h"), re.S
    )
    if stated is None:
        raise SetupError("pip names no package index; set PIP_INDEX_URL to the one to use")
    return stated.group(1)


def _pip(*arguments: str) -> str:
    """Output of a pip command; empty when pip is missing or has no answer."""
    command = [sys.executable, "-m", "pip", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout  # noqa: S603
