"""What `make audit` makes of pip-audit's reports: only a full and clean one is good."""

from __future__ import annotations

from typing import Any

from scripts.audit import ROOT, verdict_of


def package(name: str, *flaws: str) -> dict[str, Any]:
    vulns = [{"id": flaw, "fix_versions": ["9.9"], "aliases": []} for flaw in flaws]
    return {"name": name, "version": "1.0", "vulns": vulns}


SKIPPED = {"name": "lost", "skip_reason": "Dependency not found on PyPI"}


def test_a_full_and_clean_report_is_good() -> None:
    verdict = verdict_of([{"dependencies": [package("a"), package("b")]}])
    assert verdict.is_clean
    assert str(verdict) == "2 packages audited, 0 vulnerabilities"


def test_a_vulnerability_is_named_with_its_mend() -> None:
    verdict = verdict_of([{"dependencies": [package("a"), package("b", "CVE-1")]}])
    assert not verdict.is_clean
    assert "b 1.0: CVE-1, mended in 9.9" in str(verdict)


def test_what_could_not_be_looked_up_is_not_good() -> None:
    some = verdict_of([{"dependencies": [package("a"), SKIPPED]}])
    assert not some.is_clean
    assert "not looked up: lost" in str(some)
    none = verdict_of([{"dependencies": [SKIPPED]}])
    assert not none.is_clean
    assert "does not reach https://pypi.org/pypi" in str(none)


def test_the_audited_files_hold_every_pin() -> None:
    everything = (ROOT / "requirements" / "dev.txt").read_text()
    assert "-r runtime.txt" in everything
    assert "-r train.txt" in everything
