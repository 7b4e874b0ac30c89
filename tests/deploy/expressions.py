"""Every PromQL expression of the dashboards, with the variables filled in."""

from __future__ import annotations

from scripts.dashboards import DASHBOARDS
from scripts.dashboards.grafana import Panel

STAGES = ("audio_encoder", "motion_dit", "renderer")


def filled(expr: str, module: str, rate_interval: str) -> str:
    """As Grafana sends it."""
    return expr.replace("$module", module).replace("$__rate_interval", rate_interval)


def expressions(rate_interval: str) -> list[tuple[Panel, str]]:
    """(panel, expression), once a stage where the dashboard lets one choose."""
    found = []
    for dashboard in DASHBOARDS:
        for panel in dashboard.panels:
            for query in panel.queries:
                modules = STAGES if "$module" in query.expr else ("",)
                found += [(panel, filled(query.expr, each, rate_interval)) for each in modules]
    return found
