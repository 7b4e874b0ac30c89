"""One supervised process: its output, its life and its use of the machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Thread

_LEASH = Path(__file__).with_name("leash.py")
_TAIL_LINES = 30
_CLOCK_TICKS_HZ = os.sysconf("SC_CLK_TCK")

OnLine = Callable[[str, str], None]
"""Called with (name of the process, line of its output), from a thread."""


class Child:
    """A process of our own that never outlives us. Start it from the main thread: its life hangs
    on the thread that started it.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        on_line: OnLine,
    ) -> None:
        self.name = name
        self._on_line = on_line
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)
        leash = [sys.executable, "-I", "-S", str(_LEASH), str(os.getpid())]
        self._process = subprocess.Popen(  # noqa: S603
            [*leash, *command],
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,  # Ctrl-C reaches us alone, and we stop them in order
        )
        self._reader = Thread(target=self._read, name=f"log of {name}", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative for the signal that ended it."""
        return self._process.poll()

    def tail(self) -> list[str]:
        """The last lines that it printed, all of them once it has ended."""
        if self.exit_code is not None:
            self._reader.join(timeout=1)
        return list(self._tail)

    def terminate(self) -> None:
        """Ask it to finish what is live and stop."""
        if self.exit_code is None:
            self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        if self.exit_code is None:
            self._process.kill()

    def wait(self, timeout_s: float) -> None:
        """Wait for its end; kill it when that takes too long."""
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(timeout=1)

    def cpu_seconds(self) -> float:
        """Processor time used so far, of all its threads; 0 when it has ended."""
        return _cpu_seconds(Path(f"/proc/{self.pid}/stat"))

    def loop_seconds(self) -> float:
        """Processor time of its first thread alone: of servers the event loop, gRPC with it."""
        return _cpu_seconds(Path(f"/proc/{self.pid}/task/{self.pid}/stat"))

    def peak_memory_bytes(self) -> int:
        """Largest resident size so far; 0 when it has ended."""
        try:
            status = Path(f"/proc/{self.pid}/status").read_text()
        except OSError:
            return 0
        lines = (line.split() for line in status.splitlines() if line.startswith("VmHWM:"))
        return next((int(fields[1]) * 1024 for fields in lines), 0)

    def _read(self) -> None:
        stream = self._process.stdout
        assert stream is not None
        for line in stream:
            self._tail.append(line.rstrip("\n"))
            self._on_line(self.name, line.rstrip("\n"))


def _cpu_seconds(stat: Path) -> float:
    try:
        fields = stat.read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _CLOCK_TICKS_HZ
