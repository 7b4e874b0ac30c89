"""What the published networks cost, and what the inference forms save, in one run on the CPU.

    python -m bench.ditto_networks [--threads 2] [--rounds 5] [--only size lmdm batch render]
                                   [--cpu-time]

Plain is the loop of the released code: two passes a step, the condition encoder in both, weights
and source-side terms derived anew each time. Both sides take turns, so that a busy machine slows
them alike; medians are printed. `--cpu-time` counts processor time, for machines under load.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from ditto.diffusion.ddim import sample_ddim
from ditto.diffusion.schedule import ddim_schedule
from ditto.models import recipe_inputs
from ditto.models.checkpoint import LAYOUTS
from ditto.models.decoder import Decoder
from ditto.models.folding import fold
from ditto.models.generated_weights import load_generated
from ditto.models.lmdm import GUIDANCE_WEIGHT, Lmdm
from ditto.models.lmdm_segment import SegmentSampler
from ditto.models.packed_linear import PackedLinear
from ditto.models.warp_folded import FoldedWarpNetwork
from ditto.models.warp_network import WarpNetwork

STEPS = 10
BATCH = 8
SEGMENT_GOAL = "goal 3, a miss below 2.2"
RENDER_GOAL = "goal 1.1"


@dataclass(frozen=True)
class Stopwatch:
    """Medians of functions that take turns."""

    rounds: int
    clock: Callable[[], float]

    def medians_s(self, *functions: Callable[[], object]) -> list[float]:
        """Seconds of each function, after one warm-up of each."""
        for function in functions:
            function()
        times: list[list[float]] = [[] for _ in functions]
        for _ in range(self.rounds):
            for function, taken in zip(functions, times, strict=True):
                begin = self.clock()
                function()
                taken.append(self.clock() - begin)
        return [statistics.median(taken) for taken in times]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--threads", type=int, default=torch.get_num_threads())
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--only", nargs="+", default=["size", "lmdm", "batch", "render"])
    options.add_argument("--cpu-time", action="store_true")
    chosen = options.parse_args()
    torch.set_num_threads(chosen.threads)
    clock = time.process_time if chosen.cpu_time else time.perf_counter
    stopwatch = Stopwatch(chosen.rounds, clock)
    with torch.inference_mode():
        ceiling = measure_ceiling(stopwatch)
        kind = "CPU time" if chosen.cpu_time else "wall time"
        print(f"{chosen.threads} threads, {kind}; matrix products reach {ceiling:.0f} GFLOP/s")
        sections: dict[str, Callable[[Stopwatch, float], None]] = {
            "size": print_sizes,
            "lmdm": bench_segment,
            "batch": partial(bench_segment, batch=BATCH),
            "render": bench_render,
        }
        for name in chosen.only:
            sections[name](stopwatch, ceiling)


def measure_ceiling(stopwatch: Stopwatch) -> float:
    """GFLOP/s of the best matrix product: square, or of the motion network's shape, packed."""
    square = torch.randn(1024, 1024)
    linear = PackedLinear(torch.randn(1024, 512), torch.zeros(1024))
    rows = torch.randn(160, 512)
    times = stopwatch.medians_s(
        lambda: [square @ square for _ in range(5)], lambda: [linear(rows) for _ in range(50)]
    )
    work = (5 * 2 * 1024**3, 50 * 2 * 160 * 1024 * 512)
    return max(flop / taken / 1e9 for flop, taken in zip(work, times, strict=True))


def print_sizes(_: Stopwatch, __: float) -> None:
    """Parameters and work of one call of each network, plain and in its inference form."""
    print("network | parameters | GFLOP | GFLOP folded")
    for name in LAYOUTS:
        network = LAYOUTS[name].build().eval()
        given = _inputs(name)
        plain = count_gflop(partial(network, *given))
        less = count_gflop(partial(fold(network), *given))
        parameters = sum(p.numel() for p in network.parameters())
        print(f"{name} | {parameters:,} | {plain:.4g} | {less:.4g}")


