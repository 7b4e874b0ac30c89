"""Write what operators read from what the code defines; `--check` fails when a file drifted.

deploy/grafana/dashboards/*.json from scripts/dashboards, docs/metrics.md from
ditto/serving/metrics.py, docs/alerts.md from deploy/prometheus/rules/alerts.yaml.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import yaml
from prometheus_client.metrics import MetricWrapperBase

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from ditto.serving import metrics  # noqa: E402
from scripts.dashboards import DASHBOARDS  # noqa: E402

_METRICS_HEAD = """\
# Metrics

Every process serves these at `/metrics` on its `metrics_listen` port; which of them move depends on
the process. Labels are bounded: a module, a tier, a status, a reason; never a call, an avatar or an
address. Prometheus adds `service` (gateway, audio_encoder, motion_dit, renderer) and `replica` when
it scrapes. The numbers of one call come back in that call's trailers and its `stats` message.

Made from `ditto/serving/metrics.py` by `python scripts/generate_operations.py`.

| metric | type | labels | what it tells |
|---|---|---|---|
"""
_ALERTS_HEAD = """\
# Alerts

What each alert means and what to do. `page` wakes somebody, `ticket` waits for the morning. The
rules are in `deploy/prometheus/rules/alerts.yaml`; this page is made from them by
`python scripts/generate_operations.py`.
"""


def files() -> dict[Path, str]:
    """Every generated file and what it should contain."""
    dashboards = {
        ROOT / "deploy/grafana/dashboards" / f"{dashboard.uid}.json": (
            json.dumps(dashboard.to_json(), indent=1) + "\n"
        )
        for dashboard in DASHBOARDS
    }
    return {
        **dashboards,
        ROOT / "docs/metrics.md": metrics_page(),
        ROOT / "docs/alerts.md": alerts_page(),
    }


def metrics_page() -> str:
    """A table of all metrics, in the order of their file."""
    collectors = [m for m in vars(metrics).values() if isinstance(m, MetricWrapperBase)]
    return _METRICS_HEAD + "".join(map(_metric_row, collectors))


def _metric_row(metric: MetricWrapperBase) -> str:
    described = next(iter(metric.describe()))
    suffix = "_total" if described.type == "counter" else ""
    labels = ", ".join(metric._labelnames)
    name = f"`{described.name}{suffix}`"
    return f"| {name} | {described.type} | {labels} | {described.documentation} |\n"


def alerts_page() -> str:
    """A section an alert."""
    content = yaml.safe_load((ROOT / "deploy/prometheus/rules/alerts.yaml").read_text())
    rules = (rule for group in content["groups"] for rule in group["rules"])
    return _ALERTS_HEAD + "".join(map(_alert_section, rules))


def _alert_section(rule: dict[str, Any]) -> str:
    notes = rule["annotations"]
    since = f" for {rule['for']}" if "for" in rule else ""
    return (
        f"\n## {rule['alert']}\n\n"
        f"{rule['labels']['severity']} · `{rule['expr']}`{since}\n\n"
        f"{notes['meaning']}\n\n**What to do.** {notes['runbook']}\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare only, write nothing")
    is_check = parser.parse_args().check
    drifted = [p for p, text in files().items() if not p.exists() or p.read_text() != text]
    if is_check and drifted:
        names = ", ".join(str(path.relative_to(ROOT)) for path in drifted)
        sys.exit(f"drifted, run `python scripts/generate_operations.py`: {names}")
    for path in drifted:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files()[path])


if __name__ == "__main__":
    main()
