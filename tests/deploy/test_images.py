"""The Dockerfiles: linted, and their steps carried out as far as that goes without Docker."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ditto.local_cluster.health import is_serving
from ditto.local_cluster.ports import free_port
from tests.deploy.dockerfiles import DOCKERFILES, ROOT, Instruction, of, stages, variables

INSTALLED = "/opt/ditto"
"""Where the images keep what was installed."""
TORCH_IMAGES = {"audio-encoder", "motion-dit", "renderer"}


def run(command: list[str], cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    found = subprocess.run(
        command,
        cwd=cwd,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stdout[-2000:] + found.stderr[-2000:]
    return found


@pytest.mark.parametrize("name", DOCKERFILES)
def test_the_linter_has_nothing_to_say(name: str) -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    run([str(hadolint), "--failure-threshold", "style", str(DOCKERFILES[name])], ROOT)


def test_the_linter_sees_what_is_wrong(tmp_path: Path) -> None:
    bad = tmp_path / "Dockerfile"
    bad.write_text("FROM python:latest\nRUN cd /x && sudo apt-get install curl\n")
    hadolint = Path(sys.executable).with_name("hadolint")
    assert subprocess.run([hadolint, bad], capture_output=True, check=False).returncode != 0


@pytest.mark.parametrize("name", DOCKERFILES)
def test_an_image_is_small_pinned_and_not_root(name: str) -> None:
    text = DOCKERFILES[name].read_text()
    build, final = stages(DOCKERFILES[name])
    assert "ARG PYTHON_IMAGE=python:3.11.11-slim-bookworm\n" in text
    assert {each.words[0] for each in of(build, "FROM") + of(final, "FROM")} == {"${PYTHON_IMAGE}"}
    assert [each.words for each in of(final, "USER")] == [["10001:10001"]]
    assert not [each for each in of(final, "RUN") if "install" in each.rest]
    assert variables(final)["PYTHONDONTWRITEBYTECODE"] == "1"
    assert ("--build-arg REQUIREMENTS=gpu" in text) == (name in TORCH_IMAGES)


@pytest.mark.parametrize("name", DOCKERFILES)
def test_the_build_context_holds_what_is_copied(name: str) -> None:
    allowed = [
        line[1:]
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    ]
    for source in [s for stage in stages(DOCKERFILES[name]) for s, _ in copies(stage)]:
        assert (ROOT / source).exists(), source
        assert any(source == part or source.startswith(f"{part}/") for part in allowed), source


def copies(stage: list[Instruction]) -> Iterator[tuple[str, str]]:
    """(source, target) of what a stage takes from the build context."""
    for each in of(stage, "COPY"):
        if not each.rest.startswith("--from"):
            *sources, target = each.words
            yield from ((source, target) for source in sources)


def copy_all(stage: list[Instruction], folder: Path) -> None:
    """Do a stage's COPY instructions in a folder that stands for its WORKDIR."""
    for source, target in copies(stage):
        place = folder / target
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, place, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            place.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / source, place)


def carry_out(stage: list[Instruction], folder: Path, prefix: Path) -> None:
    """Do what a build stage does, with `prefix` for /opt/ditto."""
    copy_all(stage, folder)
    for each in of(stage, "RUN"):
        command = each.rest.replace(INSTALLED, str(prefix))
        run(["sh", "-euc", command], folder, REQUIREMENTS="runtime", DITTO_OFFLINE="")


@pytest.mark.slow
@pytest.mark.timeout(900)  # installs all packages anew
def test_the_built_images_would_serve(tmp_path: Path) -> None:
    """A fresh environment from the install scripts, and each process from its own copied files."""
    prefix = tmp_path / "opt"
    carry_out(stages(DOCKERFILES["renderer"])[0], tmp_path / "build", prefix)
    assert not (prefix / "venv/bin/pip").exists()
    for name, file in DOCKERFILES.items():
        if name != "gateway":
            start_and_stop(stages(file)[-1], tmp_path / name, prefix)
    address = f"127.0.0.1:{free_port()}"
    settings = [f"{stage}={address}" for stage in ("audio_encoder", "motion_dit", "renderer")]
    gateway = stages(DOCKERFILES["gateway"])[-1]
    start_and_stop(gateway, tmp_path / "gateway", prefix, *settings, service="liveness")


def start_and_stop(
    stage: list[Instruction], folder: Path, prefix: Path, *settings: str, service: str = ""
) -> None:
    """Run an image's entry point in the environment that the image sets, until it serves."""
    copy_all(stage, folder)
    (entry,) = of(stage, "ENTRYPOINT")
    python, *arguments = (word.replace(INSTALLED, str(prefix)) for word in entry.words)
    address = f"127.0.0.1:{free_port()}"
    own = [f"listen={address}", f"metrics_listen=127.0.0.1:{free_port()}", *settings]
    if folder.name == "gateway":
        own.append(f"avatar_store={folder / 'avatars'}")
    options = [word for setting in own for word in ("--set", setting)]
    environment = {k: v.replace(INSTALLED, str(prefix)) for k, v in variables(stage).items()}
    environment |= {"HOME": "/nonexistent", "PATH": os.defpath}
    process = subprocess.Popen(
        [python, *arguments, *options],
        cwd=folder,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        deadline = time.monotonic() + 60
        while not is_serving(address, service) and process.poll() is None:
            assert time.monotonic() < deadline, f"{folder.name} does not serve"
            time.sleep(0.1)
    finally:
        process.terminate()
        _, logged = process.communicate(timeout=30)
    assert process.returncode == 0, logged