def bench_segment(stopwatch: Stopwatch, ceiling: float, batch: int = 1) -> None:
    """A guided 10-step segment of each of ``batch`` sessions: the plain loop, which takes one
    session at a time, against the segment sampler, which takes them together."""
    lmdm = load_generated(Lmdm())
    x, cond_frame, cond, _ = _inputs("lmdm")
    noises = torch.from_numpy(recipe_inputs.step_noises(STEPS - 1))
    schedule, sampler = ddim_schedule(STEPS), SegmentSampler(lmdm, STEPS)

    def denoise(sample: Tensor, index: int) -> Tensor:
        at = torch.tensor([schedule[index].time])
        conditional = lmdm(sample, cond_frame, cond, at)
        lmdm.encode_condition(cond)  # the released loop encodes, and drops it, in this pass too
        unconditional = lmdm(sample, cond_frame, cond, at, conditional=False)
        return cast(Tensor, unconditional + GUIDANCE_WEIGHT * (conditional - unconditional))

    def plain() -> Tensor:
        return cast(Tensor, sample_ddim(denoise, x, list(noises), schedule))

    together = [torch.cat([value] * batch, dim=-3) for value in (x, noises, cond)]
    frames = torch.cat([cond_frame] * batch)

    def fast() -> Tensor:
        return cast(Tensor, sampler(together[0], together[1], frames, together[2]))

    name = f"LMDM segment, batch {batch}, per session"
    _report(name, SEGMENT_GOAL, plain, fast, stopwatch, ceiling, sessions=batch)


def bench_render(stopwatch: Stopwatch, ceiling: float) -> None:
    """Warp and decode of one frame: plain networks against inference forms with a kept source."""
    warp, decoder = load_generated(WarpNetwork()), load_generated(Decoder())
    feature, kp_source, kp_driving = _inputs("warp_network")
    folded_warp, folded_decoder = fold(warp), fold(decoder)
    assert isinstance(folded_warp, FoldedWarpNetwork)
    source = folded_warp.prepare(feature, kp_source)

    def plain() -> Tensor:
        return cast(Tensor, decoder(warp(feature, kp_source, kp_driving)))

    def fast() -> Tensor:
        return cast(Tensor, folded_decoder(folded_warp.warp(source, kp_driving)))

    _report("warp + decode", RENDER_GOAL, plain, fast, stopwatch, ceiling)


def count_gflop(function: Callable[[], object]) -> float:
    """Work of convolutions and matrix products, two a multiply-add."""

    def packed(x: Any, _: Any, bias: Any, *__: Any, **___: Any) -> int:
        return int(2 * x[0] * x[1] * bias[0])

    counter = FlopCounterMode(
        display=False, custom_mapping={torch.ops.mkldnn._linear_pointwise: packed}
    )
    with counter:
        function()
    return counter.get_total_flops() / 1e9


def _report(
    name: str,
    goal: str,
    plain: Callable[[], Tensor],
    fast: Callable[[], Tensor],
    stopwatch: Stopwatch,
    ceiling: float,
    sessions: int = 1,
) -> None:
    """``fast`` serves so many sessions, ``plain`` one; what is printed is a session's share."""
    error = float((plain() - fast()).abs().max())
    shares = (1, sessions)
    work = [count_gflop(run) / share for run, share in zip((plain, fast), shares, strict=True)]
    taken_s = stopwatch.medians_s(plain, fast)
    times = [taken / share for taken, share in zip(taken_s, shares, strict=True)]
    for label, gflop, taken in zip(("plain", "inference form"), work, times, strict=True):
        rate = gflop / taken
        print(
            f"{name}, {label}: {1000 * taken:.0f} ms, {gflop:.0f} GFLOP, "
            f"{rate:.0f} GFLOP/s = {rate / ceiling:.0%} of the ceiling"
        )
    print(f"{name}: {times[0] / times[1]:.2f} times faster ({goal}); differs by {error:.1e}")


def _inputs(name: str) -> tuple[Tensor, ...]:
    """The recipe's first case."""
    keypoints = (recipe_inputs.source_keypoints(0), recipe_inputs.driving_keypoints(0))
    match name:
        case "appearance_extractor" | "motion_extractor":
            arrays: tuple[Any, ...] = (recipe_inputs.image(0),)
        case "warp_network":
            arrays = (recipe_inputs.feature_volume(0), *keypoints)
        case "decoder":
            arrays = (recipe_inputs.warped_feature(0),)
        case "stitch_network":
            arrays = keypoints
        case _:
            arrays = (*recipe_inputs.denoiser_input(0), recipe_inputs.condition(0))
            return (*(torch.from_numpy(array) for array in arrays), torch.tensor([999]))
    return tuple(torch.from_numpy(array) for array in arrays)


if __name__ == "__main__":
    main()
