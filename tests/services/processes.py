"""Real service processes for tests: started, waited for, stopped."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from ditto.local_cluster.ports import free_port
from ditto.v1.stage_status_pb2 import GetStageStatusRequest, GetStageStatusResponse
from ditto.v1.stage_status_pb2_grpc import StageStatusServiceStub

ROOT = Path(__file__).resolve().parents[2]
CHANNEL_OPTIONS = [
    ("grpc.max_send_message_length", 32 << 20),
    ("grpc.max_receive_message_length", 32 << 20),
]


class ServiceProcess:
    """One `python -m services.<name>` on free ports."""

    def __init__(self, name: str, *settings: str) -> None:
        self.address = f"127.0.0.1:{free_port()}"
        self.metrics_address = f"127.0.0.1:{free_port()}"
        own = (f"listen={self.address}", f"metrics_listen={self.metrics_address}")
        options = [word for setting in (*own, *settings) for word in ("--set", setting)]
        self.process = subprocess.Popen(
            [sys.executable, "-m", f"services.{name}", *options],
            cwd=ROOT,
            stderr=subprocess.PIPE,
            text=True,
        )

    def wait_until_serving(self) -> None:
        """Return when health says SERVING; the pack's assets may be fetched first."""
        deadline = time.monotonic() + 120
        with grpc.insecure_channel(self.address) as channel:
            stub = health_pb2_grpc.HealthStub(channel)
            while not self._is_serving(stub):
                assert self.process.poll() is None, self.process.communicate()[1]
                assert time.monotonic() < deadline, "still loading"
                time.sleep(0.05)

    def _is_serving(self, stub: health_pb2_grpc.HealthStub) -> bool:
        request = health_pb2.HealthCheckRequest()
        try:
            answer = stub.Check(request, timeout=1, wait_for_ready=True)
        except grpc.RpcError:
            return False
        return answer.status == health_pb2.HealthCheckResponse.SERVING

    def channel(self) -> grpc.aio.Channel:
        """A channel of the running event loop."""
        return grpc.aio.insecure_channel(self.address, options=CHANNEL_OPTIONS)

    async def status(self) -> GetStageStatusResponse:
        """What the process says of itself."""
        async with self.channel() as channel:
            return await StageStatusServiceStub(channel).GetStageStatus(GetStageStatusRequest())

    def metrics(self) -> str:
        """The Prometheus page."""
        with urlopen(f"http://{self.metrics_address}/metrics", timeout=5) as page:
            return page.read().decode()

    def terminate(self) -> tuple[int, str]:
        """SIGTERM; give the exit status and what was logged."""
        self.process.send_signal(signal.SIGTERM)
        _, logged = self.process.communicate(timeout=30)
        return self.process.returncode, logged

    def kill(self) -> None:
        """End it, whatever it does."""
        self.process.kill()
        self.process.communicate()


@contextmanager
def serving(name: str, *settings: str) -> Iterator[ServiceProcess]:
    """A process that is SERVING, for the length of a block."""
    service = ServiceProcess(name, *settings)
    try:
        service.wait_until_serving()
        yield service
    finally:
        service.kill()
