"""The store of registered portraits: a folder that nothing evicts.

Each avatar is two files: its portrait as received, and a small JSON with what renderers have told
of it, by pack hash, so that a call can start without preparing again. Writes are atomic and survive
a crash; several gateways may share the folder.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ditto.errors import AvatarNotFoundError, CallLimitError, CorruptDataError

_ID = re.compile(r"[0-9a-f]{32}")
TENANT = "default"
"""Ids are per tenant; there is one."""


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

    def put(self, portrait: bytes, pack: str, pack_hash: str, known: Preparation) -> StoredAvatar:
        """Register a portrait; the same one again gives the same id."""
        avatar_id = self._id_of(known.content_key)
        if not self._json(avatar_id).exists():
            self._require_room()
        _write(self._portrait(avatar_id), portrait)
        digest = hashlib.sha256(portrait).hexdigest()
        avatar = StoredAvatar(avatar_id, pack, digest, {pack_hash: known})
        self._write_json(avatar)
        return avatar

    def get(self, avatar_id: str) -> StoredAvatar:
        """One avatar. Raises `AvatarNotFoundError`, or `CorruptDataError` for a damaged file."""
        try:
            text = self._json(avatar_id).read_text("utf-8")
        except FileNotFoundError:
            raise AvatarNotFoundError(f"no avatar {avatar_id} is registered") from None
        try:
            return _parse(avatar_id, json.loads(text))
        except (ValueError, KeyError, TypeError) as error:
            raise CorruptDataError(f"avatar {avatar_id}: {error}; register it again") from None

    def portrait(self, avatar: StoredAvatar) -> bytes:
        """The portrait as it was registered."""
        try:
            data = self._portrait(avatar.avatar_id).read_bytes()
        except FileNotFoundError:
            raise AvatarNotFoundError(f"no avatar {avatar.avatar_id} is registered") from None
        if hashlib.sha256(data).hexdigest() != avatar.portrait_sha256:
            raise CorruptDataError(f"avatar {avatar.avatar_id}: damaged; register it again")
        return data

    def add_preparation(self, avatar: StoredAvatar, pack_hash: str, known: Preparation) -> None:
        """Keep what another pack's renderer told, while the avatar exists."""
        if self._json(avatar.avatar_id).exists():
            preparations = {**avatar.preparations, pack_hash: known}
            self._write_json(replace(avatar, preparations=preparations))

    def count(self) -> int:
        """Avatars in the store."""
        return sum(1 for _ in self._folder.glob("*.json"))

    def delete(self, avatar_id: str) -> set[str]:
        """Forget an avatar; give the content keys that no other avatar refers to."""
        avatar = self.get(avatar_id)
        self._json(avatar_id).unlink(missing_ok=True)
        self._portrait(avatar_id).unlink(missing_ok=True)
        return {known.content_key for known in avatar.preparations.values()} - self._keys_in_use()

    def _id_of(self, content_key: str) -> str:
        message = f"{TENANT}\0{content_key}".encode()
        return hmac.new(self._secret, message, hashlib.sha256).hexdigest()[:32]

    def _keys_in_use(self) -> set[str]:
        keys = set()
        for path in self._folder.glob("*.json"):
            with suppress(AvatarNotFoundError, CorruptDataError):
                preparations = self.get(path.stem).preparations
                keys |= {known.content_key for known in preparations.values()}
        return keys

    def _require_room(self) -> None:
        if self.count() >= self._most:
            raise CallLimitError(f"the store is full: {self._most} avatars; delete some")

    def _json(self, avatar_id: str) -> Path:
        if not _ID.fullmatch(avatar_id):
            raise AvatarNotFoundError("no avatar has such an id: ids are 32 hexadecimal digits")
        return self._folder / f"{avatar_id}.json"

    def _portrait(self, avatar_id: str) -> Path:
        return self._folder / f"{avatar_id}.portrait"

    def _write_json(self, avatar: StoredAvatar) -> None:
        content = asdict(avatar)
        del content["avatar_id"]
        _write(self._json(avatar.avatar_id), json.dumps(content).encode())


def _parse(avatar_id: str, content: dict[str, Any]) -> StoredAvatar:
    known = {
        pack_hash: Preparation(**{k: _frozen(v) for k, v in fields.items()})
        for pack_hash, fields in content["preparations"].items()
    }
    return StoredAvatar(avatar_id, content["pack"], content["portrait_sha256"], known)


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
