"""What the blocking client asks besides calls, and the errors that it raises."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ditto.client import Call, Client, Frame
from ditto.errors import (
    AtCapacityError,
    AvatarNotFoundError,
    CallLimitError,
    FaceError,
    InvalidInputError,
    ProtocolError,
    StageUnavailableError,
)
from ditto.v1 import animation_pb2 as pb
from tests.gateway.cluster import tone


def test_an_avatar_from_registration_to_deletion(client: Client, files: tuple[Path, Path]) -> None:
    avatar = client.register(files[0])
    assert client.avatar(avatar.avatar_id) == avatar
    assert len([i for i in client.animate(avatar, files[1]) if isinstance(i, Frame)]) == 25
    client.delete(avatar)
    with pytest.raises(AvatarNotFoundError, match=avatar.avatar_id):
        client.avatar(avatar.avatar_id)


def test_info(client: Client) -> None:
    info = client.info()
    assert info.packs[0].name == "starter"
    assert info.limits.idle_seconds == 2


def test_errors_are_those_that_the_server_raised(client: Client) -> None:
    with pytest.raises(FaceError, match="no face was found"):
        client.animate(b"no face", tone(0.1))
    with pytest.raises(InvalidInputError, match="1 to 50") as refusal:
        client.animate(b"face", tone(0.1), sampling_steps=99)
    assert refusal.value.field == "sampling_steps"
    assert refusal.value.problem == "is 99; allowed: 1 to 50"
    with pytest.raises(ProtocolError, match="comes first, once"):
        list(_configured_twice(client))
    with pytest.raises(InvalidInputError, match="RIFF"):
        list(client.animate(b"face", b"RIFFnot so"))
    with pytest.raises(CallLimitError, match="idle_seconds"):
        list(client.animate(b"face"))


def _configured_twice(client: Client) -> Call:
    call = client.animate(b"face")
    call._outgoing.put(pb.AnimateRequest(config=pb.AnimateConfig()))
    return call


def test_a_full_server_says_when_to_come_back(client: Client) -> None:
    calls = [client.animate(b"face", pacing="realtime") for _ in range(4)]
    with pytest.raises(AtCapacityError) as refusal:
        client.animate(b"face", tone(0.1))
    assert refusal.value.retry_after_ms > 0
    for call in calls:
        call.cancel()


def test_no_server() -> None:
    with Client("127.0.0.1:1") as client, pytest.raises(StageUnavailableError):
        client.info()


@pytest.mark.parametrize(
    ("options", "field"),
    [({"video": "gif"}, "video"), ({"emotion": "bored"}, "emotion"), ({"view": "feet"}, "view")],
)
def test_names_that_are_not_known(client: Client, options: dict[str, str], field: str) -> None:
    with pytest.raises(InvalidInputError, match=f"{field}: .*allowed"):
        client.animate(b"face", tone(0.1), **options)  # type: ignore[arg-type]


def test_a_control_that_does_not_exist(client: Client) -> None:
    with client.animate(b"face") as call, pytest.raises(InvalidInputError, match="mouth_gain"):
        call.control(nose_gain=1.0)


def test_an_error_in_the_speech_source_is_the_one_that_is_raised(client: Client) -> None:
    def broken() -> Iterator[bytes]:
        yield tone(1.0)
        raise OSError("the microphone is gone")

    with pytest.raises(OSError, match="microphone"):
        list(client.animate(b"face", broken()))
