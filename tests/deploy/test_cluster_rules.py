"""Security, references between objects, autoscalers and network policies of the manifests."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.kustomize import K8S, OVERLAYS, Object, combined, of_kind, overlay, pod_specs

STAGES = ("audio-encoder", "motion-dit", "renderer")
RECORDING = K8S.parent / "prometheus" / "rules" / "recording.yaml"


def recorded() -> set[str]:
    groups = yaml.safe_load(RECORDING.read_text())["groups"]
    return {rule["record"] for group in groups for rule in group["rules"]}


@pytest.fixture(scope="module")
def with_hpa(tmp_path_factory: pytest.TempPathFactory) -> list[Object]:
    return combined(tmp_path_factory.mktemp("hpa"), "overlays/dev", ("hpa",))


def matches(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    """A label selector as Kubernetes evaluates it; an empty one takes everything."""
    for rule in selector.get("matchExpressions", ()):
        assert rule["operator"] == "In"
        if labels.get(rule["key"]) not in rule["values"]:
            return False
    return selector.get("matchLabels", {}).items() <= labels.items()


def pod_labels(objects: list[Object]) -> dict[str, dict[str, str]]:
    return {
        name: each["spec"]["template"]["metadata"]["labels"]
        for name, each in of_kind(objects, "Deployment").items()
    }


@pytest.mark.parametrize("name", OVERLAYS)
def test_every_pod_keeps_the_restricted_standard(name: str) -> None:
    for deployment, specification in pod_specs(overlay(name)).items():
        pod = specification["securityContext"]
        assert pod["runAsNonRoot"] is True, deployment
        assert pod["runAsUser"] > 0, deployment
        assert pod["seccompProfile"] == {"type": "RuntimeDefault"}, deployment
        for container in specification["containers"]:
            own = container["securityContext"]
            assert own["allowPrivilegeEscalation"] is False, deployment
            assert own["readOnlyRootFilesystem"] is True, deployment
            assert own["capabilities"] == {"drop": ["ALL"]}, deployment
            assert {"requests", "limits"} == set(container["resources"]), deployment
            assert {"cpu", "memory"} <= set(container["resources"]["limits"]), deployment


@pytest.mark.parametrize("name", OVERLAYS)
def test_only_prometheus_gets_a_token(name: str) -> None:
    accounts = of_kind(overlay(name), "ServiceAccount")
    for deployment, specification in pod_specs(overlay(name)).items():
        account = accounts[specification["serviceAccountName"]]
        has_token = account.get("automountServiceAccountToken", True)
        assert has_token is (deployment == "prometheus"), deployment


@pytest.mark.parametrize("name", OVERLAYS)
def test_references_lead_somewhere(name: str) -> None:
    objects = overlay(name)
    held = {kind: of_kind(objects, kind) for kind in ("ConfigMap", "PersistentVolumeClaim")}
    for specification in pod_specs(objects).values():
        for volume in specification["volumes"]:
            if "configMap" in volume:
                assert volume["configMap"]["name"] in held["ConfigMap"]
            if "persistentVolumeClaim" in volume:
                claim = volume["persistentVolumeClaim"]["claimName"]
                assert claim in held["PersistentVolumeClaim"]
    labels = pod_labels(objects).values()
    for service, each in of_kind(objects, "Service").items():
        assert (
            sum(matches({"matchLabels": each["spec"]["selector"]}, own) for own in labels) == 1
        ), service
    for budget, each in of_kind(objects, "PodDisruptionBudget").items():
        assert sum(matches(each["spec"]["selector"], own) for own in labels) == 1, budget


def test_every_service_scales_on_a_signal_of_its_own() -> None:
    objects = overlay("prod")
    scaled = of_kind(objects, "ScaledObject")
    assert set(scaled) == {*STAGES, "gateway"}
    queries = []
    for name, each in scaled.items():
        assert each["spec"]["scaleTargetRef"]["name"] == name
        assert "replicas" not in of_kind(objects, "Deployment")[name]["spec"]
        module = name.replace("-", "_")
        for trigger in each["spec"]["triggers"]:
            query = trigger["metadata"]["query"]
            assert f'module="{module}"' in query
            assert set(re.findall(r"ditto:[a-z_:0-9]+", query)) <= recorded()
            assert trigger["metadata"]["ignoreNullValues"] == "false"
            host = trigger["metadata"]["serverAddress"]
            assert host == f"http://prometheus.{each['metadata']['namespace']}.svc:9090"
            queries.append(query)
    assert len(set(queries)) == len(queries)


def test_the_autoscalers_of_both_kinds_agree(with_hpa: list[Object]) -> None:
    scaled, plain = (
        of_kind(overlay("prod"), "ScaledObject"),
        of_kind(with_hpa, "HorizontalPodAutoscaler"),
    )
    assert set(scaled) == set(plain)
    for name, each in plain.items():
        limits = scaled[name]["spec"]["minReplicaCount"], scaled[name]["spec"]["maxReplicaCount"]
        assert (each["spec"]["minReplicas"], each["spec"]["maxReplicas"]) == limits
        advanced = scaled[name]["spec"]["advanced"]["horizontalPodAutoscalerConfig"]
        assert each["spec"]["behavior"] == advanced["behavior"]
        assert len(each["spec"]["metrics"]) == len(scaled[name]["spec"]["triggers"])
        assert "replicas" not in of_kind(with_hpa, "Deployment")[name]["spec"]


def test_the_adapter_serves_every_metric_that_autoscalers_ask_for(with_hpa: list[Object]) -> None:
    file = K8S / "components" / "hpa" / "prometheus-adapter-values.yaml"
    rules = yaml.safe_load(file.read_text())["rules"]["external"]
    served = {rule["name"]["as"]: rule["metricsQuery"] for rule in rules}
    asked = {
        metric["external"]["metric"]["name"]
        for each in of_kind(with_hpa, "HorizontalPodAutoscaler").values()
        for metric in each["spec"]["metrics"]
    }
    assert asked == set(served)
    for query in served.values():
        assert set(re.findall(r"ditto:[a-z_:0-9]+", query)) <= recorded()


class Network:
    """Which pods may talk to which, by the policies of a rendered overlay."""

    def __init__(self, objects: list[Object]) -> None:
        self._labels = pod_labels(objects)
        self._ports = {
            name: {port["name"]: port["containerPort"] for port in container["ports"]}
            for name, specification in pod_specs(objects).items()
            for container in specification["containers"]
        }
        self._policies = [each["spec"] for each in of_kind(objects, "NetworkPolicy").values()]

    def allows(self, source: str, target: str, port: str) -> bool:
        """Whether `source` may open a connection to a named port of `target`."""
        return self._lets("Egress", source, target, target, port) and self._lets(
            "Ingress", target, source, target, port
        )

    def _lets(self, way: str, subject: str, peer: str, target: str, port: str) -> bool:
        mine = [
            policy
            for policy in self._policies
            if way in policy["policyTypes"]
            and matches(policy["podSelector"], self._labels[subject])
        ]
        side = "to" if way == "Egress" else "from"
        rules = [rule for policy in mine for rule in policy.get(way.lower(), ())]
        return not mine or any(self._fits(rule, side, peer, target, port) for rule in rules)

    def _fits(self, rule: Object, side: str, peer: str, target: str, port: str) -> bool:
        wanted = {entry["port"] for entry in rule["ports"]}
        peers = rule.get(side)
        is_peer = peers is None or any(
            "podSelector" in each and matches(each["podSelector"], self._labels[peer])
            for each in peers
        )
        return is_peer and bool(wanted & {port, self._ports[target][port]})


def test_the_network_lets_through_what_calls_need_and_nothing_else() -> None:
    network = Network(overlay("prod"))
    needed = {("gateway", stage, "grpc") for stage in STAGES}
    needed |= {("renderer", "redis", "redis")}
    needed |= {("prometheus", name, "metrics") for name in (*STAGES, "gateway")}
    processes = {"redis": ("redis",)} | dict.fromkeys((*STAGES, "gateway"), ("grpc", "metrics"))
    everyone = (*processes, "prometheus", "grafana")
    allowed = {
        (source, target, port)
        for source in everyone
        for target, ports in processes.items()
        for port in ports
        if source != target and network.allows(source, target, port)
    }
    # The gateway is open to all that may leave their own pod; processes may not.
    assert allowed - {("prometheus", "gateway", "grpc"), ("grafana", "gateway", "grpc")} == needed


def test_the_ingress_leads_to_the_gateway(tmp_path: Path) -> None:
    objects = combined(tmp_path, "overlays/prod", ("ingress-grpc",))
    (rule,) = of_kind(objects, "Ingress")["gateway"]["spec"]["rules"]
    (path,) = rule["http"]["paths"]
    assert path["path"] == "/ditto.v1.AnimationService"
    service = of_kind(objects, "Service")[path["backend"]["service"]["name"]]
    ports = {port["name"] for port in service["spec"]["ports"]}
    assert path["backend"]["service"]["port"]["name"] in ports
