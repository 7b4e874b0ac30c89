"""`python -m gateway` with TLS and tokens, as an operator starts it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from ditto.client import Access, Client
from ditto.client.channel import open_channel
from ditto.errors import UnauthenticatedError
from ditto.local_cluster.health import is_serving
from ditto.local_cluster.ports import free_port
from tests.certificates import Authority
from tests.gateway.tokens import write_tokens

ROOT = Path(__file__).resolve().parents[2]
MESSAGE_BYTES = 100_000


def start(folder: Path, *settings: str) -> subprocess.Popen[str]:
    own = (f"metrics_listen=127.0.0.1:{free_port()}", f"avatar_store={folder / 'avatars'}")
    stages = (f"{name}=127.0.0.1:1" for name in ("audio_encoder", "motion_dit", "renderer"))
    options = [word for setting in (*own, *stages, *settings) for word in ("--set", setting)]
    command = [sys.executable, "-m", "gateway", *options]
    return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Its address and its authority."""
    folder = tmp_path_factory.mktemp("gateway")
    authority = Authority(folder)
    pair = authority.issue("front")
    tokens = write_tokens(folder / "tokens.yaml", acme={"tokens": ["ditto_x"]})
    address = f"127.0.0.1:{free_port()}"
    process = start(
        folder,
        f"listen={address}",
        f"tls_certificate={pair.certificate}",
        f"tls_key={pair.key}",
        f"tokens_file={tokens}",
        f"message_bytes={MESSAGE_BYTES}",
    )
    deadline = time.monotonic() + 60
    while not is_serving(address, "liveness", Access(tls_ca=authority.file)):
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.05)
    yield address, authority.file
    process.terminate()
    process.communicate(timeout=20)


def test_a_token_opens_it_and_its_limits_are_told(gateway: tuple[str, Path]) -> None:
    address, authority = gateway
    with Client(address, Access(token="ditto_x", tls_ca=authority)) as client:
        assert client.info().limits.message_bytes == MESSAGE_BYTES
    with (
        Client(address, Access(tls_ca=authority)) as client,
        pytest.raises(UnauthenticatedError),
    ):
        client.info()


def test_a_message_beyond_the_limit_is_refused(gateway: tuple[str, Path]) -> None:
    address, authority = gateway
    with open_channel(address, Access(token="ditto_x", tls_ca=authority)) as channel:
        register = channel.unary_unary("/ditto.v1.AnimationService/RegisterAvatar")
        with pytest.raises(grpc.RpcError) as failure:
            register(bytes(MESSAGE_BYTES + 1))
        assert failure.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_reflection_wants_a_token(gateway: tuple[str, Path]) -> None:
    address, authority = gateway
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    for token, expected in ((None, grpc.StatusCode.UNAUTHENTICATED), ("ditto_x", None)):
        with open_channel(address, Access(token=token, tls_ca=authority)) as channel:
            answers = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(
                iter([request])
            )
            if expected is None:
                assert next(answers).list_services_response.service
                continue
            with pytest.raises(grpc.RpcError) as failure:
                next(answers)
            assert failure.value.code() is expected


def test_an_open_door_is_not_opened(tmp_path: Path) -> None:
    process = start(tmp_path, f"listen=0.0.0.0:{free_port()}", "insecure=true")
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "can be reached by others; set tokens_file" in said.splitlines()[-1]
