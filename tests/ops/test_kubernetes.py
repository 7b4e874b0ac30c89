"""`ditto ops` against an API server: what it asks, what it prints, what it may do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ditto.cli import main
from ditto.ops import drain as draining
from tests.ops.api_server import ApiServer, Cluster, granted
from tests.ops.pages import page, write_pages

Ops = Callable[..., tuple[int, str, str]]


@pytest.fixture
def cluster() -> Cluster:
    """Two renderers, of which one is not ready, and one of everything else."""
    texts = write_pages(
        page("gateway", live=3, avatars=12),
        page("audio_encoder", live=3, free=5, rtf=[0.05, 0.06]),
        page("motion_dit", live=3, free=5, rtf=[0.15] * 20),
        page("renderer", live=3, free=1, rtf=[0.45] * 10 + [0.95] * 10),
        page("renderer", serving=False, live=0, free=4),
    )
    made = Cluster()
    made.add("gateway", {"gateway-1": texts[0]})
    made.add("audio-encoder", {"audio-encoder-1": texts[1]})
    made.add("motion-dit", {"motion-dit-1": texts[2]})
    made.add("renderer", {"renderer-1": texts[3], "renderer-2": texts[4]})
    made.deployments["renderer"]["spec"]["replicas"] = 3
    made.pods["redis-1"] = {
        "metadata": {"name": "redis-1", "labels": {"app.kubernetes.io/name": "redis"}},
        "status": {"phase": "Running"},
    }
    return made


@pytest.fixture
def ops(
    cluster: Cluster,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Ops]:
    """Runs a command line; gives its exit status, output and errors."""
    server = ApiServer(cluster)
    file = server.write_kubeconfig(tmp_path / "config")
    monkeypatch.setattr(draining, "_LOOK_S", 0.01)

    def run(*arguments: str) -> tuple[int, str, str]:
        status = main(["ops", *arguments, "--kubeconfig", str(file)])
        return (status, *capsys.readouterr())

    yield run
    server.close()


def rows(text: str) -> dict[str, list[str]]:
    return {line.split()[0]: line.split() for line in text.splitlines() if line.strip()}


def test_status_is_one_table(ops: Ops) -> None:
    status, out, _ = ops("status")
    assert status == 0
    found = rows(out)
    assert list(found) == ["SERVICE", "gateway", "audio_encoder", "motion_dit", "renderer"]
    assert found["gateway"] == ["gateway", "1/1", "3", "-", "-", "-", "0.1.0", "starter"]
    assert found["motion_dit"][1:6] == ["1/1", "3", "5", "62%", "0.20"]
    assert found["renderer"][1:6] == ["1/3", "3", "5", "62%", "0.99"]


def test_status_shows_each_pod_when_asked(ops: Ops, cluster: Cluster) -> None:
    cluster.add("renderer", {"renderer-3": "not a page"})
    cluster.add("renderer", {"renderer-4": ""}, phase="Pending")
    found = rows(ops("status", "--each")[1])
    assert found["renderer-1"][1:] == ["renderer", "serving", "3", "1"]
    assert found["renderer-2"][2:4] == ["not", "ready"]
    assert found["renderer-3"][2:4] == found["renderer-4"][2:4] == ["no", "answer"]
    assert "redis-1" not in found


def test_scale_patches_the_scale_and_nothing_else(ops: Ops, cluster: Cluster) -> None:
    status, out, _ = ops("scale", "motion_dit", "4")
    assert status == 0
    assert "4 replicas" in out
    assert cluster.deployments["motion-dit"]["spec"]["replicas"] == 4
    (patch,) = [each for each in cluster.requests if each.method == "PATCH"]
    assert patch.path == "/apis/apps/v1/namespaces/ditto/deployments/motion-dit/scale"
    assert patch.body == {"spec": {"replicas": 4}}


def test_scale_does_not_fight_an_autoscaler(ops: Ops, cluster: Cluster) -> None:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "renderer"}
    cluster.autoscalers.append(
        {
            "metadata": {"name": "keda-hpa-renderer"},
            "spec": {"scaleTargetRef": target, "minReplicas": 2, "maxReplicas": 16},
        }
    )
    status, _, err = ops("scale", "renderer", "4")
    assert status == 1
    assert "keda-hpa-renderer, from 2 to 16" in err
    assert not [each for each in cluster.requests if each.method == "PATCH"]
    assert ops("scale", "gateway", "2")[0] == 0


def test_scale_names_the_services_there_are(ops: Ops) -> None:
    status, _, err = ops("scale", "renderers", "4")
    assert status == 1
    assert "no service renderers in ditto; there are: audio-encoder, gateway" in err


@pytest.mark.parametrize("number", ["0", "-1", "1001"])
def test_scale_takes_no_absurd_number(ops: Ops, cluster: Cluster, number: str) -> None:
    status, _, err = ops("scale", "renderer", number)
    assert status == 2
    assert "1 to 1000" in err
    assert not cluster.requests


def test_drain_evicts_and_waits(ops: Ops, cluster: Cluster) -> None:
    status, out, _ = ops("drain", "renderer-1")
    assert status == 0
    assert out.splitlines() == ["renderer-1 drains; 3 live sessions", "renderer-1 has gone"]
    (eviction,) = [each for each in cluster.requests if each.method == "POST"]
    assert eviction.path == "/api/v1/namespaces/ditto/pods/renderer-1/eviction"
    assert "renderer-1" not in cluster.pods


def test_drain_respects_the_disruption_budget(ops: Ops, cluster: Cluster) -> None:
    cluster.evictions_forbidden = True
    status, _, err = ops("drain", "renderer-1")
    assert status == 1
    assert "disruption budget" in err
    assert "scale the service out first" in err


def test_drain_says_when_a_pod_stays(ops: Ops, cluster: Cluster) -> None:
    cluster.looks_until_gone = 10**6
    status, _, err = ops("drain", "renderer-1", "--timeout", "0.05")
    assert status == 1
    assert "still there after 0.05 s with 3 live sessions" in err


@pytest.mark.parametrize(
    ("pod", "expected"), [("renderer-9", "no pod renderer-9"), ("redis-1", "no process of ditto")]
)
def test_drain_takes_only_pods_of_the_cluster(
    ops: Ops, cluster: Cluster, pod: str, expected: str
) -> None:
    status, _, err = ops("drain", pod)
    assert status == 1
    assert expected in err
    assert not [each for each in cluster.requests if each.method == "POST"]


def test_avatars_tells_what_is_kept_and_cached(ops: Ops) -> None:
    status, out, _ = ops("avatars")
    assert status == 0
    assert out.startswith("12 registered portraits\n")
    assert rows(out)["renderer-1"][1:4] == ["3", "75%", "-"]


def test_the_role_grants_exactly_what_is_used(ops: Ops, cluster: Cluster) -> None:
    assert ops("status")[0] == 0
    assert ops("avatars")[0] == 0
    assert ops("scale", "renderer", "4")[0] == 0
    assert ops("drain", "renderer-1")[0] == 0
    assert cluster.used == granted()


def test_a_missing_right_is_told_with_its_mend(ops: Ops, cluster: Cluster) -> None:
    cluster.rights = cluster.rights - {("", "pods/proxy", "get")}
    status, _, err = ops("status")
    assert status == 1
    assert "ops-rbac" in err


def test_a_cluster_out_of_reach_is_one_line(
    ops: Ops, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server = ApiServer(Cluster())
    file = server.write_kubeconfig(tmp_path / "gone")
    server.close()
    assert main(["ops", "status", "--kubeconfig", str(file)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "out of reach" in line


def test_without_a_configuration_the_mend_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ops", "status", "--kubeconfig", str(tmp_path / "none")]) == 1
    assert "--local" in capsys.readouterr().err


def test_without_the_client_the_mend_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "kubernetes", None)
    assert main(["ops", "status"]) == 1
    assert "pip install 'ditto-cluster[ops]'" in capsys.readouterr().err
