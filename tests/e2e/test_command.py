"""The `ditto` command against real clusters."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ditto.local_cluster import LocalCluster
from ditto.local_cluster.ports import free_port, is_free
from ditto.media.measured_mp4 import measure_mp4
from tests.e2e import portraits, speech
from tests.e2e.portraits import EXAMPLES

PORTRAIT = str(EXAMPLES / "astronaut.jpg")


def ditto(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ditto.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture
def said(tmp_path: Path) -> Path:
    path = tmp_path / "said.wav"
    path.write_bytes(speech.wav(16, 1.6))
    return path


@contextmanager
def up(*arguments: object, folder: Path | None = None) -> Iterator[subprocess.Popen[str]]:
    """`ditto up`, once it is ready; stopped at the end if it still runs."""
    environment = os.environ | ({"TMPDIR": str(folder)} if folder else {})
    command = [sys.executable, "-m", "ditto.cli", "up", *map(str, arguments)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    )
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if line.startswith("Ctrl-C stops"):
                break
        yield process
    finally:
        process.terminate()
        process.wait(30)


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def wait_until_gone(pids: list[int]) -> None:
    deadline = time.monotonic() + 10
    while left := [pid for pid in pids if Path(f"/proc/{pid}/status").exists()]:
        assert time.monotonic() < deadline, f"still running: {left}"
        time.sleep(0.05)


def test_animate_writes_a_video(cluster: LocalCluster, tmp_path: Path, said: Path) -> None:
    target = tmp_path / "out.mp4"
    options = ("--server", cluster.address, "--view", "full", "--emotion", "happy", "--report")
    found = ditto("animate", PORTRAIT, said, "-o", target, *options)
    assert found.returncode == 0, found.stderr
    assert measure_mp4(target.read_bytes()).frames == 40
    assert "40 frames, 1.6 s of video" in found.stdout
    assert re.search(r"RTF renderer +0\.\d+", found.stdout)
    assert re.search(r"A/V skew .*ms in the decoded file", found.stdout)
    assert [path.name for path in tmp_path.glob("*.part")] == []


def test_animate_decodes_other_recordings(
    cluster: LocalCluster, tmp_path: Path, said: Path
) -> None:
    film, target, server = tmp_path / "a.mp4", tmp_path / "b.mp4", ("--server", cluster.address)
    assert ditto("animate", PORTRAIT, said, "-o", film, *server).returncode == 0
    again = ditto("animate", PORTRAIT, film, "-o", target, *server)
    assert again.returncode == 0, again.stderr
    assert measure_mp4(target.read_bytes()).frames in (40, 41, 42)


def test_a_registered_portrait_is_named_by_its_id(
    cluster: LocalCluster, tmp_path: Path, said: Path
) -> None:
    registered = ditto("register", PORTRAIT, "--server", cluster.address)
    assert re.fullmatch(r"[0-9a-f]{32}\n", registered.stdout), registered.stderr
    assert "small face" in registered.stderr
    avatar_id, target = registered.stdout.strip(), tmp_path / "out.mp4"
    found = ditto("animate", avatar_id, said, "-o", target, "--server", cluster.address)
    assert found.returncode == 0, found.stderr


def test_what_the_server_refuses_is_one_line(
    cluster: LocalCluster, tmp_path: Path, said: Path
) -> None:
    portrait = tmp_path / "clouds.jpg"
    portrait.write_bytes(portraits.no_face())
    for command in (("animate", portrait, said, "-o", tmp_path / "o.mp4"), ("register", portrait)):
        found = ditto(*command, "--server", cluster.address)
        assert found.returncode == 1
        assert found.stderr.startswith("ditto: no face found")
        assert found.stderr.count("\n") == 1
    assert not list(tmp_path.glob("o.mp4*"))


def test_without_a_server_it_says_how_to_get_one(tmp_path: Path, said: Path) -> None:
    address = f"127.0.0.1:{free_port()}"
    found = ditto("animate", PORTRAIT, said, "-o", tmp_path / "o.mp4", "--server", address)
    assert found.returncode == 1
    assert found.stderr.count("\n") == 1
    assert "`ditto up`" in found.stderr


def test_a_target_that_cannot_be_written_is_one_line(cluster: LocalCluster, said: Path) -> None:
    full = ditto("animate", PORTRAIT, said, "-o", "/dev/full/o.mp4", "--server", cluster.address)
    nowhere = ditto("animate", PORTRAIT, said, "-o", "/nowhere/o.mp4", "--server", cluster.address)
    assert full.returncode == nowhere.returncode == 2
    assert full.stderr.count("\n") == nowhere.stderr.count("\n") == 1


def test_doctor_describes_the_cluster(cluster: LocalCluster) -> None:
    found = ditto("doctor", "--server", cluster.address)
    assert found.returncode == 0, found.stdout
    assert re.search(r"ok +cluster .*serves ditto-cluster \d.*starter", found.stdout)


def test_up_stops_everything_on_ctrl_c() -> None:
    port = free_port()
    with up("--port", port, "--redis", "none") as process:
        pids = children(process.pid)
        assert len(pids) == 4
        process.send_signal(signal.SIGINT)
        assert process.wait(15) == 130
        wait_until_gone(pids)
    assert is_free(port)


def test_nothing_outlives_an_up_that_was_killed(tmp_path: Path) -> None:
    with up("--port", free_port(), folder=tmp_path) as process:
        pids = children(process.pid)
        assert len(pids) == 5
        process.kill()
        wait_until_gone(pids)


def test_up_says_when_a_process_dies(tmp_path: Path) -> None:
    with up("--port", free_port(), "--redis", "none", "--log-dir", tmp_path) as process:
        logs = {path.name for path in tmp_path.iterdir()}
        assert {"gateway.log", "renderer-0.log", "motion_dit-0.log", "audio_encoder-0.log"} <= logs
        names = {pid: Path(f"/proc/{pid}/cmdline").read_text() for pid in children(process.pid)}
        renderer, gateway = (
            next(pid for pid, name in names.items() if f"\0{module}\0" in name)
            for module in ("services.renderer", "gateway")
        )
        os.kill(renderer, signal.SIGKILL)
        assert process.stdout is not None
        said = next(line for line in process.stdout if "renderer-0 ended" in line)
        assert "exit code -9; it is not started again" in said
        os.kill(gateway, signal.SIGKILL)
        assert process.wait(15) == 1


def test_a_busy_port_is_one_line_with_the_mend(cluster: LocalCluster) -> None:
    found = ditto("up", "--port", cluster.address.rpartition(":")[2])
    assert found.returncode == 1
    line = found.stderr.splitlines()[-1]
    assert line.startswith("ditto: port ")
    assert "--port" in line


def test_a_wrong_setting_shows_what_the_process_said() -> None:
    found = ditto("up", "--port", free_port(), "--redis", "none", "--set", "renderer.colour=red")
    assert found.returncode == 1
    assert "unknown key colour" in found.stderr
    assert "Traceback" not in found.stderr


@pytest.mark.slow
def test_a_cluster_of_its_own_for_one_call(tmp_path: Path, said: Path) -> None:
    found = ditto("animate", PORTRAIT, said, "-o", tmp_path / "o.mp4", "--local", "--report")
    assert found.returncode == 0, found.stderr
    assert re.search(r"CPU s per video s +\d\.\d\d \(.*renderer-0.*client", found.stdout)
    assert re.search(r"memory, at most +\d\.\d\d GiB, all 5 processes", found.stdout)
