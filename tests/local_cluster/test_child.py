"""Supervised processes, with real ones."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from ditto.local_cluster.child import Child

_ORPHAN_MAKER = """
import os, sys
from pathlib import Path
from ditto.local_cluster.child import Child
child = Child("x", ["sleep", "60"], Path("."), os.environ, lambda *_: None)
print(child.pid, flush=True)
sys.stdin.read()
"""


def python(code: str, lines: list[str] | None = None) -> Child:
    printed = lines if lines is not None else []
    return Child(
        "script",
        [sys.executable, "-u", "-c", code],
        Path.cwd(),
        os.environ,
        lambda _, line: printed.append(line),
    )


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def wait_for(condition, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.02)


def test_output_arrives_line_by_line_and_the_last_lines_are_kept() -> None:
    lines: list[str] = []
    child = python("for n in range(100): print(n)\nimport sys; sys.exit('bad key')", lines)
    wait_for(lambda: child.exit_code is not None)
    assert child.exit_code == 1
    assert child.tail()[-2:] == ["99", "bad key"]
    assert len(child.tail()) < 100
    assert lines[:3] == ["0", "1", "2"]
    assert len(lines) == 101


def test_a_deaf_process_is_killed_after_its_time() -> None:
    lines: list[str] = []
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up'); time.sleep(60)"
    child = python(code, lines)
    wait_for(lambda: lines == ["up"])
    child.terminate()
    started = time.monotonic()
    child.wait(0.3)
    assert child.exit_code == -signal.SIGKILL
    assert 0.25 < time.monotonic() - started < 3


def test_a_polite_process_ends_by_itself() -> None:
    lines: list[str] = []
    code = "import signal, sys, time; signal.signal(15, lambda *_: sys.exit(0)); print('up')\n"
    child = python(code + "time.sleep(60)", lines)
    wait_for(lambda: lines == ["up"])
    child.terminate()
    child.wait(5)
    assert child.exit_code == 0


def test_use_of_the_machine_is_measured() -> None:
    child = python("block = bytearray(50_000_000)\nwhile True: pass")
    try:
        wait_for(lambda: child.cpu_seconds() > 0.2)
        assert child.peak_memory_bytes() > 50_000_000
    finally:
        child.kill()
        child.wait(5)
    assert (child.cpu_seconds(), child.peak_memory_bytes()) == (0, 0)


def test_ctrl_c_in_the_terminal_does_not_reach_it() -> None:
    child = python("import time; time.sleep(60)")
    try:
        assert os.getpgid(child.pid) != os.getpgid(0)
    finally:
        child.kill()
        child.wait(5)


def test_it_dies_with_a_parent_that_was_killed() -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", _ORPHAN_MAKER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    wait_for(lambda: Path(f"/proc/{pid}/comm").read_text().strip() == "sleep")
    parent.kill()
    parent.wait()
    wait_for(lambda: not is_running(pid))
