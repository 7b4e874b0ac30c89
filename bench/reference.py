"""The original implementation beside ours: same generated weights, same inputs, one run.

    python -m bench.reference PATH [--rounds 3] [--threads 2]

PATH is a checkout of the original implementation that you have; nothing of it comes with this
project, and its code is run. Its networks are found by their parameters: whatever class of
``core/models/modules`` has exactly the released state-dict keys. Both sides take turns, so that a
busy machine slows them alike; medians are printed, and how far the outputs are apart.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ditto.diffusion.ddim import sample_ddim
from ditto.diffusion.schedule import ddim_schedule
from ditto.errors import DittoError, InvalidInputError
from ditto.models.decoder import Decoder
from ditto.models.folding import fold
from ditto.models.generated_weights import load_generated
from ditto.models.lmdm import GUIDANCE_WEIGHT, Lmdm
from ditto.models.lmdm_segment import SegmentSampler
from ditto.models.warp_network import WarpNetwork

STEPS = 10
MODULES = Path("core") / "models" / "modules"
_ARGUMENTS: dict[str, Any] = {
    "nfeats": 265, "motion_feat_dim": 265, "seq_len": 80, "seq_frames": 80,
    "cond_feature_dim": 1103, "audio_feat_dim": 1103, "latent_dim": 512, "ff_size": 1024,
    "num_layers": 8, "num_heads": 8, "num_kp": 21, "block_expansion": 64, "max_features": 512,
    "num_down_blocks": 2, "reshape_channel": 32, "estimate_occlusion_map": True,
    "upscale": 2, "num_class": 256,
    "dense_motion_params": {
        "block_expansion": 32, "max_features": 1024, "num_blocks": 5, "reshape_depth": 16,
        "compress": 4,
    },
}  # fmt: skip
"""Sizes under the names that such code uses; those of
`_ALWAYS` replace defaults, the others fill gaps."""
_ALWAYS = frozenset({"cond_feature_dim", "audio_feat_dim"})

Run = Callable[[], Tensor]


@dataclass(frozen=True)
class Comparison:
    """One network on both sides."""

    name: str
    theirs_ms: float
    ours_ms: float
    difference: float
    """Largest, over the standard deviation of theirs."""

    def line(self) -> str:
        """For people."""
        ratio = self.theirs_ms / self.ours_ms
        return (
            f"{self.name:24} original {self.theirs_ms:9.1f} ms, ours {self.ours_ms:9.1f} ms, "
            f"x{ratio:.2f}, outputs differ by {self.difference:.1e}"
        )


@torch.inference_mode()
def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", type=Path, metavar="PATH", help="checkout of the original")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    try:
        checkout = Checkout(options.path)
        networks = (load_generated(made) for made in (Lmdm(), WarpNetwork(), Decoder()))
        for name, theirs, ours in pairs(checkout, *networks):  # type: ignore[arg-type]
            print(compare(name, theirs, ours, options.rounds).line(), flush=True)
    except DittoError as error:
        print(f"reference: {error}", file=sys.stderr)
        return 2
    return 0


class Checkout:
    """The networks of an original checkout."""

    def __init__(self, root: Path) -> None:
        """Raises `InvalidInputError` where there is no such code."""
        folder = root / MODULES
        if not folder.is_dir():
            problem = f"{root} has no {MODULES}; it must be a checkout of the original code"
            raise InvalidInputError("PATH", problem)
        sys.path.insert(0, str(root.resolve()))
        self._failures: list[str] = []
        self._classes = list(self._find_classes(root, folder))

    def twin(self, network: nn.Module) -> nn.Module:
        """Their network with exactly our keys and shapes, given our weights.

        Raises `InvalidInputError` when no class has them.
        """
        state = network.state_dict()
        shapes = {key: value.shape for key, value in state.items()}
        for kind in self._classes:
            made = self._make(kind)
            if made and {k: v.shape for k, v in made.state_dict().items()} == shapes:
                made.load_state_dict(state, strict=True)
                return made.eval().requires_grad_(False)
        why = "; ".join(self._failures[:5]) or "all could be made, none fits"
        name = type(network).__name__
        raise InvalidInputError(
            "PATH", f"no class of {MODULES} has the parameters of {name} ({why})"
        )

    def _find_classes(self, root: Path, folder: Path) -> Iterator[type[nn.Module]]:
        for file in sorted(folder.rglob("*.py")):
            name = ".".join(file.relative_to(root).with_suffix("").parts)
            try:
                module = importlib.import_module(name.removesuffix(".__init__"))
            except Exception as error:
                self._failures.append(f"{name}: {type(error).__name__}: {error}")
                continue
            for found in vars(module).values():
                is_class = inspect.isclass(found) and found.__module__ == module.__name__
                if is_class and issubclass(found, nn.Module):
                    yield found

    def _make(self, kind: type[nn.Module]) -> nn.Module | None:
        wanted = inspect.signature(kind).parameters.values()
        given = {
            p.name: _ARGUMENTS[p.name]
            for p in wanted
            if p.name in _ARGUMENTS and (p.default is p.empty or p.name in _ALWAYS)
        }
        try:
            return kind(**given)
        except Exception as error:
            self._failures.append(f"{kind.__name__}: {type(error).__name__}: {error}")
            return None


def pairs(
    checkout: Checkout, lmdm: Lmdm, warp: WarpNetwork, decoder: Decoder
) -> Iterator[tuple[str, Run, Run]]:
    """Each network's name, their run and ours."""
    yield f"LMDM segment, {STEPS} steps", *segment_runs(checkout, lmdm)
    p, noise = warp.params, torch.randn
    side = 2 * p.volume_channels
    volume = noise(1, p.volume_channels, p.volume_depth, side, side)
    source = 0.3 * noise(1, p.keypoints, 3)
    driving = source + 0.05 * noise(1, p.keypoints, 3)
    their_warp, our_warp = checkout.twin(warp), warp.folded()
    kept = our_warp.prepare(volume, source)

    def warped() -> Tensor:
        out = their_warp(feature_3d=volume, kp_source=source, kp_driving=driving)
        moved: Tensor = out["out"] if isinstance(out, dict) else out
        return moved

    yield "warp", warped, lambda: our_warp.warp(kept, driving)
    feature = warped()
    their_decoder, our_decoder = checkout.twin(decoder), fold(decoder)
    yield "decode", lambda: their_decoder(feature), lambda: our_decoder(feature)


