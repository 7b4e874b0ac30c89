"""Make `.venv` and install one of `requirements/*.txt` and the project into it, once.

Runs on the machine's own Python with nothing installed: ``python3 scripts/bootstrap.py runtime``.
A second run finds its stamp and does nothing. Every failure is one line that says the mend.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
INCLUDES = {
    "runtime": ("runtime",),
    "train": ("runtime", "train"),
    "dev": ("runtime", "train", "dev"),
}
"""A set stands for the sets that its file pulls in with -r, too."""
NEEDED_MB = {"runtime": 900, "train": 2500, "dev": 2500}

_NO_NETWORK = (
    "Failed to establish a new connection",
    "Temporary failure in name resolution",
    "Name or service not known",
    "Network is unreachable",
    "Connection refused",
    "timed out",
    "ProxyError",
    "SSLError",
)


def main() -> None:
    wanted = sys.argv[1] if len(sys.argv) > 1 else "runtime"
    if wanted not in INCLUDES:
        fail(f"unknown set {wanted}; there are: {', '.join(INCLUDES)}")
    use_recent_python()
    try:
        if is_installed(wanted):
            return
        require_room(wanted)
        make_venv()
        install(wanted)
        for part in INCLUDES[wanted]:
            stamp(part).write_text(fingerprint(part))
    except OSError as error:
        fail(f"cannot write {error.filename or VENV}: {error.strerror}; free space or permissions")
    except KeyboardInterrupt:
        fail("stopped; run it again to go on")


def fail(message: str) -> None:
    """End with one line."""
    sys.exit(f"bootstrap: {message}")


def use_recent_python() -> None:
    """Go on in Python 3.11 or newer, where the one that runs this is older."""
    if sys.version_info >= (3, 11):  # noqa: UP036
        return
    for name in ("python3.13", "python3.12", "python3.11"):
        found = shutil.which(name)
        if found:
            os.execv(found, [found, *sys.argv])  # noqa: S606
    fail(
        f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}; install one "
        "(apt-get install python3.11 python3.11-venv) or name it: make PYTHON=/path/to/python"
    )


def require_room(name: str) -> None:
    if not os.access(ROOT, os.W_OK):
        fail(f"cannot write {ROOT}: make it yours, or clone the project somewhere else")
    free_mb, needed_mb = shutil.disk_usage(ROOT).free >> 20, NEEDED_MB[name]
    if free_mb < needed_mb:
        fail(f"{ROOT}: {needed_mb} MiB needed, {free_mb} MiB free; free some space there")


def stamp(name: str) -> Path:
    """Says which state of a set is installed."""
    return VENV / f".installed-{name}"


def fingerprint(name: str) -> str:
    """Changes when the set must be installed again."""
    digest = hashlib.sha256(str(ROOT).encode())
    for part in INCLUDES[name]:
        digest.update((ROOT / "requirements" / f"{part}.txt").read_bytes())
    digest.update((ROOT / "pyproject.toml").read_bytes())
    return digest.hexdigest()


def is_installed(name: str) -> bool:
    path = stamp(name)
    if not path.is_file() or path.read_text() != fingerprint(name):
        return False
    return succeeds(str(PYTHON), "-c", "import ditto, yaml")  # the machine's Python may have moved


def make_venv() -> None:
    """A virtual environment with pip, also where Debian's python3-venv is not installed."""
    if succeeds(str(PYTHON), "-m", "pip", "--version"):
        return
    print("making .venv", flush=True)
    if succeeds(sys.executable, "-m", "venv", "--clear", str(VENV)):
        return
    without_pip = succeeds(sys.executable, "-m", "venv", "--clear", "--without-pip", str(VENV))
    if without_pip and succeeds(*pip_of_the_machine(), "install", "pip"):
        return
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    fail(
        f"cannot make a virtual environment: apt-get install python{version}-venv, "
        "or install pip 22.3 or newer and run it again (no network ends here too)"
    )


def pip_of_the_machine() -> list[str]:
    return [sys.executable, "-m", "pip", "--python", str(PYTHON)]


def succeeds(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0  # noqa: S603
    except OSError:
        return False


def install(name: str) -> None:
    """Install the pinned packages, wheels only, then the project itself in place."""
    print(f"installing requirements/{name}.txt", flush=True)
    pip("--only-binary", ":all:", "-r", str(ROOT / "requirements" / f"{name}.txt"))
    pip("--no-deps", "--no-build-isolation", "--quiet", "-e", str(ROOT))


def pip(*arguments: str) -> None:
    options = ["--disable-pip-version-check", "--no-input", "--retries", "2"]
    command = [str(PYTHON), "-m", "pip", "install", *options, *arguments]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)  # noqa: S603
    assert process.stderr is not None
    complaints = process.stderr.readlines()
    if process.wait() != 0:
        fail(explain(complaints))


def explain(complaints: list[str]) -> str:
    """What pip's complaints come to, in one line."""
    text = "".join(complaints)
    if "No space left on device" in text:
        return f"the disk is full; free about 1 GB at {ROOT} and in {tempfile.gettempdir()}"
    if any(sign in text for sign in _NO_NETWORK):
        return "the package index cannot be reached; check network, proxy and PIP_INDEX_URL"
    errors = [line.strip() for line in complaints if line.startswith("ERROR:")]
    return errors[-1] if errors else text.strip()[-500:] or "pip failed and said nothing"


if __name__ == "__main__":
    main()
