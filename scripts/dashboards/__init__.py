"""Grafana dashboards as code; `scripts/generate_operations.py` writes them to deploy/grafana."""

from scripts.dashboards.grafana import Dashboard
from scripts.dashboards.module import MODULE
from scripts.dashboards.overview import OVERVIEW
from scripts.dashboards.scaling import SCALING

DASHBOARDS: tuple[Dashboard, ...] = (OVERVIEW, MODULE, SCALING)
"""All of them."""
