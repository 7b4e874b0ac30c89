"""Registered avatars: ids, survival, damage, deletion, and calls that name them."""

from __future__ import annotations

from pathlib import Path

import grpc
import pytest

from ditto.errors import AvatarNotFoundError, CallLimitError, CorruptDataError
from ditto.v1 import animation_pb2 as pb
from gateway.avatars import AvatarStore, Preparation
from tests.gateway.cluster import Cluster, animate, config, running_cluster, speech, tone
from tests.gateway.fake_stages import start_stage
from tests.until import until

KNOWN = Preparation("key", (0.1, 0.2), (1.0,), (0.5,), 10, 20, ("small",))


def test_an_avatar_survives_a_restart_and_keeps_its_id(tmp_path: Path) -> None:
    avatar = AvatarStore(tmp_path, None, 10).put("default", b"portrait", "starter", "hash", KNOWN)
    again = AvatarStore(tmp_path, None, 10)
    assert again.get("default", avatar.avatar_id) == avatar
    assert again.portrait(avatar) == b"portrait"
    assert again.put("default", b"portrait", "starter", "hash", KNOWN).avatar_id == avatar.avatar_id


def test_ids_depend_on_the_secret_and_do_not_show_the_key(tmp_path: Path) -> None:
    ids = {
        AvatarStore(tmp_path / secret, secret, 10)
        .put("default", b"p", "starter", "hash", KNOWN)
        .avatar_id
        for secret in ("one", "two")
    }
    assert len(ids) == 2
    assert all("key" not in avatar_id for avatar_id in ids)


def test_the_secret_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    AvatarStore(tmp_path, None, 10)
    assert (tmp_path / "secret").stat().st_mode & 0o077 == 0


def test_nothing_half_written_remains(tmp_path: Path) -> None:
    store = AvatarStore(tmp_path, None, 10)
    avatar = store.put("default", b"portrait", "starter", "hash", KNOWN)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"secret", f"{avatar.avatar_id}.json", f"{avatar.avatar_id}.portrait"}


def test_damage_is_noticed(tmp_path: Path) -> None:
    store = AvatarStore(tmp_path, None, 10)
    avatar = store.put("default", b"portrait", "starter", "hash", KNOWN)
    (tmp_path / f"{avatar.avatar_id}.portrait").write_bytes(b"portrair")
    with pytest.raises(CorruptDataError, match="register it again"):
        store.portrait(avatar)
    (tmp_path / f"{avatar.avatar_id}.json").write_text('{"pack": 3}')
    with pytest.raises(CorruptDataError, match="register it again"):
        store.get("default", avatar.avatar_id)


@pytest.mark.parametrize("avatar_id", ["", "../secret", "0" * 31, "g" * 32, "0" * 32])
def test_ids_that_name_nothing(tmp_path: Path, avatar_id: str) -> None:
    with pytest.raises(AvatarNotFoundError):
        AvatarStore(tmp_path, None, 10).get("default", avatar_id)


def test_the_store_is_bounded(tmp_path: Path) -> None:
    store = AvatarStore(tmp_path, None, 1)
    store.put("default", b"portrait", "starter", "hash", KNOWN)
    store.put("default", b"portrait", "starter", "hash", KNOWN)
    with pytest.raises(CallLimitError, match="full"):
        store.put(
            "default", b"other", "starter", "hash", Preparation("other", (), (), (), 1, 1, ())
        )


def test_tenants_never_see_each_others_avatars(tmp_path: Path) -> None:
    store = AvatarStore(tmp_path, None, 10)
    of = {name: store.put(name, b"p", "starter", "hash", KNOWN) for name in ("acme", "default")}
    assert of["acme"].avatar_id != of["default"].avatar_id
    for own, other in (("acme", "default"), ("default", "acme")):
        assert store.get(own, of[own].avatar_id).tenant == own
        for attempt in (store.get, store.delete):
            with pytest.raises(AvatarNotFoundError):
                attempt(other, of[own].avatar_id)
    assert store.count() == 2


def test_the_last_reference_leaves_its_keys_to_be_purged(tmp_path: Path) -> None:
    store = AvatarStore(tmp_path, None, 10)
    first, last = (store.put(name, b"p", "starter", "hash", KNOWN) for name in ("acme", "other"))
    assert store.delete("acme", first.avatar_id) == set()
    assert store.delete("other", last.avatar_id) == {"key"}
    again = AvatarStore(tmp_path, None, 10)
    assert again.to_purge() == {"key"}, "a restart does not forget it"
    again.put("acme", b"p", "starter", "hash", KNOWN)
    assert again.to_purge() == set(), "it is in use again"
    again.delete("acme", first.avatar_id)
    again.purged("key")
    assert again.to_purge() == set()


