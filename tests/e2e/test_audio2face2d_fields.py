"""Every field of an Audio2Face-2D call does what it says, measured on the pictures of its MP4."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import pytest

from ditto.face.eye_state import eye_open
from ditto.local_cluster import LocalCluster
from tests.e2e.test_audio2face2d import angles, call, field, pictures, settings, wav_requests
from tests.face import example
from tests.packs.starter.renderer.test_gaze import EYES

pytestmark = pytest.mark.slow
SECONDS = 4.0
FACEBOX, RETAIN, PREDEFINED, USER_DEFINED = 1, 1, 2, 3


def frames(cluster: LocalCluster, **fields: bytes | int | float) -> list[np.ndarray]:
    config = settings(f3=FACEBOX, **fields)
    return pictures(call(cluster.address, [config, *wav_requests(SECONDS)]))


def closed(images: list[np.ndarray]) -> np.ndarray:
    """(T,) where the eyes are less than half as open as usual."""
    meshes = np.stack([example.mesh_of(image) for image in images])
    opening = eye_open(meshes).mean(axis=1)
    return opening < 0.6 * np.quantile(opening, 0.8)


def runs(flags: np.ndarray) -> list[int]:
    """Lengths of the runs of True."""
    edges = np.flatnonzero(np.diff(np.r_[0, flags.astype(int), 0]))
    return list(edges[1::2] - edges[::2])


def sideways(images: list[np.ndarray]) -> np.ndarray:
    """(T,) place of the irises between the corners of the eyes, in half-widths."""
    places = []
    for image in images:
        mesh = example.mesh_of(image)[:, :2]
        each = []
        for left, right, iris in EYES:
            half = (mesh[right] - mesh[left]) / 2
            offset = mesh[iris] - (mesh[left] + mesh[right]) / 2
            each.append(offset @ half / (half @ half))
        places.append(np.mean(each))
    return np.array(places)


def test_blinks_come_as_often_and_last_as_long_as_asked(cluster: LocalCluster) -> None:
    none = runs(closed(frames(cluster, f9=0)))
    many = runs(closed(frames(cluster, f9=60, f10=4)))
    long = runs(closed(frames(cluster, f9=30, f10=24)))
    assert not none
    assert 2 <= len(many) <= 5  # four in four seconds
    assert max(many) <= 6
    assert max(long) >= 12


def test_looking_away_is_to_the_side_and_only_where_enabled(cluster: LocalCluster) -> None:
    held = sideways(frames(cluster, f9=0, f5=0, f6=25, f7=1, f8=1))
    away = sideways(frames(cluster, f9=0, f5=1, f6=25, f7=1, f8=1))
    little = sideways(frames(cluster, f9=0, f5=1, f6=5, f7=1, f8=1))
    reach = [float(np.ptp(places)) for places in (held, away, little)]
    assert reach[1] > reach[0] + 0.12
    assert reach[0] - 0.03 < reach[2] < reach[1] - 0.06


def test_head_pose_modes_and_their_multiplier(cluster: LocalCluster) -> None:
    def spread(**fields: bytes | int | float) -> float:
        turns = np.array([angles(image) for image in frames(cluster, **fields)[::4]])
        return float(np.std(turns, axis=0)[1:].sum())  # a jaw that opens reads as pitch

    retained, generated = spread(f4=RETAIN), spread(f4=PREDEFINED)
    assert generated > 1.5 * retained
    assert spread(f4=PREDEFINED, f12=0.0) < 0.75 * generated

    half = np.radians(np.linspace(0, 12, 100)) / 2
    turns = b"".join(
        field(1, field(2, float(np.sin(h))) + field(4, float(np.cos(h)))) for h in half
    )
    full, part = (
        frames(cluster, f4=USER_DEFINED, f12=share, f13=turns)[-1] for share in (1.0, 0.5)
    )
    start = frames(cluster, f4=USER_DEFINED, f12=0.0, f13=turns)[-1]
    turned, less = angles(full)[1] - angles(start)[1], angles(part)[1] - angles(start)[1]
    assert turned > 6
    assert 0.3 < less / turned < 0.7


@pytest.mark.parametrize(
    ("axis", "angle"), [(1, 0), (2, 1), (3, 2)], ids=["x-pitch", "y-yaw", "z-roll"]
)
def test_the_axes_are_those_of_the_image(cluster: LocalCluster, axis: int, angle: int) -> None:
    half = np.radians(10) / 2

    def pose(*quaternion: bytes) -> np.ndarray:
        """The last picture's angles; rotations are of a head that faces the camera."""
        config = settings(f3=FACEBOX, f4=USER_DEFINED, f9=0, f13=field(1, b"".join(quaternion)))
        return angles(pictures(call(cluster.address, [config, *wav_requests(0.6)]))[-1])

    straight = pose(field(4, 1.0))
    change = pose(field(axis, float(np.sin(half))), field(4, float(np.cos(half)))) - straight
    assert change[angle] > 5  # down, to the image's left, clockwise
    assert np.abs(np.delete(change, angle)).max() < 3.5


def test_quality_is_another_and_slower_motion_than_performance(cluster: LocalCluster) -> None:
    fast, good = (frames(cluster, f2=model) for model in (1, 2))
    assert len(fast) == len(good)
    differs = [np.abs(a.astype(int) - b).mean() for a, b in zip(fast, good, strict=True)]
    assert max(differs) > 0.3


def test_the_server_says_that_it_is_alive_while_it_waits(cluster: LocalCluster) -> None:
    def hesitant() -> Iterator[bytes]:
        yield settings()
        time.sleep(2.6)
        yield from wav_requests(0.6)

    got = call(cluster.address, hesitant())
    kinds = [response.WhichOneof("stream_output") for response in got]
    assert kinds[0] == "config"
    pictures_from = next(at for at, each in enumerate(got) if len(each.video_file_data) > 2000)
    assert kinds[:pictures_from].count("keep_alive") >= 2
