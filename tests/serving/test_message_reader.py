"""Requests are counted before they are decoded: what would cost too much is refused unread."""

from __future__ import annotations

import time

import pytest

from ditto.errors import InvalidInputError
from ditto.serving.message_reader import MAX_PARTS, has_too_many_parts, reader_of
from ditto.v1 import animation_pb2 as pb
from ditto.v1 import types_pb2 as types

read = reader_of(pb.AnimateRequest.FromString)
ANIMATE = pb.AnimateRequest.DESCRIPTOR


def _keys(count: int) -> bytes:
    """A control of so many empty pose keys, three bytes each."""
    control = types.MotionControl.FromString(b"\x8a\x01\x00" * count)
    assert len(control.pose_track) == count
    return pb.AnimateRequest(control=control).SerializeToString()


def test_honest_messages_are_read_whatever_their_size() -> None:
    for request in (
        pb.AnimateRequest(audio=bytes(1 << 20)),
        pb.AnimateRequest(config=pb.AnimateConfig(portrait=bytes(20 << 20), pack="starter")),
        pb.AnimateRequest(motion=types.FrameBlock(dim=265, data=bytes(1 << 20))),
    ):
        assert read(request.SerializeToString()) == request


def test_a_message_of_many_parts_is_refused_for_little() -> None:
    data = _keys(200_000)
    begun = time.process_time()
    refused = read(data)
    spent = time.process_time() - begun
    begun = time.process_time()
    pb.AnimateRequest.FromString(data)
    assert isinstance(refused, InvalidInputError)
    assert str(MAX_PARTS) in str(refused)
    assert spent < time.process_time() - begun + 0.05


def test_parts_are_counted_exactly() -> None:
    data = _keys(100)  # the control, its hundred keys, nothing in them
    assert not has_too_many_parts(data, ANIMATE, most=101)
    assert has_too_many_parts(data, ANIMATE, most=100)


def test_unknown_fields_count_too() -> None:
    many = b"\xf8\x7f\x01" * 30_000  # number 2047, a number
    assert isinstance(read(many), InvalidInputError)


@pytest.mark.parametrize(
    "data", [b"\xff" * 70_000, b"\x0a\xff\xff\xff\xff\x0f" + bytes(70_000), _keys(40_000)[:-3]]
)
def test_bytes_that_are_no_message_are_refused(data: bytes) -> None:
    assert isinstance(read(data), InvalidInputError)


def test_a_reader_without_a_message_class_reads_as_before() -> None:
    assert reader_of(len)(bytes(100_000)) == 100_000
