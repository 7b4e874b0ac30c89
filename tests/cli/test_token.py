"""`ditto token new`: what it prints opens a gateway whose file has what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from ditto.cli import main
from gateway.access.token_file import read_token_file


def test_the_entry_knows_the_token(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["token", "new", "acme", "--days", "90"]) == 0
    shown = capsys.readouterr()
    token = shown.out.strip()
    assert token.startswith("ditto_")
    assert len(token) > 40
    assert token not in shown.err, "the file never holds the token"
    file = tmp_path / "tokens.yaml"
    file.write_text(shown.err)
    found = read_token_file(file).find(token)
    assert found
    assert found[0] == "acme"
    assert found[2].expires is not None
    assert read_token_file(file).find(token[:-1]) is None


def test_no_two_tokens_are_alike(capsys: pytest.CaptureFixture[str]) -> None:
    main(["token", "new", "acme"])
    main(["token", "new", "acme"])
    assert len(set(capsys.readouterr().out.split())) == 2


@pytest.mark.parametrize("arguments", [["../etc"], ["Acme"], ["acme", "--days", "0"]])
def test_what_no_gateway_would_take_is_refused(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["token", "new", *arguments]) == 2
    assert capsys.readouterr().out == ""
