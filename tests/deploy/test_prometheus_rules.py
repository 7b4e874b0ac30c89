"""promtool on the Prometheus files: syntax, and every alert firing and not firing."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import yaml

from tests.deploy.prometheus_tools import promtool

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "prometheus"
RULES = sorted((FOLDER / "rules").glob("*.yaml"))
CASES: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("alert_cases.yaml").read_text())


def alerts() -> dict[str, Any]:
    groups = yaml.safe_load((FOLDER / "rules" / "alerts.yaml").read_text())["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [str(promtool()), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def unit_test(name: str, case: dict[str, Any], is_firing: bool) -> dict[str, Any]:
    """One case as promtool takes it; annotations other than the summary are the rule's own."""
    rule = alerts()[name]
    expected = {
        "exp_labels": rule["labels"] | case.get("labels", {}),
        "exp_annotations": rule["annotations"] | {"summary": case.get("summary")},
    }
    return {
        "name": name,
        "interval": "15s",
        "input_series": [{"series": k, "values": str(v)} for k, v in case["series"].items()],
        "alert_rule_test": [
            {
                "alertname": name,
                "eval_time": case["at"],
                "exp_alerts": [expected] if is_firing else [],
            }
        ],
    }


def check_cases(folder: Path, tests: list[dict[str, Any]]) -> subprocess.CompletedProcess[str]:
    file = folder / "cases.yaml"
    content = {"rule_files": list(map(str, RULES)), "evaluation_interval": "15s", "tests": tests}
    file.write_text(yaml.safe_dump(content))
    return run("test", "rules", file)


def test_every_alert_has_its_cases_and_says_what_to_do() -> None:
    assert set(CASES) == set(alerts())
    for rule in alerts().values():
        assert {"summary", "meaning", "runbook"} == set(rule["annotations"])
        assert rule["labels"]["severity"] in ("page", "ticket")


def test_every_alert_fires_when_it_should_and_only_then(tmp_path: Path) -> None:
    tests = [
        unit_test(name, case[kind], is_firing=kind == "fires")
        for name, case in CASES.items()
        for kind in ("fires", "quiet")
    ]
    found = check_cases(tmp_path, tests)
    assert found.returncode == 0, found.stdout + found.stderr


def test_a_case_that_should_fire_and_does_not_is_told(tmp_path: Path) -> None:
    case = CASES["DittoNoFreeSlots"]["fires"] | CASES["DittoNoFreeSlots"]["quiet"]
    assert check_cases(tmp_path, [unit_test("DittoNoFreeSlots", case, True)]).returncode != 0


def test_the_static_configuration_is_valid() -> None:
    found = run("check", "config", FOLDER / "prometheus.yaml")
    assert found.returncode == 0, found.stdout + found.stderr


def test_the_kubernetes_configuration_is_valid(tmp_path: Path) -> None:
    """All but the discovery itself, which Debian's build does not know."""
    config = yaml.safe_load((FOLDER / "prometheus.kubernetes.yaml").read_text())
    config["rule_files"] = list(map(str, RULES))
    for scrape in config["scrape_configs"]:
        assert scrape.pop("kubernetes_sd_configs")
    file = tmp_path / "prometheus.yaml"
    file.write_text(yaml.safe_dump(config))
    found = run("check", "config", file)
    assert found.returncode == 0, found.stdout + found.stderr
