"""The component tls gives each process files that exist, and names that the other end looks for."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from ditto.serving.credentials import require_protection
from ditto.serving.server import PROBES
from tests.deploy.kustomize import OVERLAYS, Object, combined, of_kind, overlay, pod_specs
from tests.deploy.test_manifests import MODELS, configuration

_FILES = {"tls.crt", "tls.key", "ca.crt"}
"""What cert-manager puts into a secret."""


def secret_of(objects: list[Object], process: str, file: Path) -> str:
    """The secret that a file of a process comes from."""
    specification = pod_specs(objects)[process]
    mounts = {m["mountPath"]: m["name"] for m in specification["containers"][0]["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in specification["volumes"]}
    secret: str = volumes[mounts[str(file.parent)]]["secret"]["secretName"]
    return secret


def certificates(objects: list[Object]) -> dict[str, Object]:
    """What is asked of cert-manager, by the name of its secret."""
    found = of_kind(objects, "Certificate").values()
    return {each["spec"]["secretName"]: each["spec"] for each in found}


@pytest.mark.parametrize("name", OVERLAYS)
@pytest.mark.parametrize("process", MODELS)
def test_a_process_would_start_on_its_address(name: str, process: str) -> None:
    require_protection(configuration(overlay(name), process))


@pytest.mark.parametrize("process", MODELS)
def test_production_is_encrypted_and_its_files_come_from_secrets(process: str) -> None:
    objects = overlay("prod")
    config: Any = configuration(objects, process)
    assert not config.insecure
    keys = [key for key in type(config).model_fields if "tls_" in key and key != "stage_tls_name"]
    files = {key: getattr(config, key) for key in keys if getattr(config, key)}
    assert {"tls_certificate", "tls_key"} <= files.keys()
    for file in files.values():
        assert file.name in _FILES
        assert secret_of(objects, process, file) in certificates(objects)
    if process != "gateway":
        assert config.tls_client_ca, "a stage serves the gateway alone"


def test_the_names_in_the_certificates_are_those_that_are_looked_for() -> None:
    objects = overlay("prod")
    gateway: Any = configuration(objects, "gateway")
    renderer: Any = configuration(objects, "renderer")
    signed = certificates(objects)
    for stage in ("audio-encoder", "motion-dit", "renderer"):
        config: Any = configuration(objects, stage)
        spec = signed[secret_of(objects, stage, config.tls_certificate)]
        assert gateway.stage_tls_name in spec["dnsNames"]
        assert {"server auth", "client auth"} <= set(spec["usages"])
    own = signed[secret_of(objects, "gateway", gateway.stage_tls_certificate)]
    assert "client auth" in own["usages"]
    assert urlsplit(renderer.redis_url).scheme == "rediss"
    assert urlsplit(renderer.redis_url).hostname in signed["redis-tls"]["dnsNames"]
    (redis,) = pod_specs(objects)["redis"]["containers"]
    assert redis["args"][redis["args"].index("--tls-auth-clients") + 1] == "yes"
    assert redis["args"][redis["args"].index("--port") + 1] == "0"


@pytest.mark.parametrize("process", MODELS)
def test_probes_ask_for_pages_that_exist(process: str) -> None:
    (container,) = pod_specs(overlay("prod"))[process]["containers"]
    asked = {kind: container[kind] for kind in ("startupProbe", "livenessProbe", "readinessProbe")}
    for kind, probe in asked.items():
        assert "grpc" not in probe
        assert probe["httpGet"]["port"] == "metrics"
        assert probe["httpGet"]["path"] in PROBES
        assert probe["httpGet"]["path"] == ("/ready" if kind == "readinessProbe" else "/live")


@pytest.mark.parametrize("name", OVERLAYS)
def test_the_gateway_wants_tokens_everywhere(name: str) -> None:
    config: Any = configuration(overlay(name), "gateway")
    assert secret_of(overlay(name), "gateway", config.tokens_file) == "gateway-tokens"


def test_the_ingress_speaks_tls_to_the_gateway(tmp_path: Path) -> None:
    objects = combined(tmp_path, "base", ("ingress-grpc", "tls"))
    annotations = of_kind(objects, "Ingress")["gateway"]["metadata"]["annotations"]
    assert annotations["nginx.ingress.kubernetes.io/backend-protocol"] == "GRPCS"
    port = of_kind(objects, "Service")["gateway"]["spec"]["ports"][0]
    assert port["appProtocol"] == "https"
