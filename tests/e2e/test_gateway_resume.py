"""`kill -9` of a gateway in mid-call: the client goes on at the other, with the same frames."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import pytest

from ditto.cli import main
from ditto.local_cluster import LocalCluster
from tests.e2e import speech
from tests.e2e.gateway_losses import call, check_whole, revive, strike, two_gateways

FRAMES = 75
EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    with two_gateways() as running:
        yield running


def test_a_killed_gateway_loses_no_frame(cluster: LocalCluster) -> None:
    said = speech.part(1, 4)
    calm = call(cluster.address, said)
    taken = call(cluster.address, said, 20, lambda: strike(cluster, "gateway"))
    revive(cluster, "gateway")
    check_whole(calm, FRAMES)
    check_whole(taken, FRAMES)
    assert taken.hashes == calm.hashes
    (move,) = taken.moves
    assert move.frame_index > 20
    assert 0 < move.gap_ms < 30_000
    assert not calm.moves


def test_the_mp4_of_two_gateways_is_one_file(cluster: LocalCluster, tmp_path: Path) -> None:
    said = speech.part(1, 4)
    taken = call(cluster.address, said, 20, lambda: strike(cluster, "gateway"), video="mp4")
    check_whole(taken, FRAMES)
    assert taken.moves
    assert len(list(taken.pictures())) == FRAMES
    assert taken.file.count(b"moov") == 1
    # the command line knows several servers, of which the first is gone
    out, wav = tmp_path / "out.mp4", tmp_path / "second.wav"
    wav.write_bytes(speech.wav(16, 1.0))
    portrait = str(EXAMPLES / "astronaut.jpg")
    assert main(["animate", portrait, str(wav), "-o", str(out), "--server", cluster.address]) == 0
    with av.open(str(out)) as file:
        assert sum(1 for _ in file.decode(video=0)) == 25