def segment_runs(checkout: Checkout, lmdm: Lmdm) -> tuple[Run, Run]:
    """Sampling one segment: their guided network in a loop, and our sampler."""
    p, schedule = lmdm.params, ddim_schedule(STEPS)
    noise, noises = torch.randn(1, p.frames, p.motion_dim), torch.randn(
        STEPS - 1, 1, p.frames, p.motion_dim)  # fmt: skip
    frame, cond = 0.5 * torch.randn(1, p.motion_dim), torch.randn(1, p.frames, p.cond_dim)
    theirs = checkout.twin(lmdm)
    guided = getattr(theirs, "guided_forward", None)
    if guided is None:
        kind = type(theirs).__name__
        raise InvalidInputError("PATH", f"{kind} has no guided_forward(x, cond_frame, cond, time)")

    def denoise(x: Tensor, index: int) -> Tensor:
        time_now = torch.tensor([schedule[index].time])
        out: Tensor = guided(x, frame, cond, time_now, GUIDANCE_WEIGHT)
        return out

    sampler = SegmentSampler(lmdm, STEPS)
    return (
        lambda: sample_ddim(denoise, noise, list(noises), schedule),
        lambda: sampler(noise, noises, frame, cond),
    )


def compare(name: str, theirs: Run, ours: Run, rounds: int) -> Comparison:
    """Alternate both sides after one warm-up of each."""
    expected, got = theirs(), ours()
    difference = float((got - expected).abs().max() / expected.std())
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for run, taken in zip((theirs, ours), times, strict=True):
            begun = time.perf_counter()
            run()
            taken.append(1000 * (time.perf_counter() - begun))
    return Comparison(name, statistics.median(times[0]), statistics.median(times[1]), difference)


if __name__ == "__main__":
    sys.exit(main())
