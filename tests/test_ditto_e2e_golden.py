"""The whole online path of the `ditto` pack, chained, against the golden run.

Image to features and source motion; 30 audio frames to conditions, diffusion, fusion, stitching,
warp and decoder. Weights are the recipe's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from ditto.diffusion.ddim import sample_ddim
from ditto.diffusion.schedule import ddim_schedule
from ditto.models.appearance_extractor import AppearanceExtractor
from ditto.models.decoder import Decoder
from ditto.models.generated_weights import load_generated
from ditto.models.lmdm import Lmdm
from ditto.models.motion_extractor import MotionExtractor
from ditto.models.recipe_inputs import drawn, image, step_noises
from ditto.models.stitch_network import StitchNetwork
from ditto.models.warp_network import WarpNetwork
from ditto.motion import condition, scheduler, stitch
from ditto.motion.condition import ConditionSource, emotion_vectors
from ditto.motion.fuse import FuseOptions
from ditto.motion.scheduler import SchedulerOptions, Window
from ditto.motion.stitch import StitchOptions, StitchSource
from tests.golden.logic import arrays, folders, largest_error
from tests.golden.logic_inputs import normal32, uniform32

pytestmark = pytest.mark.slow

Array = np.ndarray
MOTION, WARP, GREY_LEVELS = 1e-4, 2e-4, 0.2
STEPS = 10
AUDIO_FRAMES, CHUNK_FRAMES = 30, 5


@pytest.fixture(scope="module", autouse=True)
def _inference() -> Iterator[None]:
    with torch.inference_mode():
        yield


@pytest.fixture(scope="module", params=folders())
def golden(request: pytest.FixtureRequest) -> dict[str, Array]:
    folder: Path = request.param
    return arrays(folder, "e2e_online")


@pytest.fixture(scope="module")
def source() -> StitchSource:
    heads = load_generated(MotionExtractor())(torch.from_numpy(image(0)))
    columns = (heads.scale - 1, heads.pitch, heads.yaw, heads.roll, heads.t, heads.exp)
    motion = np.concatenate([column.numpy() for column in columns], axis=1)
    return StitchSource(motion, heads.kp.numpy())


@dataclass(frozen=True)
class OnlineRun:
    """What the chained run gave."""

    motion: Array
    anchor: Array
    references: Array
    conditions: Array
    predictions: Array


@pytest.fixture(scope="module")
def online(golden: dict[str, Array], source: StitchSource) -> OnlineRun:
    network = load_generated(Lmdm())
    noises = torch.from_numpy(step_noises(STEPS - 1))
    schedule = ddim_schedule(STEPS)
    told = ConditionSource(
        source.keypoints[0],
        uniform32("input:cond:eye_open:0", (1, 2)),
        normal32("input:cond:eye_ball:0", (1, 6), 0, 0.1),
        emotion_vectors(4),
    )
    options = SchedulerOptions(
        FuseOptions(70, online=True, smooth_frames=3),
        limits=(golden["v_min"], golden["v_max"]),
        keep_reference_count=True,
    )
    calls: list[tuple[Array, Array, Array]] = []

    def predict(window: Window) -> Array:
        rows = condition.assemble(window.features, window.first_frame, told)
        cond, reference = torch.from_numpy(rows)[None], torch.from_numpy(window.reference)[None]
        start = torch.from_numpy(drawn(f"input:e2e:x_T:{len(calls)}", (1, 80, 265)))

        def denoise(x: Tensor, index: int) -> Tensor:
            return network.guided(x, reference, cond, torch.tensor([schedule[index].time]))

        prediction = sample_ddim(denoise, start, noises, schedule)[0].numpy()
        calls.append((window.reference, rows, prediction))
        return prediction

    state = scheduler.init_state(drawn("input:e2e:silence", (70, 1024)), source.motion[0], options)
    audio = drawn("input:e2e:aud", (AUDIO_FRAMES, 1024))
    emitted: list[Array | None] = []
    for first in range(0, AUDIO_FRAMES, CHUNK_FRAMES):
        chunk = audio[first : first + CHUNK_FRAMES]
        state, frames = scheduler.step(state, chunk, predict, options)
        emitted.append(frames)
    emitted.append(scheduler.flush(state, predict, options)[1])
    assert state.anchor is not None
    motion = np.concatenate([frames for frames in emitted if frames is not None])
    return OnlineRun(motion, state.anchor, *(np.stack(part) for part in zip(*calls, strict=True)))


@pytest.fixture(scope="module")
def keypoints(online: OnlineRun, source: StitchSource) -> tuple[Array, Array]:
    network = load_generated(StitchNetwork())

    def run(x_s: Array, x_d: Array) -> Array:
        return network(torch.from_numpy(x_s), torch.from_numpy(x_d)).numpy()

    return stitch.stitch(source, online.motion, 0, online.anchor, StitchOptions(), network=run)


def test_conditions_and_predictions(golden: dict[str, Array], online: OnlineRun) -> None:
    shown = online.conditions[:, ::8, 1020:1060]
    assert largest_error(shown, golden["aud_cond_1020_1060"]) <= 3e-6
    for call, prediction in enumerate(online.predictions):
        strided = prediction.reshape(-1)[::53]
        assert largest_error(strided, golden[f"pred{call}.sub53"]) <= MOTION


def test_motion(golden: dict[str, Array], online: OnlineRun) -> None:
    assert len(online.motion) == golden["n_emitted"] == 40
    assert largest_error(online.motion, golden["motion"]) <= MOTION
    assert largest_error(online.anchor, golden["d0"]) <= MOTION
    assert largest_error(online.references, golden["kp_cond"]) <= MOTION


def test_keypoints(golden: dict[str, Array], keypoints: tuple[Array, Array]) -> None:
    x_s, x_d = keypoints
    assert largest_error(x_s[0], golden["x_s"]) <= MOTION
    assert largest_error(x_d, golden["x_d"]) <= MOTION


def test_rendered_frames(golden: dict[str, Array], keypoints: tuple[Array, Array]) -> None:
    appearance = load_generated(AppearanceExtractor())(torch.from_numpy(image(0)))
    warp, decoder = load_generated(WarpNetwork()), load_generated(Decoder())
    x_s, x_d = (torch.from_numpy(points) for points in keypoints)
    frames = [int(name[5:].split(".")[0]) for name in golden if name.endswith("rgb_mean_std")]
    assert frames
    for frame in frames:
        warped = warp(appearance, x_s[frame, None], x_d[frame, None])
        strided = warped.numpy().reshape(-1)[::101]
        assert largest_error(strided, golden[f"frame{frame}.warp_sub101"]) <= WARP
        rgb = decoder(warped)[0].permute(1, 2, 0).clamp(0, 1).numpy() * 255  # (512, 512, 3)
        strided = rgb.reshape(-1)[::47]
        assert largest_error(strided, golden[f"frame{frame}.rgb_sub47"]) <= GREY_LEVELS
        summary = np.array([rgb.mean(), rgb.std()])
        assert largest_error(summary, golden[f"frame{frame}.rgb_mean_std"]) <= GREY_LEVELS
