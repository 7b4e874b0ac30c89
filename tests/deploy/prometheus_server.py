"""A real Prometheus of the tests' own, with the repository's configuration, sped up."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import yaml

from ditto.local_cluster import LocalCluster
from ditto.local_cluster.ports import free_port
from tests.deploy.prometheus_tools import prometheus

CONFIGURATION = Path(__file__).resolve().parents[2] / "deploy" / "prometheus"
_EVERY = "1s"
_DEADLINE_S = 60


class PrometheusServer:
    """Scrapes every process of a local cluster once a second."""

    def __init__(self, folder: Path, cluster: LocalCluster) -> None:
        shutil.copytree(CONFIGURATION, folder, dirs_exist_ok=True)
        self._write_configuration(folder / "prometheus.yaml")
        (folder / "targets" / "local.yaml").write_text(yaml.safe_dump(targets(cluster)))
        self.target_count = len(cluster.servers)
        address = f"127.0.0.1:{free_port()}"
        self.url = f"http://{address}"
        command = [
            str(prometheus()),
            f"--config.file={folder / 'prometheus.yaml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address={address}",
        ]
        self._log = (folder / "log").open("w")
        self._process = subprocess.Popen(command, stderr=self._log, stdout=self._log)

    def wait_until_scraping(self) -> None:
        """Return when every target has been scraped twice."""
        deadline = time.monotonic() + _DEADLINE_S
        while self._count_scraped() < self.target_count:
            assert self._process.poll() is None, "prometheus has ended"
            assert time.monotonic() < deadline, "prometheus does not scrape"
            time.sleep(0.2)

    def values(self, expr: str) -> list[tuple[dict[str, str], float]]:
        """What an expression gives now: (labels, value), without those that are not numbers."""
        result = self.get("query", query=expr)["result"]
        found = [(series["metric"], float(series["value"][1])) for series in result]
        return [(labels, value) for labels, value in found if not math.isnan(value)]

    def get(self, path: str, **parameters: str) -> Any:
        """Data of one API request."""
        url = f"{self.url}/api/v1/{path}?{urlencode(parameters)}"
        with urlopen(url, timeout=10) as answer:
            content = json.load(answer)
        assert content["status"] == "success"
        return content["data"]

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(20)
        self._log.close()

    def _count_scraped(self) -> int:
        try:
            return len(self.values('count_over_time(up{job="ditto"}[1m]) >= 2'))
        except OSError:
            return 0

    @staticmethod
    def _write_configuration(file: Path) -> None:
        config = yaml.safe_load(file.read_text())
        config["global"] = dict.fromkeys(config["global"], _EVERY)
        file.write_text(yaml.safe_dump(config))


def targets(cluster: LocalCluster) -> list[dict[str, Any]]:
    """The pages of a local cluster, as files in deploy/prometheus/targets list them."""
    return [
        {
            "targets": [server.metrics_address],
            "labels": {"service": name.partition("-")[0], "replica": name},
        }
        for name, server in cluster.servers.items()
    ]
