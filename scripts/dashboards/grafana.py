"""The few kinds of panel that the dashboards are made of, and their JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

_SCHEMA_VERSION = 39
_COLUMNS = 24
_SOURCE = {"type": "prometheus", "uid": "${source}"}


@dataclass(frozen=True)
class Query:
    """One expression; `legend` may name labels as {{module}}."""

    expr: str
    legend: str = ""


@dataclass(frozen=True)
class Panel:
    """One picture: what it shows, why one looks at it, and in which unit."""

    title: str
    description: str
    unit: str
    queries: tuple[Query, ...]
    kind: Literal["timeseries", "stat", "table", "heatmap"] = "timeseries"
    warn_at: float | None = None
    """From here on it is drawn in red; below, with `is_low_bad`."""
    is_low_bad: bool = False
    top: float | None = None
    """Upper end of the axis."""
    width: int = 8
    height: int = 7


@dataclass(frozen=True)
class Row:
    """Panels under one heading."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True)
class Variable:
    """A choice at the top of a dashboard: the values of a label."""

    name: str
    label_of: str
    """Metric that carries the label of this name."""


@dataclass(frozen=True)
class Dashboard:
    """One page."""

    uid: str
    title: str
    description: str
    rows: tuple[Row, ...]
    variables: tuple[Variable, ...] = ()

    @property
    def panels(self) -> list[Panel]:
        """All of them, in reading order."""
        return [panel for row in self.rows for panel in row.panels]

    def to_json(self) -> dict[str, Any]:
        """The dashboard as Grafana imports it."""
        return {
            "uid": self.uid,
            "title": self.title,
            "description": self.description,
            "tags": ["ditto-cluster"],
            "schemaVersion": _SCHEMA_VERSION,
            "editable": False,
            "refresh": "5s",
            "time": {"from": "now-30m", "to": "now"},
            "timezone": "browser",
            "templating": {"list": [_source_choice(), *map(_choice, self.variables)]},
            "links": [_links()],
            "panels": _placed(self.rows),
        }


def _source_choice() -> dict[str, Any]:
    return {"name": "source", "label": "Source", "type": "datasource", "query": "prometheus"}


def _choice(variable: Variable) -> dict[str, Any]:
    return {
        "name": variable.name,
        "label": variable.name.capitalize(),
        "type": "query",
        "datasource": _SOURCE,
        "query": f"label_values({variable.label_of}, {variable.name})",
        "refresh": 2,
        "sort": 1,
    }


def _links() -> dict[str, Any]:
    return {
        "type": "dashboards",
        "title": "Ditto",
        "tags": ["ditto-cluster"],
        "asDropdown": False,
        "includeVars": True,
        "keepTime": True,
    }


def _placed(rows: tuple[Row, ...]) -> list[dict[str, Any]]:
    """Panels from left to right, a heading above each row's."""
    placed: list[dict[str, Any]] = []
    y = 0
    for row in rows:
        heading = {"type": "row", "title": row.title, "collapsed": False, "panels": []}
        placed.append({**heading, "gridPos": {"x": 0, "y": y, "w": _COLUMNS, "h": 1}})
        x, y, tallest = 0, y + 1, 0
        for panel in row.panels:
            if x + panel.width > _COLUMNS:
                x, y, tallest = 0, y + tallest, 0
            place = {"x": x, "y": y, "w": panel.width, "h": panel.height}
            placed.append({**_panel(panel), "gridPos": place})
            x, tallest = x + panel.width, max(tallest, panel.height)
        y += tallest
    return [{"id": number, **panel} for number, panel in enumerate(placed, start=1)]


def _panel(panel: Panel) -> dict[str, Any]:
    defaults: dict[str, Any] = {"unit": panel.unit, "min": 0, "thresholds": _thresholds(panel)}
    if panel.top is not None:
        defaults["max"] = panel.top
    if panel.kind == "timeseries":
        shows_limit = {"mode": "line" if panel.warn_at is not None else "off"}
        defaults["custom"] = {"fillOpacity": 8, "thresholdsStyle": shows_limit}
    return {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.description,
        "datasource": _SOURCE,
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": _OPTIONS[panel.kind],
        "targets": [
            _target(query, chr(ord("A") + index), panel.kind)
            for index, query in enumerate(panel.queries)
        ],
    }


def _thresholds(panel: Panel) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    if panel.warn_at is not None:
        colours = ("red", "green") if panel.is_low_bad else ("green", "red")
        values = (None, panel.warn_at)
        steps = [
            {"color": colour, "value": value} for colour, value in zip(colours, values, strict=True)
        ]
    return {"mode": "absolute", "steps": steps}


def _target(query: Query, letter: str, kind: str) -> dict[str, Any]:
    target: dict[str, Any] = {
        "refId": letter,
        "datasource": _SOURCE,
        "expr": query.expr,
        "legendFormat": query.legend or "__auto",
    }
    if kind in ("stat", "table"):
        target["instant"] = True
    if kind == "table":
        target["format"] = "table"
    if kind == "heatmap":
        target["format"] = "heatmap"
    return target


_OPTIONS: dict[str, dict[str, Any]] = {
    "timeseries": {
        "legend": {"displayMode": "list", "placement": "bottom"},
        "tooltip": {"mode": "multi", "sort": "desc"},
    },
    "stat": {
        "colorMode": "value",
        "graphMode": "none",
        "reduceOptions": {"calcs": ["lastNotNull"]},
        "textMode": "value_and_name",
    },
    "table": {"showHeader": True},
    "heatmap": {"calculate": False, "color": {"scheme": "Oranges"}},
}
