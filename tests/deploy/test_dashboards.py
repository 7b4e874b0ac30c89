"""The dashboards as files: current, complete, and made of expressions that Prometheus can read."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.metrics import MetricWrapperBase

from ditto.serving import metrics
from scripts.dashboards import DASHBOARDS
from scripts.dashboards.grafana import Dashboard
from scripts.generate_operations import files
from tests.deploy.expressions import expressions
from tests.deploy.prometheus_tools import promtool

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "deploy" / "prometheus" / "rules"
_NAME = re.compile(r"\bditto(?:_|:)[a-z_:0-9]+")
_SUFFIX = re.compile(r"_(bucket|sum|count|total)$")


def recorded() -> set[str]:
    groups = yaml.safe_load((RULES / "recording.yaml").read_text())["groups"]
    return {rule["record"] for group in groups for rule in group["rules"]}


def exported() -> set[str]:
    collectors = [m for m in vars(metrics).values() if isinstance(m, MetricWrapperBase)]
    return {next(iter(collector.describe())).name for collector in collectors}


def rule_expressions() -> list[str]:
    groups = [
        group
        for file in RULES.glob("*.yaml")
        for group in yaml.safe_load(file.read_text())["groups"]
    ]
    return [rule["expr"] for group in groups for rule in group["rules"]]


def test_what_is_generated_is_current() -> None:
    command = [sys.executable, "scripts/generate_operations.py", "--check"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr


def test_a_file_that_drifted_is_told() -> None:
    assert all(path.read_text() == text for path, text in files().items())
    assert any(path.name == "metrics.md" for path in files())


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda dashboard: dashboard.uid)
def test_every_panel_says_what_it_shows(dashboard: Dashboard) -> None:
    assert dashboard.description
    for panel in dashboard.panels:
        assert panel.unit, panel.title
        assert len(panel.description) > 40, panel.title
        assert panel.queries, panel.title


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda dashboard: dashboard.uid)
def test_panels_lie_side_by_side(dashboard: Dashboard) -> None:
    content: dict[str, Any] = json.loads(
        (ROOT / "deploy/grafana/dashboards" / f"{dashboard.uid}.json").read_text()
    )
    taken: set[tuple[int, int]] = set()
    for panel in content["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24, panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in content["panels"]}) == len(content["panels"])


def test_prometheus_can_read_every_expression(tmp_path: Path) -> None:
    rules = [
        {"record": f"panel_{number}", "expr": expr}
        for number, (_, expr) in enumerate(expressions("1m"))
    ]
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    command = [str(promtool()), "check", "rules", "--lint=none", str(file)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr


def test_every_name_in_an_expression_exists() -> None:
    known = recorded() | exported()
    for expr in [*rule_expressions(), *(expr for _, expr in expressions("1m"))]:
        for name in _NAME.findall(expr):
            assert name in known or _SUFFIX.sub("", name) in known, f"{name} in {expr}"


def test_every_metric_is_watched_somewhere() -> None:
    everything = "\n".join([*rule_expressions(), *(expr for _, expr in expressions("1m"))])
    unwatched = {name for name in exported() if name not in everything}
    assert not unwatched


def test_labels_are_bounded() -> None:
    allowed = {"module", "status", "tier", "result", "reason", "file"}
    allowed |= {"version", "pack", "pack_hash"}
    for collector in vars(metrics).values():
        if isinstance(collector, MetricWrapperBase):
            assert set(collector._labelnames) <= allowed
