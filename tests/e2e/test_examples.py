"""The example programs, as a user runs them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import av

from ditto.local_cluster import LocalCluster
from tests.e2e import speech

ROOT = Path(__file__).resolve().parents[2]
FACE = ROOT / "examples/astronaut.jpg"


def run(name: str, *arguments: object, stdin: bytes = b"") -> str:
    """What the program printed."""
    command = [sys.executable, str(ROOT / "examples" / name), *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, input=stdin, env=environment, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def frames_in(path: Path) -> int:
    with av.open(str(path)) as file:
        return sum(1 for _ in file.decode(video=0))


def short(tmp_path: Path, name: str, start_s: float, end_s: float) -> Path:
    path = tmp_path / name
    path.write_bytes(speech.part(start_s, end_s))
    return path


def test_a_file_becomes_a_video(cluster: LocalCluster, tmp_path: Path) -> None:
    wav, out = tmp_path / "short.wav", tmp_path / "out.mp4"
    wav.write_bytes(speech.wav(16, 1.0))
    assert "25 frames" in run("file_to_mp4.py", cluster.address, FACE, wav, out)
    assert frames_in(out) == 25


def test_a_microphone_is_followed(cluster: LocalCluster) -> None:
    printed = run("microphone.py", cluster.address, FACE, stdin=speech.part(1, 2))
    assert printed.count("JPEG") >= 25


def test_barge_in(cluster: LocalCluster, tmp_path: Path) -> None:
    old, new = short(tmp_path, "old.pcm", 1, 4), short(tmp_path, "new.pcm", 5, 6)
    printed = run("barge_in.py", cluster.address, FACE, old, new)
    assert "interrupted 18" in printed
    assert printed.count("speech_started") == 2


def test_controls(cluster: LocalCluster, tmp_path: Path) -> None:
    wav, out = tmp_path / "short.wav", tmp_path / "out.mp4"
    wav.write_bytes(speech.wav(16, 3.0))
    run("controls.py", cluster.address, FACE, wav, out)
    assert frames_in(out) == 75
