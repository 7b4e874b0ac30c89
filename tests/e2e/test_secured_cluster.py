"""Every process with TLS, tokens and a locked Redis, used from the command line."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ditto.client import Access
from ditto.local_cluster.health import is_serving
from ditto.local_cluster.ports import free_port
from tests.certificates import Authority, Pair
from tests.gateway.tokens import write_tokens
from tests.redis_process import RedisProcess

ROOT = Path(__file__).resolve().parents[2]
TOKEN, PASSWORD = "ditto_secured", "geheim-0815"


@dataclass(frozen=True)
class Process:
    """One process of the cluster."""

    address: str
    metrics: str
    log: Path

    def cache_bytes(self) -> float:
        """What the local tier of a renderer holds."""
        with urlopen(f"http://{self.metrics}/metrics") as page:
            families = text_string_to_metric_families(page.read().decode())
        samples = (sample for family in families for sample in family.samples)
        return sum(
            sample.value
            for sample in samples
            if (sample.name, sample.labels.get("tier")) == ("ditto_cache_bytes", "local")
        )


@contextmanager
def started(log: Path, module: str, **settings: object) -> Iterator[Process]:
    """A process for the length of a block; it must end well."""
    here = Process(f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}", log)
    settings = {"listen": here.address, "metrics_listen": here.metrics, **settings}
    options = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    environment = dict(os.environ)
    if "redis_url" in settings:
        environment["DITTO_REDIS_PASSWORD"] = PASSWORD
    with log.open("w") as file:
        command = [sys.executable, "-m", module, *options]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=file)
        try:
            yield here
        finally:
            process.terminate()
            assert process.wait(60) == 0, log.read_text()


@dataclass(frozen=True)
class Secured:
    """A running cluster."""

    gateway: Process
    renderers: tuple[Process, ...]
    others: tuple[Process, ...]
    redis: RedisProcess
    authority: Authority

    def ditto(self, *arguments: str, token: str | None) -> subprocess.CompletedProcess[str]:
        """Run the command line against it."""
        environment = {**os.environ, "DITTO_CLIENT_TLS_CA": str(self.authority.file)}
        if token:
            environment["DITTO_CLIENT_TOKEN"] = token
        command = [sys.executable, "-m", "ditto.cli", *arguments, "--server", self.gateway.address]
        return subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """Two renderers and one of everything else."""
    folder = tmp_path_factory.mktemp("secured")
    authority, port = Authority(folder), free_port()
    stage, front, inner, store = (
        authority.issue("stage", ("ditto-stage",)),
        *(authority.issue(name) for name in ("front", "inner", "redis")),
    )
    redis = _locked_redis(folder, authority, store, port)
    tls = {"tls_certificate": stage.certificate, "tls_key": stage.key}
    tls["tls_client_ca"] = authority.file
    shared = {
        "redis_url": f"rediss://localhost:{port}/0",
        "redis_tls_ca": authority.file,
        "redis_tls_certificate": inner.certificate,
        "redis_tls_key": inner.key,
    }
    with ExitStack() as stack:
        stack.callback(redis.kill)

        def start(name: str, module: str, **settings: object) -> Process:
            return stack.enter_context(started(folder / f"{name}.log", module, **settings))

        encoder = start("audio_encoder", "services.audio_encoder", **tls)
        motion = start("motion_dit", "services.motion_dit", **tls)
        renderers = tuple(start(f"r{i}", "services.renderer", **tls, **shared) for i in (0, 1))
        gateway = start(
            "gateway",
            "gateway",
            tls_certificate=front.certificate,
            tls_key=front.key,
            tokens_file=write_tokens(folder / "tokens.yaml", acme={"tokens": [TOKEN]}),
            stage_tls_ca=authority.file,
            stage_tls_certificate=inner.certificate,
            stage_tls_key=inner.key,
            avatar_store=folder / "avatars",
            audio_encoder=f"[{encoder.address}]",
            motion_dit=f"[{motion.address}]",
            renderer=f"[{', '.join(each.address for each in renderers)}]",
        )
        _wait((gateway,), Access(tls_ca=authority.file))
        client = Access(
            tls_ca=authority.file,
            tls_certificate=inner.certificate,
            tls_key=inner.key,
            tls_name="ditto-stage",
        )
        _wait(renderers, client)
        yield Secured(gateway, renderers, (encoder, motion), redis, authority)


def _locked_redis(folder: Path, authority: Authority, pair: Pair, port: int) -> RedisProcess:
    files = {"cert": pair.certificate, "key": pair.key, "ca-cert": authority.file}
    options = [word for name, path in files.items() for word in (f"--tls-{name}-file", str(path))]
    redis = RedisProcess(folder, PASSWORD, "--tls-port", str(port), *options)
    redis.start()
    return redis


def _wait(processes: tuple[Process, ...], access: Access) -> None:
    deadline = time.monotonic() + 240
    for process in processes:
        while not is_serving(process.address, access=access):
            assert time.monotonic() < deadline, process.log.read_text()
            time.sleep(0.2)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_secured_cluster_serves_who_may_and_forgets_when_told(
    secured: Secured, tmp_path: Path
) -> None:
    target = tmp_path / "out.mp4"
    files = ("examples/astronaut.jpg", "examples/speech.wav", "-o", str(target))
    refused = secured.ditto("animate", *files, token=None)
    assert refused.returncode == 1
    assert "authorization: this server wants one" in refused.stderr
    assert not target.exists()

    registered = secured.ditto("register", files[0], token=TOKEN)
    assert registered.returncode == 0, registered.stderr
    avatar_id = registered.stdout.strip()
    call = secured.ditto("animate", avatar_id, *files[1:], token=TOKEN)
    assert call.returncode == 0, call.stderr
    assert target.stat().st_size > 100_000
    assert secured.redis.client.dbsize() == 1, "features lie in Redis"
    assert sum(renderer.cache_bytes() > 0 for renderer in secured.renderers) >= 1

    code = (
        "import sys; from ditto.client import Avatar, Client\n"
        "Client(sys.argv[1]).delete(Avatar(avatar_id=sys.argv[2]))"
    )
    environment = {
        **os.environ,
        "DITTO_CLIENT_TLS_CA": str(secured.authority.file),
        "DITTO_CLIENT_TOKEN": TOKEN,
    }
    command = [sys.executable, "-c", code, secured.gateway.address, avatar_id]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    assert secured.redis.client.dbsize() == 0
    assert [renderer.cache_bytes() for renderer in secured.renderers] == [0, 0]

    processes = (secured.gateway, *secured.renderers, *secured.others)
    logs = [process.log.read_text() for process in processes]
    assert all(logs)
    for secret in (TOKEN, PASSWORD):
        assert not [log for log in logs if secret in log]
