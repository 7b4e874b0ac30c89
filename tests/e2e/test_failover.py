"""`kill -9` of a stage replica in mid-call: the same frames as if nothing had happened."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from ditto.local_cluster import LocalCluster
from ditto.v1.types_pb2 import VIDEO_ENCODING_H264_FMP4
from tests.e2e import speech
from tests.e2e.failing import Watched, check_whole, least_psnr_db, pairs, strike, watched_call

FRAMES = 75
LEAST_PSNR_DB = 34.0
"""Of H.264 against JPEG, both at the default quality."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    with pairs() as running:
        yield running


@pytest.fixture(scope="module")
def calm(cluster: LocalCluster) -> Watched:
    return watched_call(cluster.address, speech.part(1, 4))


@pytest.mark.parametrize("stage", ["audio_encoder", "motion_dit"])
def test_a_killed_replica_loses_no_frame(cluster: LocalCluster, calm: Watched, stage: str) -> None:
    answer = watched_call(
        cluster.address, speech.part(1, 4), 20, lambda: strike(cluster, stage, signal.SIGKILL)
    )
    check_whole(answer, FRAMES)
    assert any(move.detail.startswith(f"{stage}: reset") for move in answer.moves)
    assert answer.hashes == calm.hashes  # motion and pictures, bit by bit


def test_a_file_whose_encoder_was_killed_plays(cluster: LocalCluster, calm: Watched) -> None:
    answer = watched_call(
        cluster.address,
        speech.part(1, 4),
        20,
        lambda: strike(cluster, "renderer", signal.SIGKILL),
        encoding=VIDEO_ENCODING_H264_FMP4,
    )
    check_whole(answer, FRAMES)
    assert any(move.detail.startswith("renderer: reset") for move in answer.moves)
    assert least_psnr_db(answer, calm) > LEAST_PSNR_DB
