"""TLS of a server process on real sockets: who gets in, and renewal without a restart."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import grpc
import pytest
from prometheus_client import REGISTRY

from ditto.errors import SetupError
from ditto.local_cluster.ports import free_port
from ditto.serving.config import ProcessConfig, StageConfig
from ditto.serving.credentials import Credentials, server_credentials
from ditto.serving.loopback import is_loopback
from ditto.serving.server import ProcessServer
from tests.certificates import Authority, Pair
from tests.serving.test_server import Nothing, config, health


def tls(pair: Pair, authority: Authority | None = None) -> dict[str, object]:
    keys: dict[str, object] = {"tls_certificate": pair.certificate, "tls_key": pair.key}
    return {**keys, "tls_client_ca": authority.file} if authority else keys


async def serving(settings: ProcessConfig) -> ProcessServer:
    server = ProcessServer(settings)

    async def load() -> Nothing:
        return Nothing()

    await server.start()
    await server.serve(load)
    return server


async def reaches(settings: ProcessConfig, authority: Authority, own: Pair | None = None) -> bool:
    key, chain = (own.key.read_bytes(), own.certificate.read_bytes()) if own else (None, None)
    trust = grpc.ssl_channel_credentials(authority.file.read_bytes(), key, chain)
    options = [("grpc.use_local_subchannel_pool", 1)]
    async with grpc.aio.secure_channel(settings.listen, trust, options=options) as channel:
        try:
            return await health(channel) == "SERVING"
        except grpc.aio.AioRpcError:
            return False


async def test_a_server_speaks_tls_alone(tmp_path: Path) -> None:
    authority, other = Authority(tmp_path), Authority(tmp_path, "other")
    settings = config(**tls(authority.issue("server")))
    server = await serving(settings)
    assert await reaches(settings, authority)
    assert not await reaches(settings, other), "a client that trusts another authority"
    async with grpc.aio.insecure_channel(settings.listen) as channel:
        with pytest.raises(grpc.aio.AioRpcError):
            await health(channel)
    await server.stop()


async def test_mutual_tls_lets_in_who_the_authority_signed(tmp_path: Path) -> None:
    authority, other = Authority(tmp_path), Authority(tmp_path, "other")
    settings = config(**tls(authority.issue("server"), authority))
    server = await serving(settings)
    assert await reaches(settings, authority, authority.issue("gateway"))
    assert not await reaches(settings, authority)
    assert not await reaches(settings, authority, other.issue("stranger"))
    await server.stop()


async def test_renewed_files_are_taken_up_without_a_restart(tmp_path: Path) -> None:
    old, new = Authority(tmp_path, "old"), Authority(tmp_path, "new")
    pair = old.issue("server")
    settings = config(**tls(pair))
    server = await serving(settings)
    assert await reaches(settings, old)
    new.issue("server")
    assert await reaches(settings, new)
    assert not await reaches(settings, old)
    await server.stop()


async def test_a_renewal_that_cannot_be_used_is_refused_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    authority = Authority(tmp_path)
    pair = authority.issue("server")
    settings = config(**tls(pair))
    server = await serving(settings)
    kept = pair.key.read_bytes()
    pair.key.write_text("half a key")
    before = errors()
    for _ in range(3):
        assert await reaches(settings, authority), "the old pair stays in force"
    assert errors() >= before + 3
    told = [record for record in caplog.records if "cannot be used" in record.message]
    assert len(told) == 1, "the log tells a change once"
    assert "tls_key" in told[0].fields["why"]  # type: ignore[attr-defined]
    assert "half a key" not in str(told[0].__dict__)
    pair.key.write_bytes(kept)
    assert await reaches(settings, authority)
    await server.stop()


def errors() -> float:
    labels = {"file": "tls_certificate"}
    return REGISTRY.get_sample_value("ditto_reload_errors_total", labels) or 0.0


def test_the_end_is_a_metric_and_soon_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    authority = Authority(tmp_path)
    pair = authority.issue("server", lasts=timedelta(days=3))
    credentials = server_credentials(config(**tls(pair)))
    assert isinstance(credentials, Credentials)
    labels = {"file": "tls_certificate"}
    name = "ditto_certificate_expiry_timestamp_seconds"
    end = credentials.refresh().ends["tls_certificate"].timestamp()
    assert REGISTRY.get_sample_value(name, labels) == end
    warned = [record for record in caplog.records if "expires soon" in record.message]
    assert [record.levelno for record in warned] == [logging.WARNING], "once a day, not each look"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("127.0.0.1:1", True),
        ("127.8.9.1:1", True),
        ("[::1]:1", True),
        ("localhost:1", True),
        ("0.0.0.0:1", False),
        ("[::]:1", False),
        ("10.0.0.7:1", False),
        ("gateway.example:1", False),
    ],
)
def test_what_only_this_machine_can_reach(address: str, expected: bool) -> None:
    assert is_loopback(address) is expected


def everywhere(kind: type[ProcessConfig], **keys: object) -> ProcessConfig:
    return kind(listen=f"0.0.0.0:{free_port()}", metrics_listen="127.0.0.1:1", **keys)


def test_clear_text_for_others_must_be_asked_for(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(SetupError, match=r"clear text; set tls_certificate.*insecure: true"):
        server_credentials(everywhere(ProcessConfig))
    assert server_credentials(everywhere(ProcessConfig, insecure=True)) is None
    assert any(record.message.startswith("INSECURE") for record in caplog.records)


def test_a_stage_must_know_who_calls(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    keys = tls(authority.issue("server"))
    with pytest.raises(SetupError, match="tls_client_ca so that it serves the gateway alone"):
        server_credentials(everywhere(StageConfig, **keys))
    assert server_credentials(everywhere(StageConfig, **keys, tls_client_ca=authority.file))
    assert server_credentials(everywhere(StageConfig, **keys, insecure=True))


def test_keys_that_would_do_nothing_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="mean nothing without tls_certificate"):
        server_credentials(config(tls_key=tmp_path / "key"))


async def test_probes_are_answered_beside_tls(tmp_path: Path) -> None:
    settings = config(**tls(Authority(tmp_path).issue("server")))
    server = ProcessServer(settings)
    await server.start()
    page = f"http://{settings.metrics_listen}"

    async def status(path: str) -> int:
        try:
            return (await asyncio.to_thread(urlopen, page + path)).status
        except HTTPError as error:
            return error.code

    assert [await status(path) for path in ("/live", "/ready")] == [200, 503]

    async def load() -> Nothing:
        return Nothing()

    await server.serve(load)
    assert [await status(path) for path in ("/live", "/ready", "/else")] == [200, 200, 404]
    await server.stop()
