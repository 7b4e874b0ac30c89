"""Draw a dashboard from a running Prometheus as a picture, for documents and for a quick look.

    python scripts/draw_dashboard.py ditto-overview out.png --prometheus http://127.0.0.1:9090

It draws what Grafana would, plainly; the dashboards themselves are in scripts/dashboards.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import matplotlib as mpl
from matplotlib import pyplot
from matplotlib.axes import Axes

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from scripts.dashboards import DASHBOARDS
from scripts.dashboards.grafana import Panel, Query

_COLUMNS = 3
_STEP_S = 2
_FACTORS = {"percentunit": (100, "%"), "bytes": (2**-20, "MiB"), "short": (1, "")}
Series = tuple[str, list[float], list[float]]
"""Legend, times and values."""


class Prometheus:
    """Queries of one server over the last minutes."""

    def __init__(self, url: str, minutes: float, module: str) -> None:
        self._url = url
        self._end = time.time()
        self._start = self._end - minutes * 60
        self._module = module

    def series(self, query: Query) -> list[Series]:
        """What a query gave over time, times in seconds before now."""
        expr = query.expr.replace("$module", self._module).replace("$__rate_interval", "20s")
        span = {"start": self._start, "end": self._end, "step": _STEP_S}
        parameters = urlencode({"query": expr, **span})
        url = f"{self._url}/api/v1/query_range?{parameters}"
        with urlopen(url, timeout=10) as answer:  # noqa: S310
            result = json.load(answer)["data"]["result"]
        return [self._read(query, each) for each in result]

    def _read(self, query: Query, found: dict[str, Any]) -> Series:
        legend = query.legend or " ".join(found["metric"].values())
        for label, value in found["metric"].items():
            legend = legend.replace(f"{{{{{label}}}}}", value)
        legend = re.sub(r"{{.*?}}", "", legend)  # a label that this series lacks
        points = [(float(at) - self._end, float(value)) for at, value in found["values"]]
        kept = [(at, value) for at, value in points if not math.isnan(value)]
        return legend, [at for at, _ in kept], [value for _, value in kept]


def draw(panels: list[Panel], source: Prometheus, file: Path) -> None:
    """All panels of a dashboard, three in a row."""
    rows = math.ceil(len(panels) / _COLUMNS)
    mpl.rcParams.update({"font.size": 7, "axes.spines.top": False, "axes.spines.right": False})
    figure, axes = pyplot.subplots(rows, _COLUMNS, figsize=(12, 1.9 * rows), squeeze=False)
    for axis in axes.flat:
        axis.set_axis_off()
    for axis, panel in zip(axes.flat, panels, strict=False):
        axis.set_axis_on()
        axis.set_title(panel.title, loc="left", fontsize=8, fontweight="bold")
        draw_panel(axis, panel, [each for query in panel.queries for each in source.series(query)])
    figure.tight_layout()
    figure.savefig(file, dpi=90)


def draw_panel(axis: Axes, panel: Panel, found: list[Series]) -> None:
    """Lines over time, or the latest values as text."""
    factor, unit = _FACTORS.get(panel.unit, (1, panel.unit.removeprefix("suffix: ")))
    shown = [each for each in found if each[2]]
    if panel.kind in ("stat", "table"):
        latest = [f"{legend}   {values[-1] * factor:.3g} {unit}" for legend, _, values in shown]
        axis.text(0.02, 0.9, "\n".join(latest), va="top", fontsize=9, linespacing=1.6)
        axis.set_axis_off()
        return
    for legend, times, values in shown:
        axis.plot(times, [value * factor for value in values], label=legend, linewidth=1)
    if panel.warn_at is not None:
        axis.axhline(panel.warn_at * factor, color="tab:red", linestyle=":", linewidth=1)
    axis.set_ylim(bottom=0)
    axis.set_ylabel(unit)
    if shown:
        axis.legend(loc="best", fontsize=6, frameon=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dashboard", choices=[each.uid for each in DASHBOARDS])
    parser.add_argument("file", type=Path)
    parser.add_argument("--prometheus", default="http://127.0.0.1:9090", metavar="URL")
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--module", default="renderer", help="for the dashboard of one module")
    options = parser.parse_args()
    panels = next(each.panels for each in DASHBOARDS if each.uid == options.dashboard)
    source = Prometheus(options.prometheus, options.minutes, options.module)
    draw([panel for panel in panels if panel.kind != "heatmap"], source, options.file)


if __name__ == "__main__":
    main()
