"""A real Prometheus scrapes a real cluster during real calls, and every picture has data."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import pytest

from ditto.local_cluster import LocalCluster
from ditto.local_cluster.health import is_serving
from ditto.serving.server import LIVENESS
from ditto.v1 import animation_pb2 as pb
from ditto.v1.types_pb2 import PACING_REALTIME
from scripts.dashboards import DASHBOARDS
from tests.deploy.expressions import STAGES, expressions
from tests.deploy.prometheus_server import PrometheusServer
from tests.e2e import speech
from tests.e2e.calling import Answer, animate, config, speak

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
_PIECE_S = 0.2
_LIVE_S = 8


def talk() -> Iterator[pb.AnimateRequest]:
    """A REALTIME call of some seconds that is interrupted once."""
    yield pb.AnimateRequest(config=config(pacing=PACING_REALTIME))
    said = speech.part(0, 4)
    piece = round(_PIECE_S * speech.RATE_HZ) * 2
    for number in range(round(_LIVE_S / _PIECE_S)):
        if number == _LIVE_S / _PIECE_S // 2:
            yield pb.AnimateRequest(interrupt=pb.Interrupt())
        start = number * piece % (len(said) - piece)
        yield pb.AnimateRequest(audio=said[start : start + piece])
        time.sleep(_PIECE_S)


@pytest.fixture(scope="module")
def scraped(
    cluster: LocalCluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PrometheusServer]:
    """Prometheus, with two calls made while it looked."""
    server = PrometheusServer(tmp_path_factory.mktemp("prometheus"), cluster)
    try:
        server.wait_until_scraping()
        animate(cluster.address, speak(config(), speech.part(1, 2)))
        time.sleep(2)
        with ThreadPoolExecutor() as threads:
            calls = list(threads.map(lambda _: animate(cluster.address, talk()), range(2)))
        assert all(call.frames for call in calls)
        time.sleep(3)  # a scrape, then an evaluation of the rules
        yield server
    finally:
        server.stop()


def test_every_dashboard_expression_gives_data(scraped: PrometheusServer) -> None:
    empty = [
        f"{panel.title}: {expr}" for panel, expr in expressions("30s") if not scraped.values(expr)
    ]
    assert not empty


def test_rules_are_evaluated_without_an_error(scraped: PrometheusServer) -> None:
    rules = [rule for group in scraped.get("rules")["groups"] for rule in group["rules"]]
    assert len(rules) > 20
    assert {rule["name"]: rule.get("lastError") for rule in rules if rule["health"] != "ok"} == {}


def test_every_series_says_which_process_it_comes_from(scraped: PrometheusServer) -> None:
    replicas = {labels["replica"] for labels, _ in scraped.values("ditto_serving == 1")}
    assert replicas == {"gateway", *(f"{stage}-0" for stage in STAGES)}


def test_the_numbers_are_those_of_the_calls(
    scraped: PrometheusServer, cluster: LocalCluster
) -> None:
    """One more call adds its own frames, neither more nor fewer."""
    frames = 'sum(ditto_frames_total{module="renderer"})'
    before = scraped.values(frames)[0][1]
    answer: Answer = animate(cluster.address, speak(config(), speech.part(1, 3)))
    time.sleep(2)
    assert scraped.values(frames)[0][1] - before == len(answer.frames)
    assert scraped.values("sum(ditto_interrupts_total)")[0][1] == 2
    assert scraped.values("max(ditto:rtf:p95)")[0][1] < 4


@pytest.mark.parametrize("name", [each.uid for each in DASHBOARDS])
def test_a_dashboard_can_be_drawn(scraped: PrometheusServer, tmp_path: Path, name: str) -> None:
    file = tmp_path / "drawn.png"
    command = [sys.executable, "scripts/draw_dashboard.py", name, str(file)]
    subprocess.run([*command, "--prometheus", scraped.url], cwd=ROOT, check=True)
    drawn = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
    assert drawn is not None
    assert drawn.std() > 10, "the picture is empty"


def test_liveness_is_told_apart_from_readiness(cluster: LocalCluster) -> None:
    for server in cluster.servers.values():
        assert is_serving(server.address, LIVENESS)
    assert not is_serving(cluster.address, "nobody.knows.This")
