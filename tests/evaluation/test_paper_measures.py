"""FID, FVD and Sync scores: right on made-up features, careful with files, silent about nothing."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from ditto.errors import CorruptDataError
from ditto.evaluation import frechet, paper_measures
from ditto.evaluation.mfcc import mfcc
from ditto.evaluation.sync_scores import scores_of
from ditto.evaluation.syncnet_model import SyncNet, load_syncnet

RNG = np.random.default_rng(0)


def test_frechet_distance_of_known_gaussians() -> None:
    features = RNG.normal(size=(4000, 3))
    assert frechet.frechet_distance(features, features) == pytest.approx(0, abs=1e-6)
    assert frechet.frechet_distance(features, features + np.array([3, 0, 4])) == pytest.approx(
        25, abs=1e-6
    )
    spread = frechet.frechet_distance(features, features * 3)  # 3 dimensions, (3 - 1)^2 each
    assert spread == pytest.approx(12, rel=0.1)


def test_sync_scores_find_the_shift_of_the_sound() -> None:
    seen = torch.from_numpy(RNG.normal(size=(60, 8)).astype(np.float32))
    heard = torch.roll(seen, 4, 0)
    found = scores_of(seen, heard)
    assert found.offset_frames == -4
    assert found.distance < 1
    assert found.confidence > 2


def test_syncnet_takes_its_published_shapes(tmp_path: Path) -> None:
    torch.save(SyncNet().state_dict(), tmp_path / "syncnet.model")
    network = load_syncnet(tmp_path / "syncnet.model")
    with torch.no_grad():
        assert network.hear(torch.zeros(2, 1, 13, 20)).shape == (2, 1024)
        assert network.see(torch.zeros(1, 3, 5, 224, 224)).shape == (1, 1024)


def test_a_pickle_is_never_executed(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (tmp_path / "touched",))  # type: ignore[return-value]

    (tmp_path / "trap.model").write_bytes(pickle.dumps(Trap()))
    torch.save({"netcnnaud.0.weight": Trap()}, tmp_path / "trap.pt")
    for name in ("trap.model", "trap.pt"):
        with pytest.raises(CorruptDataError):
            load_syncnet(tmp_path / name)
        with pytest.raises(CorruptDataError):
            frechet.load_torchscript(tmp_path / name)
    assert not (tmp_path / "touched").exists()


class _Features(torch.nn.Module):
    """Answers as the published feature networks do."""

    def forward(
        self,
        x: torch.Tensor,
        rescale: bool = True,
        resize: bool = True,
        return_features: bool = False,
    ) -> torch.Tensor:
        return x.float().flatten(2).mean(2)


def test_torchscript_networks_see_pictures_and_stretches_of_16(tmp_path: Path) -> None:
    torch.jit.script(_Features()).save(str(tmp_path / "net.pt"))  # type: ignore[no-untyped-call]
    network = frechet.load_torchscript(tmp_path / "net.pt")
    images = [np.full((512, 512, 3), value, np.uint8) for value in range(40)]
    assert frechet.picture_features(network, images)[:, 0].tolist() == list(range(40))
    stretches = frechet.video_features(network, images)
    assert len(stretches) == 2  # 40 frames hold two whole ones
    assert stretches[0, 0] == pytest.approx(7.5 / 127.5 - 1, abs=1e-3)


def test_what_is_missing_says_what_it_needs() -> None:
    found = paper_measures.measure([], {}, paper_measures.PaperFiles())
    assert set(found) == {"FID", "FVD", "Sync-C", "Sync-D"}
    assert all(str(value).startswith("not measured: needs") for value in found.values())


def test_mfcc_of_louder_and_higher_sound() -> None:
    time = np.arange(16_000) / 16_000
    low = 0.1 * np.sin(2 * np.pi * 200 * time).astype(np.float32)
    high = 0.1 * np.sin(2 * np.pi * 3000 * time).astype(np.float32)
    assert mfcc(low).shape == (99, 13)
    assert np.mean(mfcc(2 * low)[:, 0] - mfcc(low)[:, 0]) == pytest.approx(np.log(4), abs=0.01)
    assert mfcc(low)[:, 1].mean() > 0 > mfcc(high)[:, 1].mean()  # energy low against high
