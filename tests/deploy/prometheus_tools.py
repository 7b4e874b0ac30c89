"""Where the tests get promtool and prometheus from: the PATH, else Debian's package.

The package is unpacked into the cache of the packs, not installed, so no root is needed; apt checks
its signature. A machine with neither gets a failure that names the mend, never a skip.
"""

from __future__ import annotations

import platform
import shutil
import subprocess
from functools import cache
from pathlib import Path

from ditto.packs.store import cache_dir

_MEND = "put prometheus and promtool on the PATH (Debian: apt-get install prometheus)"


def promtool() -> Path:
    """The checker of configuration and rules."""
    return _tool("promtool")


def prometheus() -> Path:
    """The server."""
    return _tool("prometheus")


@cache
def _tool(name: str) -> Path:
    if found := shutil.which(name):
        return Path(found)
    unpacked = cache_dir() / f"debian-prometheus-{platform.machine()}"
    if not (unpacked / "usr/bin" / name).exists():
        _unpack(unpacked)
    return unpacked / "usr/bin" / name


def _unpack(folder: Path) -> None:
    """Fetch the package with lists of our own and unpack it."""
    assert shutil.which("apt-get"), f"no promtool and no apt-get here; {_MEND}"
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("lists/partial", "archives/partial"):
        (folder / name).mkdir(parents=True)
    own = [
        f"-oDir::State::Lists={folder / 'lists'}",
        f"-oDir::Cache={folder}",
        "-oDebug::NoLocking=1",
        "-oAPT::Sandbox::User=",
        "-oAcquire::Languages=none",
    ]
    _run(["apt-get", *own, "update"], folder)
    _run(["apt-get", *own, "download", "prometheus"], folder)
    package = next(folder.glob("prometheus_*.deb"))
    _run(["dpkg-deb", "-x", str(package), str(folder)], folder)
    package.unlink()
    shutil.rmtree(folder / "lists")


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}; {_MEND}"
