"""The motion network: shapes, block-causality, and training and serving paths that agree."""

from __future__ import annotations

import pytest
import torch

from ditto.models.motion_dit import MotionDiT, MotionDiTParams

PARAMS = MotionDiTParams(audio_dim=24, width=32, heads=2, layers=2, prefix_frames=10)
BLOCK, COORDINATES, FRAMES = PARAMS.block_frames, PARAMS.coordinates, 20


@pytest.fixture(scope="module")
def network() -> MotionDiT:
    torch.manual_seed(0)
    made = MotionDiT(PARAMS).eval()
    for weight in made.parameters():  # the output layer starts at zero: everything would agree
        torch.nn.init.normal_(weight, 0, 0.1)
    return made


def window(seed: int = 1) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator)

    return {
        "shown": draw(2, FRAMES, COORDINATES),
        "noisy": draw(2, FRAMES, COORDINATES),
        "steer": draw(2, FRAMES, COORDINATES),
        "audio": draw(2, FRAMES, PARAMS.audio_dim),
        "enhanced": draw(2, FRAMES, PARAMS.enhanced_dim),
        "t": draw(2, FRAMES // BLOCK).sigmoid(),
    }


@torch.no_grad()
def predict(network: MotionDiT, parts: dict[str, torch.Tensor]) -> torch.Tensor:
    tokens = network.condition(parts["audio"], parts["enhanced"])
    return network(parts["shown"], parts["noisy"], parts["steer"], (tokens, tokens), parts["t"])


def test_a_block_depends_on_no_later_frame(network: MotionDiT) -> None:
    before, changed = window(), window()
    for name in ("shown", "noisy", "steer", "audio", "enhanced"):
        changed[name][:, 10:] += 1
    first, second = predict(network, before), predict(network, changed)
    assert first.shape == (2, FRAMES, COORDINATES)
    torch.testing.assert_close(first[:, :10], second[:, :10])
    assert (first[:, 10:] - second[:, 10:]).abs().max() > 0.01


def test_a_block_sees_the_shown_frames_not_the_noisy_ones_before_it(network: MotionDiT) -> None:
    plain, noisier, moved = window(), window(), window()
    noisier["noisy"][:, :10] += 1
    moved["shown"][:, :10] += 1
    base = predict(network, plain)[:, 10:15]
    torch.testing.assert_close(base, predict(network, noisier)[:, 10:15])
    assert (base - predict(network, moved)[:, 10:15]).abs().max() > 0.01


@torch.no_grad()
def test_the_serving_step_is_the_training_pass(network: MotionDiT) -> None:
    parts, prefix = window(), PARAMS.prefix_frames
    trained = predict(network, parts)[:, prefix : prefix + BLOCK]
    tokens = network.condition(parts["audio"], parts["enhanced"])
    unheard = network.condition(parts["audio"], parts["enhanced"], torch.zeros(2, FRAMES).bool())
    block = slice(prefix, prefix + BLOCK)
    served = network.denoise(
        parts["shown"][:, :prefix],
        parts["noisy"][:, block],
        parts["steer"][:, : prefix + BLOCK],
        torch.cat([tokens[:, : prefix + BLOCK], unheard[:, block]], 1),
        parts["t"][:, prefix // BLOCK],
        torch.ones(2, COORDINATES),
    )
    torch.testing.assert_close(served, trained, atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_guidance_moves_away_from_the_unheard_branch(network: MotionDiT) -> None:
    parts, prefix = window(), PARAMS.prefix_frames
    tokens = network.condition(parts["audio"], parts["enhanced"])

    def served(weight: float) -> torch.Tensor:
        return network.denoise(
            parts["shown"][:, :prefix],
            parts["noisy"][:, :BLOCK],
            parts["steer"][:, : prefix + BLOCK],
            tokens[:, : prefix + 2 * BLOCK],
            parts["t"][:, 0],
            torch.full((2, COORDINATES), weight),
        )

    none, plain, strong = served(0.0), served(1.0), served(2.0)
    torch.testing.assert_close(strong - plain, plain - none, atol=1e-5, rtol=1e-4)
    assert (plain - none).abs().max() > 0.01
