"""The command line itself: help, exit codes, one line for every failure."""

from __future__ import annotations

import argparse
import errno
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ditto.cli.command_line import build_parser, main
from ditto.cli.failure import explain
from ditto.cli.up import parse_gateways, parse_replicas, parse_settings
from ditto.errors import AtCapacityError, InvalidInputError, SetupError, StageUnavailableError


def ditto(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ditto.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("command", ["up", "animate", "register", "models", "doctor"])
def test_every_command_has_help_with_examples(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main([command, "--help"])
    shown = capsys.readouterr().out
    assert end.value.code == 0
    assert "Examples:" in shown
    assert f"ditto {command}" in shown
    assert command in build_parser().format_help()


def _arguments(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.Action]]:
    """Those of every command and action, each with what is typed before it."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for each in action.choices.values():
                yield from _arguments(each)
        else:
            yield parser.prog, action


def test_every_argument_says_what_it_is_and_its_default() -> None:
    for command, action in _arguments(build_parser()):
        name = f"{command} {action.option_strings or action.dest}"
        assert action.help, name
        if action.option_strings and action.default not in (None, False, 0, [], argparse.SUPPRESS):
            assert "default" in action.help, name


@pytest.mark.parametrize(
    ("output", "told"),
    [("talk.avi", "call it talk.mp4"), ("nowhere/talk.mp4", "no folder nowhere")],
)
def test_an_output_that_cannot_be_written_is_told_before_the_call(
    output: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["animate", "face.jpg", "speech.wav", "-o", output]) == 2
    assert told in capsys.readouterr().err


def test_help_is_quick_because_nothing_heavy_is_imported() -> None:
    code = (
        "import sys, ditto.cli.command_line as m; m.build_parser(); "
        "heavy = {'cv2', 'onnxruntime', 'av', 'torch', 'redis'} & set(sys.modules); "
        "sys.exit(', '.join(heavy) or 0)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert found.returncode == 0, found.stderr


def test_a_wrong_command_line_is_exit_code_2() -> None:
    found = ditto("models", "burn")
    assert found.returncode == 2
    assert "invalid choice" in found.stderr


def test_a_failure_is_one_line_and_a_traceback_only_on_request() -> None:
    plain, verbose = (
        ditto("models", "list", "nobody"),
        ditto("--verbose", "models", "list", "nobody"),
    )
    assert plain.returncode == verbose.returncode == 1
    assert plain.stderr.count("\n") == 1
    assert "no model pack is called 'nobody'" in plain.stderr
    assert "Traceback" in verbose.stderr


@pytest.mark.parametrize(
    ("error", "mend"),
    [
        (StageUnavailableError("127.0.0.1:1: refused"), "`ditto up`"),
        (AtCapacityError("full", 2500), "try again in 2.5 s"),
        (SetupError("no pack; reinstall"), "reinstall"),
        (FileNotFoundError(errno.ENOENT, "x", "face.jpg"), "face.jpg: no such file"),
        (PermissionError(errno.EACCES, "x", "/locked/o.mp4"), "permission denied"),
        (OSError(errno.ENOSPC, "x", "o.mp4"), "the disk is full"),
        (ModuleNotFoundError("x", name="scipy.signal"), "pip install 'ditto-cluster[train]'"),
        (ModuleNotFoundError("x", name="dittoo"), "--verbose"),
        (ZeroDivisionError("x"), "--verbose"),
    ],
)
def test_every_kind_of_failure_says_the_mend(error: Exception, mend: str) -> None:
    assert mend in explain(error)
    assert "\n" not in explain(error)


def test_a_reader_that_leaves_is_no_failure(tmp_path: Path) -> None:
    command = f"{sys.executable} -m ditto.cli models list | true"
    found = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
    assert found.stderr == ""


def test_replicas_are_read() -> None:
    assert parse_replicas(["renderer=2,motion_dit=3", "audio_encoder=1"]) == {
        "renderer": 2,
        "motion_dit": 3,
        "audio_encoder": 1,
    }


@pytest.mark.parametrize(
    "text", ["renderer", "renderer=0", "renderer=x", "gateway=2", "renderer=99"]
)
def test_wrong_replicas_name_what_is_allowed(text: str) -> None:
    with pytest.raises(InvalidInputError, match=r"--replicas: .*(stages are|1 to 64)"):
        parse_replicas([text])


def test_settings_are_read() -> None:
    assert parse_settings(
        ["renderer.slots=8", "gateway.log_level=debug", "renderer.pack=ditto"]
    ) == {
        "renderer": ["slots=8", "pack=ditto"],
        "gateway": ["log_level=debug"],
    }


@pytest.mark.parametrize("text", ["slots=8", "renderer.slots", "nobody.slots=8"])
def test_wrong_settings_name_what_is_allowed(text: str) -> None:
    with pytest.raises(InvalidInputError, match=r"PROCESS\.KEY=VALUE"):
        parse_settings([text])


def test_a_number_of_gateways_that_cannot_be() -> None:
    assert parse_gateways(2) == 2
    for count in (0, -1, 1000):
        with pytest.raises(InvalidInputError, match="--gateways"):
            parse_gateways(count)
