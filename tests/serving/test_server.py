"""The life of a process: ports that are taken, loading that takes long or fails, stopping."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from ditto.errors import SetupError
from ditto.local_cluster.ports import free_port
from ditto.serving.config import ProcessConfig
from ditto.serving.server import ProcessServer
from tests.until import until

ROOT = Path(__file__).resolve().parents[2]


class Nothing:
    """A service without methods."""

    service_names = ("ditto.v1.AudioEncoderService",)
    drains = 0
    closed = False

    def register(self, server: object) -> None:
        pass

    async def drain(self, deadline_s: float) -> None:
        self.drains += 1
        await asyncio.sleep(deadline_s * 10)

    async def close(self) -> None:
        self.closed = True


def config(**changes: object) -> ProcessConfig:
    ports = {"listen": f"127.0.0.1:{free_port()}", "metrics_listen": f"127.0.0.1:{free_port()}"}
    return ProcessConfig(**{**ports, "drain_seconds": 0.1, **changes})


async def health(channel: grpc.aio.Channel, service: str = "") -> str:
    request = health_pb2.HealthCheckRequest(service=service)
    answer = await health_pb2_grpc.HealthStub(channel).Check(request)
    return health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)


async def test_health_follows_the_life_of_the_process():
    settings, service, loaded = config(), Nothing(), asyncio.Event()

    async def load() -> Nothing:
        await loaded.wait()
        return service

    server = ProcessServer(settings)
    await server.start()
    async with grpc.aio.insecure_channel(settings.listen) as channel:
        serving = asyncio.create_task(server.serve(load))
        assert await health(channel) == "NOT_SERVING"
        loaded.set()
        await serving
        assert await health(channel) == "SERVING"
        assert await health(channel, service.service_names[0]) == "SERVING"
        stopping = asyncio.create_task(server.stop())
        await until(lambda: service.drains == 1)
        assert await health(channel) == "NOT_SERVING"
        await asyncio.wait_for(stopping, 5)
    assert service.closed


async def test_reflection_lists_the_services():
    settings = config()
    server = ProcessServer(settings)
    await server.start()

    async def load() -> Nothing:
        return Nothing()

    await server.serve(load)
    async with grpc.aio.insecure_channel(settings.listen) as channel:
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        answer = await stub.ServerReflectionInfo(iter([request])).read()
    names = {service.name for service in answer.list_services_response.service}
    assert {"ditto.v1.AudioEncoderService", "grpc.health.v1.Health"} <= names
    await server.stop()


@pytest.mark.parametrize("key", ["listen", "metrics_listen"])
async def test_a_taken_port_is_a_setup_error_that_names_its_key(key):
    first = ProcessServer(config())
    await first.start()
    taken = getattr(first._config, key)
    second = ProcessServer(config(**{key: taken}))
    with pytest.raises(SetupError, match=f"{key}: cannot bind {taken}"):
        await second.start()
    await second.stop()
    await first.stop()


async def test_the_metrics_page_has_metrics_and_nothing_else():
    settings = config()
    server = ProcessServer(settings)
    await server.start()
    address = f"http://{settings.metrics_listen}"
    with await asyncio.to_thread(urlopen, f"{address}/metrics") as page:
        assert b"# HELP ditto_rtf " in page.read()
    with pytest.raises(HTTPError, match="404"):
        await asyncio.to_thread(urlopen, f"{address}/")
    await server.stop()


SCRIPT = """
import asyncio, sys, time
from pathlib import Path
from ditto.errors import SetupError
from ditto.serving.config import ProcessConfig
from ditto.serving.server import run

async def load():
    if sys.argv[2] == "fails":
        raise SetupError("the model is missing; fetch it")
    await asyncio.to_thread(time.sleep, 60)

sys.exit(run("test", ProcessConfig, Path(sys.argv[1]), lambda config: load, sys.argv[3:]))
"""


def start(tmp_path: Path, kind: str, *arguments: str) -> subprocess.Popen[str]:
    file = tmp_path / "config.yaml"
    settings = config()
    file.write_text(f"listen: {settings.listen}\nmetrics_listen: {settings.metrics_listen}\n")
    command = [sys.executable, "-c", SCRIPT, str(file), kind, *arguments]
    return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)


def test_a_failed_start_is_one_line_and_a_status(tmp_path):
    _, said = (process := start(tmp_path, "fails")).communicate(timeout=30)
    assert process.returncode == 1
    assert said.splitlines()[-1] == "test: the model is missing; fetch it"


def test_a_wrong_setting_is_one_line_and_a_status(tmp_path):
    _, said = (process := start(tmp_path, "fails", "--set", "x=1")).communicate(timeout=30)
    assert process.returncode == 1
    assert said.startswith("test: --set: unknown key x")
    assert len(said.splitlines()) == 1


async def test_a_signal_ends_a_process_that_still_loads(tmp_path):
    process = start(tmp_path, "sleeps")
    listen = (tmp_path / "config.yaml").read_text().split()[1]
    async with grpc.aio.insecure_channel(listen) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        await stub.Check(health_pb2.HealthCheckRequest(), wait_for_ready=True, timeout=20)
    process.send_signal(signal.SIGTERM)
    await asyncio.to_thread(process.communicate, timeout=10)
    assert process.returncode == 0