async def test_deleting_purges_every_renderer(tmp_path: Path) -> None:
    async with running_cluster(tmp_path, {"renderer": 3}) as cluster:
        renderers = cluster.stages["renderer"]
        avatar_id = (await _register(cluster)).avatar.avatar_id
        (key,) = renderers[0].cached | renderers[1].cached | renderers[2].cached
        for renderer in renderers:
            renderer.cached.add(key)
        renderers[1].slots.draining = True
        await cluster.poll()
        await cluster.stub.DeleteAvatar(pb.DeleteAvatarRequest(avatar_id=avatar_id))
        assert not any(renderer.cached for renderer in renderers), "the draining one as well"


async def test_a_renderer_that_cannot_be_told_is_told_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.purges.EVERY_S", 0.1)
    async with running_cluster(tmp_path, {"renderer": 2}) as cluster:
        avatar_id = (await _register(cluster)).avatar.avatar_id
        (key,) = set().union(*(stage.cached for stage in cluster.stages["renderer"]))
        away = cluster.stages["renderer"][1]
        port = int(away.address.rpartition(":")[2])
        await away.server.stop(None)
        request = pb.DeleteAvatarRequest(avatar_id=avatar_id)
        with pytest.raises(grpc.aio.AioRpcError, match="may still be cached") as failure:
            await cluster.stub.DeleteAvatar(request)
        assert failure.value.code() is grpc.StatusCode.UNAVAILABLE
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await cluster.stub.GetAvatar(pb.GetAvatarRequest(avatar_id=avatar_id))
        assert failure.value.code() is grpc.StatusCode.NOT_FOUND
        back = await start_stage("renderer", 1, port=port)
        cluster.stages["renderer"][1] = back
        back.cached.add(key)
        await until(lambda: not back.cached, 5.0)


async def _register(cluster: Cluster, portrait: bytes = b"face") -> pb.RegisterAvatarResponse:
    return await cluster.stub.RegisterAvatar(pb.RegisterAvatarRequest(portrait=portrait))


async def test_register_get_delete(cluster: Cluster) -> None:
    registered = await _register(cluster)
    avatar = registered.avatar
    assert registered.prepare_ms == 7
    assert (avatar.pack, avatar.width, avatar.height) == ("starter", 100, 120)
    assert list(avatar.warnings) == ["the face is small"]
    got = await cluster.stub.GetAvatar(pb.GetAvatarRequest(avatar_id=avatar.avatar_id))
    assert got.avatar == avatar
    assert cluster.stages["renderer"][0].cached
    await cluster.stub.DeleteAvatar(pb.DeleteAvatarRequest(avatar_id=avatar.avatar_id))
    assert not cluster.stages["renderer"][0].cached
    for call, request in (
        (cluster.stub.GetAvatar, pb.GetAvatarRequest(avatar_id=avatar.avatar_id)),
        (cluster.stub.DeleteAvatar, pb.DeleteAvatarRequest(avatar_id=avatar.avatar_id)),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await call(request)
        assert failure.value.code() is grpc.StatusCode.NOT_FOUND


async def test_the_same_portrait_twice_is_one_avatar_and_not_prepared_again(
    cluster: Cluster,
) -> None:
    first, second = await _register(cluster), await _register(cluster)
    assert first.avatar == second.avatar
    assert second.prepare_ms == 0


async def test_a_call_by_id_prepares_nothing(cluster: Cluster) -> None:
    avatar_id = (await _register(cluster)).avatar.avatar_id
    renderer = cluster.stages["renderer"][0]
    prepared = len(renderer.prepared)
    answer = await animate(cluster, [config(avatar_id=avatar_id), *speech(tone(0.2))])
    assert answer.error is None
    assert len(answer.frames) == 5
    assert len(renderer.prepared) == prepared
    assert answer.started.config.avatar_id == avatar_id
    assert answer.stats.avatar_source == "local"


async def test_a_renderer_without_the_features_asks_for_the_portrait(cluster: Cluster) -> None:
    avatar_id = (await _register(cluster)).avatar.avatar_id
    cluster.stages["renderer"][0].cached.clear()
    answer = await animate(cluster, [config(avatar_id=avatar_id), *speech(tone(0.2))])
    assert answer.error is None
    assert answer.stats.avatar_source == "computed"


async def test_avatars_outlive_the_gateway(tmp_path: Path) -> None:
    async with running_cluster(tmp_path) as cluster:
        avatar_id = (await _register(cluster)).avatar.avatar_id
    async with running_cluster(tmp_path) as cluster:
        answer = await animate(cluster, [config(avatar_id=avatar_id), *speech(tone(0.1))])
        assert answer.error is None


async def test_bad_portraits_are_not_registered(cluster: Cluster) -> None:
    for portrait, code in (
        (b"", grpc.StatusCode.INVALID_ARGUMENT),
        (bytes(21 * 2**20), grpc.StatusCode.INVALID_ARGUMENT),
        (b"no face", grpc.StatusCode.FAILED_PRECONDITION),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await _register(cluster, portrait)
        assert failure.value.code() is code
    assert [path.name for path in cluster.config.avatar_store.iterdir()] == ["secret"]
