"""Passwords and TLS before a real Redis, and a password that nobody ever gets to read."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from redis.exceptions import ConnectionError as RedisConnectionError

from ditto.errors import SetupError
from ditto.local_cluster.ports import free_port
from ditto.serving.config import load_config
from ditto.serving.redis_access import RedisAccess, RedisConfig
from ditto.serving.redis_parts import PartedTier
from ditto.serving.redis_tier import RedisTier
from services.renderer.config import RendererConfig
from tests.certificates import Authority
from tests.redis_process import RedisProcess

PASSWORD = "geheim-0815"


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine may take longer for a handshake than a renderer would wait."""
    for module in ("redis_access", "redis_tier"):
        monkeypatch.setattr(f"ditto.serving.{module}.TIMEOUT_S", 10.0)


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[RedisProcess]:
    """A Redis with a password."""
    server = RedisProcess(tmp_path, PASSWORD)
    server.start()
    yield server
    server.kill()


def tier(**keys: Any) -> RedisTier:
    return RedisTier(RedisAccess(RedisConfig(**keys)), 60)


async def works(tier: RedisTier) -> bool:
    await tier.put("key", b"payload")
    found = await tier.get("key")
    await tier.close()
    return found == b"payload"


async def test_a_password_is_needed_and_given(locked: RedisProcess, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n")
    assert not await works(tier(redis_url=locked.url))
    assert not await works(tier(redis_url=locked.url, redis_password=SecretStr("wrong")))
    assert await works(tier(redis_url=locked.url, redis_password=SecretStr(PASSWORD)))
    assert await works(tier(redis_url=locked.url, redis_password_file=file))


async def test_a_user_of_its_own(locked: RedisProcess) -> None:
    locked.client.execute_command("ACL", "SETUSER", "ditto", "on", ">own", "~*", "+@all")
    keys = {"redis_url": locked.url, "redis_username": "ditto"}
    assert await works(tier(**keys, redis_password=SecretStr("own")))
    assert not await works(tier(**keys, redis_password=SecretStr(PASSWORD)))


async def test_a_changed_password_is_read_for_the_next_connection(
    locked: RedisProcess, tmp_path: Path
) -> None:
    file = tmp_path / "password"
    file.write_text(PASSWORD)
    open_tier = tier(redis_url=locked.url, redis_password_file=file)
    await open_tier.put("key", b"payload")
    file.write_text("next")
    locked.client.config_set("requirepass", "next")
    locked.client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    await open_tier.get("key")
    assert await open_tier.get("key") == b"payload"
    await open_tier.close()


async def test_tls_with_certificates_on_both_ends(tmp_path: Path) -> None:
    authority, port = Authority(tmp_path), free_port()
    own, theirs = authority.issue("renderer"), authority.issue("redis")
    server = RedisProcess(
        tmp_path, PASSWORD, "--tls-port", str(port), "--tls-cert-file", str(theirs.certificate),
        "--tls-key-file", str(theirs.key), "--tls-ca-cert-file", str(authority.file),
    )  # fmt: skip
    server.start()
    try:
        keys = {
            "redis_url": f"rediss://localhost:{port}/0",
            "redis_password": SecretStr(PASSWORD),
            "redis_tls_ca": authority.file,
        }
        pair = {"redis_tls_certificate": own.certificate, "redis_tls_key": own.key}
        assert await works(tier(**keys, **pair))
        assert not await works(tier(**keys)), "Redis demands a certificate"
        other = Authority(tmp_path, "other")
        assert not await works(tier(**{**keys, "redis_tls_ca": other.file}, **pair))
        live = tier(**keys, **pair)
        await live.put("key", b"payload")
        authority.issue("renderer")
        before = live._redis
        assert await live.get("key") == b"payload"
        assert live._redis is not before, "renewed certificates are taken up"
        await live.close()
    finally:
        server.kill()


async def test_the_password_is_never_told(
    locked: RedisProcess, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    config = RedisConfig(redis_url=locked.url, redis_password=SecretStr("wrong-4711"))
    assert "4711" not in repr(config)
    failing = RedisTier(RedisAccess(config), 60)
    assert await failing.get("key") is None
    with pytest.raises(RedisConnectionError, match="password"):
        await failing._redis.ping()
    assert [record for record in caplog.records if record.message == "redis failed"]
    assert not [record for record in caplog.records if "4711" in str(record.__dict__)]
    await failing.close()


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"redis_url": "redis://:pw@localhost/0"}, "redis_url: a user or password"),
        ({"redis_url": "redis://user@localhost/0"}, "redis_url: a user or password"),
        ({"redis_url": "redis://localhost/0", "redis_tls_ca": Path("x")}, "rediss://"),
        ({"redis_url": "redis://localhost/0", "redis_username": "x"}, "redis_username"),
        (
            {"redis_url": "redis://10.0.0.7:6379/0", "redis_password": SecretStr("pw")},
            "clear text; use rediss://",
        ),
        (
            {"redis_url": "redis://127.0.0.1:1/0", "redis_password_file": Path("absent")},
            "redis_password_file: absent: No such file",
        ),
        ({"redis_url": "rediss://h/0", "redis_tls_ca": Path("absent")}, "redis_tls_ca: absent"),
    ],
)
def test_what_contradicts_itself_is_refused(keys: dict[str, Any], said: str) -> None:
    with pytest.raises(SetupError, match=said) as refusal:
        RedisAccess(RedisConfig(**keys))
    assert "pw" not in str(refusal.value)


def test_a_password_comes_by_the_environment_and_not_by_the_command_line(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("listen: 127.0.0.1:7001\nmetrics_listen: 127.0.0.1:9001\n")
    config = load_config(RendererConfig, file, {"DITTO_REDIS_PASSWORD": "0815"})
    assert config.redis_password
    assert config.redis_password.get_secret_value() == "0815"
    with pytest.raises(SetupError, match="everybody on this machine can read"):
        load_config(RendererConfig, file, {}, ["redis_password=0815"])


async def test_parts_are_deleted_with_their_head_or_not_at_all(redis: RedisProcess) -> None:
    large = PartedTier(redis.url, 60)
    payload = bytes(9 * 2**20)
    await large.put("key", payload)
    assert len(redis.client.keys()) == 4
    assert await large.get("key") == payload
    await large.delete("key")
    assert redis.client.keys() == []
    await large.close()
