"""What the manifests say fits the processes: configuration, probes, drain times, addresses."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from ditto import packs
from ditto.errors import SetupError
from ditto.packs.ditto.options import read_options
from ditto.serving.config import ProcessConfig, load_config
from ditto.serving.server import LIVENESS
from gateway.config import GatewayConfig
from services.audio_encoder.config import AudioEncoderConfig
from services.motion_dit.config import MotionDitConfig
from services.renderer.config import RendererConfig
from tests.deploy.dockerfiles import image_environment
from tests.deploy.kubernetes_schemas import validate
from tests.deploy.kustomize import K8S, OVERLAYS, Object, combined, of_kind, overlay, pod_specs

MODELS: dict[str, type[ProcessConfig]] = {
    "audio-encoder": AudioEncoderConfig,
    "motion-dit": MotionDitConfig,
    "renderer": RendererConfig,
    "gateway": GatewayConfig,
}
SHUTDOWN_S = 5
"""A process needs so much beside its drain time to stop."""


def environment(container: Object) -> dict[str, str]:
    """What the process sees, with any text for a field of the pod."""
    own = {each["name"]: each.get("value", "pod-name") for each in container.get("env", ())}
    return image_environment(container["image"]) | own


def configuration(objects: list[Object], name: str) -> ProcessConfig:
    """The configuration of a Deployment's process, as the process itself would read it."""
    specification = pod_specs(objects)[name]
    (container,) = specification["containers"]
    option, path = container["args"]
    assert option == "--config"
    mounted = {each["mountPath"]: each["name"] for each in container["volumeMounts"]}
    volumes = {each["name"]: each for each in specification["volumes"]}
    config_map = volumes[mounted[str(Path(path).parent)]]["configMap"]["name"]
    text = of_kind(objects, "ConfigMap")[config_map]["data"][Path(path).name]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "config.yaml"
        file.write_text(text)
        model = MODELS[name.removesuffix("-canary")]
        return load_config(model, file, environment(container))


@pytest.fixture(scope="module")
def canary(tmp_path_factory: pytest.TempPathFactory) -> list[Object]:
    """The laptop overlay with a canary, made fit for it."""
    return combined(tmp_path_factory.mktemp("canary"), "overlays/laptop", ("canary", "cpu"))


@pytest.mark.parametrize("name", OVERLAYS)
@pytest.mark.parametrize("process", MODELS)
def test_the_process_takes_its_configuration(name: str, process: str) -> None:
    config: Any = configuration(overlay(name), process)
    assert config.pack in packs.names()
    assert config.replica == "pod-name"
    specification = pod_specs(overlay(name))[process]
    ports = {
        port["name"]: port["containerPort"] for port in specification["containers"][0]["ports"]
    }
    assert config.listen == f"0.0.0.0:{ports['grpc']}"
    assert config.metrics_listen == f"0.0.0.0:{ports['metrics']}"


def test_the_canary_takes_its_configuration(canary: list[Object]) -> None:
    config: Any = configuration(canary, "renderer-canary")
    assert config.slots == 2
    assert config.redis_url


def test_production_runs_the_released_networks_on_the_right_devices() -> None:
    objects = overlay("prod")
    found: dict[str, Any] = {name: configuration(objects, name) for name in MODELS}
    assert {config.pack for config in found.values()} == {"ditto"}
    devices = {name: found[name].pack_options["device"] for name in MODELS if name != "gateway"}
    assert devices == {"audio-encoder": "cpu", "motion-dit": "cuda", "renderer": "cuda"}
    for name in devices:
        read_options(found[name].pack_options)
        container = pod_specs(objects)[name]["containers"][0]
        assert container["image"].endswith("-cuda")
        mounts = [mount["mountPath"] for mount in container["volumeMounts"]]
        assert environment(container)["DITTO_CACHE_DIR"] in mounts


def test_the_job_that_fetches_the_weights_is_valid() -> None:
    job = yaml.safe_load((K8S / "components/ditto-pack/fill.yaml").read_text())
    validate(job)
    specification = job["spec"]["template"]["spec"]
    claims = of_kind(overlay("prod"), "PersistentVolumeClaim")
    assert specification["volumes"][0]["persistentVolumeClaim"]["claimName"] in claims
    (container,) = specification["containers"]
    used = {each["image"] for each in pod_specs(overlay("prod"))["motion-dit"]["containers"]}
    assert {container["image"]} == used


def test_a_key_that_no_process_knows_is_caught() -> None:
    objects = overlay("laptop")
    container = pod_specs(objects)["renderer"]["containers"][0]
    container["env"].append({"name": "DITTO_TLS_CERT", "value": "/x"})
    try:
        with pytest.raises(SetupError, match="unknown key tls_cert;"):
            configuration(objects, "renderer")
    finally:
        container["env"].pop()


@pytest.mark.parametrize("name", OVERLAYS)
def test_service_links_inject_nothing(name: str) -> None:
    for specification in pod_specs(overlay(name)).values():
        assert specification["enableServiceLinks"] is False


