"""`ditto ops` on this machine: pages of real processes, and what becomes of their numbers."""

from __future__ import annotations

import math

import pytest

from ditto.cli import main
from ditto.errors import CorruptDataError
from ditto.local_cluster import LocalCluster
from ditto.local_cluster.ports import free_port
from ditto.ops.buckets import added, quantile, since
from ditto.ops.page import read_page
from tests.ops.pages import page, write_pages

INF = math.inf


def test_the_p95_lies_where_prometheus_puts_it() -> None:
    buckets = {0.5: 10.0, 1.0: 20.0, INF: 20.0}
    assert quantile(0.95, buckets) == pytest.approx(0.95)
    assert quantile(0.25, buckets) == pytest.approx(0.25)
    assert quantile(0.5, {0.5: 0.0, INF: 4.0}) == 0.5
    assert quantile(0.5, {}) is quantile(0.5, {0.5: 0.0, INF: 0.0}) is None


def test_histograms_add_up_and_subtract() -> None:
    assert added([{1.0: 2.0, INF: 3.0}, {1.0: 1.0, INF: 1.0}]) == {1.0: 3.0, INF: 4.0}
    assert since({1.0: 5.0, INF: 9.0}, {1.0: 2.0, INF: 3.0}) == {1.0: 3.0, INF: 6.0}
    assert since({1.0: 1.0, INF: 1.0}, {1.0: 2.0, INF: 3.0}) == {1.0: 1.0, INF: 1.0}


def test_a_page_is_read_as_it_was_written() -> None:
    (text,) = write_pages(page("renderer", live=2, free=6, rtf=[0.3], avatars=1))
    found = read_page(text)
    assert (found.module, found.live_sessions, found.free_slots) == ("renderer", 2, 6)
    assert found.rtf[0.3] == found.rtf[INF] == 1
    assert found.is_serving


@pytest.mark.parametrize("text", ["", "<html>", "up 1\n", "ditto_serving{ 1\n"])
def test_other_pages_are_refused(text: str) -> None:
    with pytest.raises(CorruptDataError):
        read_page(text)


def test_nothing_at_the_port_names_the_mend(capsys: pytest.CaptureFixture[str]) -> None:
    port = free_port()
    assert main(["ops", "status", "--local", str(port)]) == 1
    assert f"ditto up --metrics-base-port {port}" in capsys.readouterr().err


@pytest.mark.slow
def test_status_of_a_real_cluster(
    cluster: LocalCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    pages = ",".join(server.metrics_address for server in cluster.servers.values())
    assert main(["ops", "status", "--pages", pages, "--each"]) == 0
    table, each = capsys.readouterr().out.split("\n\n")
    ready = {line.split()[0]: line.split()[1] for line in table.splitlines()[1:]}
    assert ready == dict.fromkeys(("gateway", "audio_encoder", "motion_dit", "renderer"), "1/1")
    assert each.count(" serving ") == 4
    assert main(["ops", "avatars", "--pages", pages]) == 0
    assert "registered portraits" in capsys.readouterr().out
