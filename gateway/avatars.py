"""The store of registered portraits: a folder that nothing evicts.

Each avatar is two files: its portrait as received, and a small JSON with what renderers have told
of it, by pack hash, so that a call can start without preparing again. Each tenant has a folder of
its own. Writes are atomic and survive a crash; several gateways may share the folder.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from ditto.errors import AvatarNotFoundError, CallLimitError, CorruptDataError
from gateway.access.tenants import DEFAULT_NAME
from gateway.purges import PurgeNotes

_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Preparation:
    """What a renderer of one pack told of a portrait."""

    content_key: str
    canonical_keypoints: tuple[float, ...]
    reference_motion: tuple[float, ...]
    eye_state: tuple[float, ...]
    width: int
    height: int
    warnings: tuple[str, ...]
    source_frames: int = 1
    """More than one for a video."""


@dataclass(frozen=True)
class StoredAvatar:
    """One registered portrait."""

    tenant: str
    avatar_id: str
    pack: str
    """Pack that it was registered for."""
    portrait_sha256: str
    preparations: dict[str, Preparation]
    """By hash of the pack."""


class AvatarStore:
    """Puts, gets and deletes avatars. Every method blocks for a moment: call it in a thread."""

    def __init__(self, folder: Path, secret: str | None, most: int) -> None:
        """`secret` keys the ids; None makes one and keeps it in the folder."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._most = most
        self._secret = secret.encode() if secret else _kept_secret(folder / "secret")
        self._purges = PurgeNotes(folder / "purges")

    @property
    def secret(self) -> bytes:
        """What all gateways on this store know, and no caller."""
        return self._secret

    def put(
        self,
        tenant: str,
        portrait: bytes,
        pack: str,
        pack_hash: str,
        known: Preparation,
        most: int | None = None,
    ) -> StoredAvatar:
        """Register a portrait; the same one again gives the same id.

        Raises `CallLimitError` where the store is full, or the tenant has `most` avatars already.
        """
        avatar_id = self._id_of(tenant, known.content_key)
        if not self._json(tenant, avatar_id).exists():
            self._require_room(tenant, most)
        self._tenant_folder(tenant).mkdir(parents=True, exist_ok=True)
        _write(self._portrait(tenant, avatar_id), portrait)
        digest = hashlib.sha256(portrait).hexdigest()
        avatar = StoredAvatar(tenant, avatar_id, pack, digest, {pack_hash: known})
        self._write_json(avatar)
        return avatar

    def get(self, tenant: str, avatar_id: str) -> StoredAvatar:
        """One avatar. Raises `AvatarNotFoundError`, or `CorruptDataError` for a damaged file."""
        try:
            text = self._json(tenant, avatar_id).read_text("utf-8")
        except FileNotFoundError:
            raise AvatarNotFoundError(f"no avatar {avatar_id} is registered") from None
        try:
            return _parse(tenant, avatar_id, json.loads(text))
        except (ValueError, KeyError, TypeError) as error:
            raise CorruptDataError(f"avatar {avatar_id}: {error}; register it again") from None

    def portrait(self, avatar: StoredAvatar) -> bytes:
        """The portrait as it was registered."""
        try:
            data = self._portrait(avatar.tenant, avatar.avatar_id).read_bytes()
        except FileNotFoundError:
            raise AvatarNotFoundError(f"no avatar {avatar.avatar_id} is registered") from None
        if hashlib.sha256(data).hexdigest() != avatar.portrait_sha256:
            raise CorruptDataError(f"avatar {avatar.avatar_id}: damaged; register it again")
        return data

    def add_preparation(self, avatar: StoredAvatar, pack_hash: str, known: Preparation) -> None:
        """Keep what another pack's renderer told, while the avatar exists."""
        if self._json(avatar.tenant, avatar.avatar_id).exists():
            preparations = {**avatar.preparations, pack_hash: known}
            self._write_json(replace(avatar, preparations=preparations))

    def count(self) -> int:
        """Avatars in the store."""
        return sum(1 for _ in self._every_json())

    def delete(self, tenant: str, avatar_id: str) -> set[str]:
        """Forget an avatar; give the content keys that no other avatar refers to.

        They stay in `to_purge` until `purged` is told, whatever happens to this process.
        """
        avatar = self.get(tenant, avatar_id)
        keys = {known.content_key for known in avatar.preparations.values()}
        self._purges.add(keys)
        self._json(tenant, avatar_id).unlink(missing_ok=True)
        self._portrait(tenant, avatar_id).unlink(missing_ok=True)
        return keys & self.to_purge()

    def to_purge(self) -> set[str]:
        """Content keys of deleted avatars whose features may still lie somewhere."""
        if not (noted := self._purges.keys()):
            return set()
        in_use = self._keys_in_use()
        self._purges.remove(noted & in_use)
        return noted - in_use

    def purged(self, content_key: str) -> None:
        """The features of a deleted avatar are gone from every tier."""
        self._purges.remove({content_key})

    def _id_of(self, tenant: str, content_key: str) -> str:
        message = f"{tenant}\0{content_key}".encode()
        return hmac.new(self._secret, message, hashlib.sha256).hexdigest()[:32]

    def _keys_in_use(self) -> set[str]:
        keys = set()
        for path in self._every_json():
            with suppress(FileNotFoundError, ValueError, KeyError, TypeError):
                found = _parse("", path.stem, json.loads(path.read_text("utf-8")))
                keys |= {known.content_key for known in found.preparations.values()}
        return keys

    def _every_json(self) -> Iterator[Path]:
        return chain(self._folder.glob("*.json"), self._folder.glob("tenants/*/*.json"))

    def _require_room(self, tenant: str, most: int | None) -> None:
        if self.count() >= self._most:
            raise CallLimitError(f"the store is full: {self._most} avatars; delete some")
        own = sum(1 for _ in self._tenant_folder(tenant).glob("*.json"))
        if most is not None and own >= most:
            raise CallLimitError(f"avatars: you may keep {most}; delete some")

    def _tenant_folder(self, tenant: str) -> Path:
        return self._folder if tenant == DEFAULT_NAME else self._folder / "tenants" / tenant

    def _json(self, tenant: str, avatar_id: str) -> Path:
        if not _ID.fullmatch(avatar_id):
            raise AvatarNotFoundError("no avatar has such an id: ids are 32 hexadecimal digits")
        return self._tenant_folder(tenant) / f"{avatar_id}.json"

    def _portrait(self, tenant: str, avatar_id: str) -> Path:
        return self._tenant_folder(tenant) / f"{avatar_id}.portrait"

    def _write_json(self, avatar: StoredAvatar) -> None:
        content = asdict(avatar)
        del content["avatar_id"], content["tenant"]
        _write(self._json(avatar.tenant, avatar.avatar_id), json.dumps(content).encode())


def _parse(tenant: str, avatar_id: str, content: dict[str, Any]) -> StoredAvatar:
    known = {
        pack_hash: Preparation(**{k: _frozen(v) for k, v in fields.items()})
        for pack_hash, fields in content["preparations"].items()
    }
    return StoredAvatar(tenant, avatar_id, content["pack"], content["portrait_sha256"], known)


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _write(path: Path, data: bytes) -> None:
    """All of the file or none of it, on the disk when this returns."""
    partial = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    with partial.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def _kept_secret(path: Path) -> bytes:
    """The secret in the file; the first gateway of several makes it."""
    if not path.exists():
        made = path.with_name(f"secret.{secrets.token_hex(4)}.part")
        made.touch(mode=0o600)
        made.write_text(secrets.token_hex(32))
        with suppress(FileExistsError):
            os.link(made, path)
        made.unlink()
    return path.read_bytes()
