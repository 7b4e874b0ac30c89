"""The published networks in full size against their golden outputs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

from ditto.models import recipe_inputs
from ditto.models.appearance_extractor import AppearanceExtractor
from ditto.models.decoder import Decoder
from ditto.models.export import GuidedDenoiser
from ditto.models.folding import fold
from ditto.models.generated_weights import load_generated
from ditto.models.lmdm import Lmdm
from ditto.models.lmdm_segment import SegmentSampler
from ditto.models.motion_extractor import MotionExtractor
from ditto.models.stitch_network import StitchNetwork
from ditto.models.warp_folded import FoldedWarpNetwork
from ditto.models.warp_network import WarpNetwork
from tests.golden.logic import arrays, folders
from tests.golden.networks import assert_close, assert_golden

TIMES = (999, 500, 19, 0)


@pytest.fixture(autouse=True)
def _no_gradients() -> Iterator[None]:
    with torch.no_grad():
        yield


@pytest.fixture(scope="module")
def lmdm() -> Lmdm:
    return load_generated(Lmdm())


def _keypoints(case: int) -> tuple[Tensor, Tensor]:
    source, driving = (recipe_inputs.source_keypoints, recipe_inputs.driving_keypoints)
    return torch.from_numpy(source(case)), torch.from_numpy(driving(case))


def _denoiser_input(case: int) -> tuple[Tensor, Tensor, Tensor]:
    x, cond_frame = recipe_inputs.denoiser_input(case)
    arrays = (x, cond_frame, recipe_inputs.condition(case))
    return tuple(torch.from_numpy(array) for array in arrays)  # type: ignore[return-value]


@pytest.mark.parametrize("folder", folders())
def test_stitch_network(folder: Path) -> None:
    network = load_generated(StitchNetwork())
    for case in (0, 1):
        assert_golden("stitch_network", case, "out", network(*_keypoints(case)), folder)


@pytest.mark.parametrize("folder", folders())
@pytest.mark.parametrize("folded", [False, True])
def test_appearance_extractor(folder: Path, folded: bool) -> None:
    network = load_generated(AppearanceExtractor())
    volume = (fold(network) if folded else network)(torch.from_numpy(recipe_inputs.image(1)))
    assert_golden("appearance_extractor", 1, "pred", volume, folder)


@pytest.mark.parametrize("folder", folders())
def test_motion_extractor(folder: Path) -> None:
    network = load_generated(MotionExtractor())
    for case in (0, 1):
        heads = network(torch.from_numpy(recipe_inputs.image(case)))
        for name, value in heads._asdict().items():
            assert_golden("motion_extractor", case, name, value, folder)


@pytest.mark.parametrize("folder", folders())
@pytest.mark.parametrize("case", range(4))
def test_lmdm_one_pass(lmdm: Lmdm, folder: Path, case: int) -> None:
    given, time = _denoiser_input(case), torch.tensor([TIMES[case]])
    assert_golden("lmdm", case, "cond", lmdm(*given, time), folder)
    assert_golden("lmdm", case, "uncond", lmdm(*given, time, conditional=False), folder)
    pred_noise, x_start = GuidedDenoiser(lmdm)(*given, time)
    assert_golden("lmdm", case, "x_start", x_start, folder)
    largest = float(pred_noise.abs().max())
    assert_golden("lmdm", case, "pred_noise", pred_noise, folder, atol=1e-5 * largest)


@pytest.mark.parametrize("folder", folders())
@pytest.mark.parametrize(
    ("steps", "atol"),
    [(5, 6e-5), (8, 3e-5), (10, 3e-5), pytest.param(50, 3e-5, marks=pytest.mark.slow)],
)
def test_segment_sampling(lmdm: Lmdm, folder: Path, steps: int, atol: float) -> None:
    _, cond_frame, cond = _denoiser_input(0)
    noise = torch.from_numpy(recipe_inputs.initial_noise())
    step_noises = torch.from_numpy(recipe_inputs.step_noises(steps - 1))
    motion = SegmentSampler(lmdm, steps)(noise, step_noises, cond_frame, cond)
    assert_close(arrays(folder, "lmdm_ddim"), f"S{steps}.x", motion, atol)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("folder", folders())
@pytest.mark.parametrize("case", [0, 1])
def test_warp_network(folder: Path, case: int) -> None:
    network = load_generated(WarpNetwork())
    feature = torch.from_numpy(recipe_inputs.feature_volume(case))
    kp_source, kp_driving = _keypoints(case)
    out, motion = network.warp_with_motion(feature, kp_source, kp_driving)
    assert_golden("warp_network", case, "out", out, folder)
    for name, value in motion._asdict().items():
        assert_golden("warp_network", case, name, value, folder)
    folded = fold(network)
    assert isinstance(folded, FoldedWarpNetwork)
    out = folded.warp(folded.prepare(feature, kp_source), kp_driving)
    assert_golden("warp_network", case, "out", out, folder)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("folder", folders())
@pytest.mark.parametrize("case", [0, 1])
def test_decoder(folder: Path, case: int) -> None:
    network = load_generated(Decoder())
    feature = torch.from_numpy(recipe_inputs.warped_feature(case))
    assert_golden("decoder", case, "output", network(feature), folder)
    assert_golden("decoder", case, "output", fold(network)(feature), folder)
