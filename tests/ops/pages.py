"""Metrics pages as processes write them, made by the real metrics in a process of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from typing import Any

_WRITE = """
import json, sys
from prometheus_client import generate_latest
from ditto.serving import metrics

for page in json.load(sys.stdin):
    for metric in (metrics.SESSIONS_LIVE, metrics.SLOTS_FREE, metrics.RTF, metrics.BUILD_INFO):
        metric.clear()
    metrics.SERVING.set(page["serving"])
    metrics.SESSIONS_LIVE.labels(page["module"]).set(page["live"])
    if page["free"] is not None:
        metrics.SLOTS_FREE.labels(page["module"]).set(page["free"])
    metrics.BUILD_INFO.labels("0.1.0", "starter", "abc").set(1)
    for rtf in page["rtf"]:
        metrics.RTF.labels(page["module"]).observe(rtf)
    metrics.AVATARS.set(page["avatars"])
    if page["module"] == "renderer":
        metrics.CACHE_BYTES.labels("local").set(3 * 2**20)
        for result, count in (("hit", 3), ("miss", 1)):
            metrics.CACHE_REQUESTS.labels("local", result).inc(count)
    print(json.dumps(generate_latest().decode()))
"""
_USUAL = {"serving": True, "live": 0, "free": None, "rtf": [], "avatars": 0}


def page(module: str, **fields: Any) -> dict[str, Any]:
    """What a process is to tell: serving, live, free, rtf (observed values), avatars."""
    return _USUAL | {"module": module} | fields


def write_pages(*pages: dict[str, Any]) -> list[str]:
    """The pages as text."""
    return _written(json.dumps(pages))


@cache
def _written(pages: str) -> list[str]:
    command = [sys.executable, "-c", _WRITE]
    done = subprocess.run(command, input=pages, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]
