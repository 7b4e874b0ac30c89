"""`bench/reference.py` on a stand-in for the original: our own networks in small sizes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import cast

import pytest
import torch

from bench.reference import Checkout, compare, main, pairs
from ditto.errors import InvalidInputError
from ditto.models.decoder import Decoder
from ditto.models.lmdm import Lmdm
from ditto.models.warp_network import WarpNetwork
from tests.models.small_networks import build

STAND_IN = """
from torch import nn
from ditto.models.lmdm import Lmdm
from tests.models.small_networks import BUILDERS, SMALL_LMDM, SMALL_WARP
from ditto.models.warp_network import WarpNetwork
from ditto.models.decoder import Decoder, DecoderParams


class Unrelated(nn.Linear):
    pass


class Denoiser(Lmdm):
    def __init__(self, nfeats, latent_dim=512):
        assert nfeats == 265
        super().__init__(SMALL_LMDM)

    def guided_forward(self, x, cond_frame, cond, times, weight):
        without = self(x, cond_frame, cond, times, conditional=False)
        return without + weight * (self(x, cond_frame, cond, times) - without)


class Warping(WarpNetwork):
    def __init__(self):
        super().__init__(SMALL_WARP)

    def forward(self, feature_3d, kp_driving, kp_source):
        return {"out": super().forward(feature_3d, kp_source, kp_driving)}


class Painter(Decoder):
    def __init__(self):
        super().__init__(BUILDERS["decoder"]().params)
"""


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the layout of the original."""
    folder = tmp_path / "core" / "models" / "modules"
    folder.mkdir(parents=True)
    (folder / "networks.py").write_text(STAND_IN)
    (folder / "needs_more.py").write_text("import a_library_that_is_not_here\n")
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    for name in [name for name in sys.modules if name.split(".")[0] == "core"]:
        del sys.modules[name]


@torch.no_grad()
def test_both_sides_run_on_the_same_weights_and_agree(checkout: Path) -> None:
    lmdm, warp, decoder = (build(name) for name in ("lmdm", "warp_network", "decoder"))
    found = [
        compare(name, theirs, ours, rounds=1)
        for name, theirs, ours in pairs(
            Checkout(checkout), cast(Lmdm, lmdm), cast(WarpNetwork, warp), cast(Decoder, decoder)
        )
    ]
    assert [one.name.split()[0] for one in found] == ["LMDM", "warp", "decode"]
    for one in found:
        assert one.difference < 1e-3
        assert min(one.theirs_ms, one.ours_ms) > 0
        assert "original" in one.line()


def test_what_has_other_parameters_is_named(checkout: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"StitchNetwork.*a_library_that_is_not_here"):
        Checkout(checkout).twin(build("stitch_network"))


def test_another_folder_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 2
    assert "must be a checkout" in capsys.readouterr().err
