"""Compare every pinned package with the known vulnerabilities (pip-audit, PyPI's JSON API).

Gives 1 when a package is vulnerable, and when one could not be looked up: no answer is not a good
answer. Needs the network.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FILES = ("requirements/dev.txt", "requirements/gpu.txt")
"""The first includes what runs and what trains."""


@dataclass(frozen=True)
class Verdict:
    """What an audit found."""

    audited: int
    unknown: tuple[str, ...]
    """Packages that could not be looked up."""
    vulnerable: tuple[str, ...]
    """A line for each vulnerability."""

    @property
    def is_clean(self) -> bool:
        """Everything was looked up and nothing found."""
        return bool(self.audited) and not self.unknown and not self.vulnerable

    def __str__(self) -> str:
        lines = [f"{self.audited} packages audited, {len(self.vulnerable)} vulnerabilities"]
        lines += self.vulnerable
        if self.unknown and not self.audited:
            lines.append(
                "nothing could be looked up: this machine does not reach https://pypi.org/pypi "
                "(an index mirror does not serve it); run `make audit` on one that does"
            )
        elif self.unknown:
            lines.append(f"not looked up: {', '.join(self.unknown)}")
        return "\n".join(lines)


def verdict_of(reports: list[dict[str, Any]]) -> Verdict:
    """The verdict of some pip-audit reports in JSON."""
    found = {each["name"]: each for report in reports for each in report["dependencies"]}
    vulnerable = tuple(
        f"{name} {each['version']}: {flaw['id']}, mended in {', '.join(flaw['fix_versions'])}"
        for name, each in sorted(found.items())
        for flaw in each.get("vulns", ())
    )
    unknown = tuple(name for name, each in sorted(found.items()) if "skip_reason" in each)
    return Verdict(len(found) - len(unknown), unknown, vulnerable)


def audit(file: str) -> dict[str, Any]:
    """pip-audit's report on one file of pins."""
    options = ["--no-deps", "--disable-pip", "--progress-spinner", "off", "--format", "json"]
    command = [sys.executable, "-m", "pip_audit", *options, "--requirement", file]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    try:
        report: dict[str, Any] = json.loads(found.stdout)
    except ValueError:
        raise SystemExit(f"audit: {file}: {found.stderr.strip().splitlines()[-1]}") from None
    return report


def main() -> int:
    """Audit all pins."""
    verdict = verdict_of([audit(file) for file in FILES])
    print(verdict)
    return 0 if verdict.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
