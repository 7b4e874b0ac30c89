"""The checks of `ditto doctor`: each looks at one thing and says how to mend it."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ditto import packs
from ditto.client import Access, Client
from ditto.errors import DittoError, SetupError
from ditto.local_cluster.health import is_serving
from ditto.local_cluster.ports import is_free
from ditto.local_cluster.redis_server import PACKAGED, find_on_path
from ditto.local_cluster.server import checkout_root
from ditto.packs.store import cache_dir, is_intact

_NEEDED_DISK_BYTES = 500 * 2**20
_NEEDED_MEMORY_BYTES = 2.5 * 2**30


@dataclass(frozen=True)
class Check:
    """What one look at the machine found."""

    level: Literal["ok", "warn", "fail"]
    subject: str
    found: str
    mend: str = ""


def machine_checks(server: str) -> list[Check]:
    """All checks, in the order in which they are worth reading."""
    return [
        _python(),
        _packages(),
        _checkout(),
        _processors(),
        _memory(),
        _disk(),
        _redis(),
        *_assets(),
        _gpu(),
        _cluster(server),
    ]


def _python() -> Check:
    found = f"{platform.python_version()} at {sys.executable}"
    if sys.version_info >= (3, 11):  # noqa: UP036
        return Check("ok", "python", found)
    return Check("fail", "python", found, "install Python 3.11 or newer")


def _packages() -> Check:
    try:
        needed = importlib.metadata.requires("ditto-cluster") or []
    except importlib.metadata.PackageNotFoundError:
        return Check("warn", "packages", "ditto-cluster is not installed", "pip install -e .")
    names = [re.split(r"[^\w.-]", line)[0] for line in needed if "extra ==" not in line]
    if missing := [name for name in names if not _is_installed(name)]:
        return Check("fail", "packages", f"missing: {', '.join(missing)}", "pip install -e .")
    return Check("ok", "packages", f"{len(names)} runtime packages installed")


def _is_installed(name: str) -> bool:
    try:
        importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _checkout() -> Check:
    try:
        return Check("ok", "checkout", str(checkout_root()))
    except SetupError:
        mend = "run `ditto up` in a checkout; clients need none"
        return Check("warn", "checkout", "the servers are not here", mend)


def _processors() -> Check:
    cores = len(os.sched_getaffinity(0))
    quota = _cgroup_cores()
    usable = min(cores, quota) if quota else float(cores)
    found = f"{cores} cores" + (f", limited to {quota:g}" if quota else "")
    if usable < 2:
        mend = "one call may be slower than real time; give the cluster 2 cores"
        return Check("warn", "processors", found, mend)
    return Check("ok", "processors", found)


def _cgroup_cores() -> float | None:
    """Cores that a container may use; None without a limit."""
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
    except (OSError, ValueError):
        return None
    return None if quota == "max" else int(quota) / int(period)


def _memory() -> Check:
    try:
        text = Path("/proc/meminfo").read_text()
    except OSError:
        return Check("warn", "memory", "unknown", "a cluster needs 2.5 GiB")
    kibibytes = re.search(r"MemAvailable:\s+(\d+)", text)
    free = int(kibibytes.group(1)) * 1024 if kibibytes else 0
    found = f"{free / 2**30:.1f} GiB available"
    if free < _NEEDED_MEMORY_BYTES:
        return Check("warn", "memory", found, "a cluster needs up to 2.5 GiB; close something")
    return Check("ok", "memory", found)


def _disk() -> Check:
    folder = cache_dir()
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    found = f"{free / 2**30:.1f} GiB free at {folder}"
    if not os.access(existing, os.W_OK):
        return Check("fail", "disk", f"cannot write {folder}", "set DITTO_CACHE_DIR")
    if free < _NEEDED_DISK_BYTES:
        mend = "the model files need 0.5 GiB: free some space, or set DITTO_CACHE_DIR"
        return Check("fail", "disk", found, mend)
    return Check("ok", "disk", found)


def _redis() -> Check:
    if found := find_on_path():
        version = subprocess.run(  # noqa: S603
            [found, "--version"], capture_output=True, text=True, check=False
        ).stdout.strip()
        return Check("ok", "redis", f"{found}: {version[:40]}")
    if is_intact(PACKAGED):
        return Check("ok", "redis", PACKAGED.about)
    mend = "`ditto up` fetches one (6 MB), or: apt-get install redis-server"
    return Check("warn", "redis", "no redis-server on the PATH", mend)


def _assets() -> list[Check]:
    checks = []
    for asset in packs.status():
        subject, mend = f"{asset.pack} pack", f"ditto models pull {asset.pack}"
        if asset.intact:
            checks.append(Check("ok", subject, f"{asset.asset} is here"))
        elif asset.present:
            checks.append(Check("fail", subject, f"{asset.asset} is damaged", mend))
        else:
            checks.append(Check("warn", subject, f"{asset.asset} is not fetched yet", mend))
    return checks


def _gpu() -> Check:
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return Check("ok", "gpu", "none; the starter pack needs none")
    query = [tool, "--query-gpu=name,memory.total", "--format=csv,noheader"]
    answer = subprocess.run(query, capture_output=True, text=True, check=False)  # noqa: S603
    found = answer.stdout.strip().replace("\n", "; ") or "nvidia-smi fails"
    return Check("ok" if answer.returncode == 0 else "warn", "gpu", found)


def _cluster(server: str) -> Check:
    host, _, port = server.rpartition(":")
    if is_serving(server, access=Access.from_environment()):
        return Check("ok", "cluster", _describe(server))
    if host in ("127.0.0.1", "localhost") and port.isdigit() and not is_free(int(port)):
        mend = "wait if it is starting, stop that program, or choose a port: ditto up --port N"
        return Check("warn", "cluster", f"{server} is taken by something that does not serve", mend)
    return Check("warn", "cluster", f"nothing answers at {server}", "`ditto up` starts one here")


def _describe(server: str) -> str:
    try:
        with Client(server) as client:
            info = client.info()
    except DittoError as error:
        return f"{server} serves, but is no gateway: {error}"
    names = ", ".join(f"{pack.name} {pack.version}" for pack in info.packs)
    return f"{server} serves ditto-cluster {info.version} with {names}"