@pytest.mark.parametrize("name", OVERLAYS)
def test_addresses_are_those_of_services(name: str) -> None:
    objects = overlay(name)
    services = {
        f"{service}:{port['port']}"
        for service, each in of_kind(objects, "Service").items()
        for port in each["spec"]["ports"]
    }
    gateway: Any = configuration(objects, "gateway")
    renderer: Any = configuration(objects, "renderer")
    for targets in (gateway.audio_encoder, gateway.motion_dit, gateway.renderer):
        assert set(targets) <= services
    assert re.fullmatch(r"rediss?://([^/]+)/0", renderer.redis_url)[1] in services  # type: ignore[index]


@pytest.mark.parametrize("name", OVERLAYS)
@pytest.mark.parametrize("process", MODELS)
def test_the_grace_period_outlasts_the_drain(name: str, process: str) -> None:
    specification = pod_specs(overlay(name))[process]
    command, seconds = specification["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
    drain_s = configuration(overlay(name), process).drain_seconds
    assert command == "sleep"
    grace_s = specification["terminationGracePeriodSeconds"]
    assert grace_s >= float(seconds) + drain_s + SHUTDOWN_S


@pytest.mark.parametrize("name", OVERLAYS)
@pytest.mark.parametrize("process", MODELS)
def test_probes_ask_for_health_that_the_process_tells(name: str, process: str) -> None:
    container = pod_specs(overlay(name))[process]["containers"][0]
    if "httpGet" in container["livenessProbe"]:
        return  # with TLS: tests/deploy/test_tls_component.py
    assert container["livenessProbe"]["grpc"]["service"] == LIVENESS
    assert container["startupProbe"]["grpc"]["service"] == LIVENESS
    assert "service" not in container["readinessProbe"]["grpc"]


@pytest.mark.parametrize("process", ["audio-encoder", "motion-dit", "renderer"])
def test_a_stage_is_headless_and_keeps_draining_replicas_reachable(process: str) -> None:
    service = of_kind(overlay("prod"), "Service")[process]["spec"]
    assert service["clusterIP"] == "None"
    assert service["publishNotReadyAddresses"] is True


def test_gpus_are_asked_for_where_they_are_used() -> None:
    def gpus(name: str) -> dict[str, int]:
        specifications = pod_specs(overlay(name)).items()
        limits = {key: each["containers"][0]["resources"]["limits"] for key, each in specifications}
        return {
            key: each["nvidia.com/gpu"] for key, each in limits.items() if "nvidia.com/gpu" in each
        }

    assert gpus("prod") == {"motion-dit": 1, "renderer": 1}
    assert gpus("laptop") == gpus("dev") == {}


def test_a_shared_gpu_takes_the_place_of_a_whole_one(tmp_path: Path) -> None:
    objects = combined(tmp_path, "overlays/prod", ("gpu-sharing",))
    for name in ("motion-dit", "renderer"):
        limits = pod_specs(objects)[name]["containers"][0]["resources"]["limits"]
        assert limits["nvidia.com/gpu.shared"] == 1
        assert "nvidia.com/gpu" not in limits


def test_the_canary_is_one_more_renderer_behind_the_same_name(canary: list[Object]) -> None:
    deployments = of_kind(canary, "Deployment")
    stable, other = deployments["renderer"], deployments["renderer-canary"]
    wanted = of_kind(canary, "Service")["renderer"]["spec"]["selector"].items()
    for each in (stable, other):
        assert wanted <= each["spec"]["template"]["metadata"]["labels"].items()
    assert stable["spec"]["selector"] != other["spec"]["selector"]
    assert other["spec"]["replicas"] == 1
    assert set(deployments) == {*MODELS, "redis", "renderer-canary"}
    (container,) = other["spec"]["template"]["spec"]["containers"]
    assert "nvidia.com/gpu" not in container["resources"]["limits"]


def _prometheus_selector() -> dict[str, str]:
    file = Path(__file__).resolve().parents[2] / "deploy/prometheus/prometheus.kubernetes.yaml"
    discovery = yaml.safe_load(file.read_text())["scrape_configs"][0]["kubernetes_sd_configs"][0]
    label = discovery["selectors"][0]["label"]
    return dict(pair.split("=") for pair in label.split(","))


@pytest.mark.parametrize("name", OVERLAYS)
def test_prometheus_finds_exactly_the_processes(name: str) -> None:
    wanted = _prometheus_selector().items()
    found = {
        deployment
        for deployment, each in of_kind(overlay(name), "Deployment").items()
        if wanted <= each["spec"]["template"]["metadata"]["labels"].items()
    }
    assert found == set(MODELS)
    for deployment in found:
        labels = of_kind(overlay(name), "Deployment")[deployment]["spec"]["template"]["metadata"]
        module = labels["labels"]["app.kubernetes.io/component"]
        assert module == deployment.replace("-", "_"), "the scrape label `service`"
