"""Speed of the `ditto` pack's networks on one device, with generated weights of released shapes.

    python bench/gpu.py [--device cuda] [--dtype float16] [-o gpu.json]      under 8 minutes
    python bench/gpu.py --toy --device cpu                                    seconds, tiny networks

For each batch: a naive eager loop in float32 as the reference, the inference forms in low precision
with channels last, the same as CUDA graphs (a whole sampling loop is one graph) and, for LMDM,
compiled. Every form is checked against the reference before it is timed. FLOPs (products only) and
bytes (every operand once) are set against what this device reaches in a large product and a large
copy. Then sessions in real time: how many until a frame is late. Needs torch, numpy, this package.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from bench.gpu_sessions import SessionLoad, carry_sessions
from ditto.diffusion.ddim import sample_ddim
from ditto.diffusion.schedule import ddim_schedule
from ditto.models.decoder import Decoder, DecoderParams
from ditto.models.folding import fold
from ditto.models.generated_weights import load_generated
from ditto.models.lmdm import GUIDANCE_WEIGHT, Lmdm, LmdmParams
from ditto.models.lmdm_segment import SegmentSampler
from ditto.models.warp_folded import WarpSource
from ditto.models.warp_network import WarpNetwork, WarpNetworkParams

Run = Callable[[], Tensor]
STEPS = 10
TOY_LMDM = LmdmParams(
    motion_dim=10, frames=12, cond_dim=9, width=16, heads=2, hidden=32, layers=2, cond_layers=1
)
TOY_WARP = WarpNetworkParams(
    keypoints=3, volume_channels=4, volume_depth=4, base_channels=4, levels=2, out_channels=8
)
TOY_DECODER = DecoderParams(in_channels=8, width=16, up_widths=(12, 8), hidden=8, middle_blocks=2)


@dataclass(frozen=True)
class Sizes:
    """What is built and how much of it is run."""

    lmdm: LmdmParams = field(default_factory=LmdmParams)
    warp: WarpNetworkParams = field(default_factory=WarpNetworkParams)
    decoder: DecoderParams = field(default_factory=DecoderParams)
    side: int = 64
    """Height and width of the feature volume."""
    lmdm_batches: tuple[int, ...] = (1, 4, 16, 64)
    frame_batches: tuple[int, ...] = (1, 2, 4, 8, 16)
    product_side: int = 8192
    copy_bytes: int = 1 << 30
    runs: int = 20
    session_loads: tuple[int, ...] = (1, 4, 8, 10, 12, 16, 20, 24, 32)
    session_seconds: float = 6.0


TOY = Sizes(TOY_LMDM, TOY_WARP, TOY_DECODER, 8, (1, 2), (1, 2), 128, 1 << 16, 2, (1, 2), 0.6)


@dataclass(frozen=True)
class Target:
    """Where and how networks run."""

    device: torch.device
    dtype: torch.dtype

    @property
    def is_cuda(self) -> bool:
        return self.device.type == "cuda"

    @property
    def frame_dtype(self) -> torch.dtype:
        """Of warp and decoder: a CPU pools volumes in float32 alone."""
        return self.dtype if self.is_cuda else torch.float32

    def wait(self) -> None:
        """Until everything that was started has ended."""
        if self.is_cuda:
            torch.cuda.synchronize(self.device)

    def noise(self, *shape: int, seed: int = 0) -> Tensor:
        """Standard normal float32, the same on every device."""
        made = torch.randn(*shape, generator=torch.Generator().manual_seed(seed))
        return made.to(self.device)


@dataclass(frozen=True)
class Row:
    """One network at one batch in one form."""

    network: str
    batch: int
    form: str
    ms: float
    ms_each: float
    speedup: float
    """Over the naive form, for each sample."""
    error: float
    """Largest difference from the naive form over that form's own standard deviation."""
    gflop: float
    gigabytes: float
    of_ceiling: float
    """Time that the slower of products and copies would take at the device's ceilings, over ms."""


@dataclass(frozen=True)
class Ceilings:
    """What the device reaches, measured."""

    tflops: float
    gb_per_s: float

    def least_ms(self, flop: float, size: float) -> float:
        """Shortest time for so much work."""
        return max(flop / self.tflops / 1e9, size / self.gb_per_s / 1e6)


class TrafficCounter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Adds up the bytes that eager operations read and write; views cost nothing."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.size = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        if not func.is_view:
            flat = torch.utils._pytree.tree_leaves((args, kwargs, out))
            self.size += sum(t.numel() * t.element_size() for t in flat if isinstance(t, Tensor))
        return out


@torch.no_grad()
def main(arguments: list[str] | None = None) -> int:
    options = parse(arguments)
    target = Target(torch.device(options.device), getattr(torch, options.dtype))
    sizes, begun = TOY if options.toy else Sizes(), time.monotonic()
    name = torch.cuda.get_device_name() if target.is_cuda else "CPU"
    print(f"{name}, torch {torch.__version__}, {options.dtype}", flush=True)
    ceilings = measure_ceilings(target, sizes)
    print(f"ceilings: {ceilings.tflops:.1f} TFLOP/s, {ceilings.gb_per_s:.0f} GB/s", flush=True)
    rows: list[Row] = []
    lmdm = load_generated(Lmdm(sizes.lmdm)).to(target.device).requires_grad_(False)
    for batch in sizes.lmdm_batches:
        if time.monotonic() - begun < 0.45 * options.limit:
            rows += measure(f"LMDM, {STEPS} steps", batch, lmdm_forms(lmdm, batch, target, options),
                            target, sizes, ceilings)  # fmt: skip
    networks = FrameNetworks(sizes, target)
    for batch in sizes.frame_batches:
        if time.monotonic() - begun < 0.7 * options.limit:
            forms = networks.forms(batch)
            rows += measure("warp + decode", batch, forms, target, sizes, ceilings)
    sampler = segment_sampler(lmdm, target)
    loads = carry(sampler, networks, sizes, target, begun + options.limit)
    if options.output:
        content = {
            "device": name, "torch": torch.__version__, "dtype": options.dtype,
            "ceilings": asdict(ceilings), "rows": [asdict(row) for row in rows],
            "sessions": [asdict(load) for load in loads],
        }  # fmt: skip
        options.output.write_text(json.dumps(content, indent=1) + "\n")
    print(f"{time.monotonic() - begun:.0f} s in all")
    return 0


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--dtype", default="float16", choices=("float16", "bfloat16", "float32"))
    parser.add_argument("--toy", action="store_true", help="tiny networks, to try the script")
    parser.add_argument("--no-compile", action="store_true", help="leave torch.compile out")
    parser.add_argument("--limit", type=float, default=450.0, help="seconds (default: 450)")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE.json")
    options = parser.parse_args(arguments)
    if options.device.startswith("cuda") and not torch.cuda.is_available():
        parser.error("no CUDA device can be used here; --toy --device cpu tries the script")
    return options


def measure_ceilings(target: Target, sizes: Sizes) -> Ceilings:
    """A large product and a large copy."""
    side = sizes.product_side
    a, b = (target.noise(side, side).to(target.dtype) for _ in range(2))
    product_ms = median_ms(lambda: a @ b, target, sizes.runs)
    source = torch.zeros(sizes.copy_bytes, dtype=torch.uint8, device=target.device)
    copy_ms = median_ms(source.clone, target, sizes.runs)
    return Ceilings(2 * side**3 / product_ms / 1e9, 2 * sizes.copy_bytes / copy_ms / 1e6)


def median_ms(run: Run, target: Target, runs: int) -> float:
    """Median wall time after three runs that do not count."""
    for _ in range(3):
        run()
    times = []
    for _ in range(runs):
        target.wait()
        begun = time.perf_counter()
        run()
        target.wait()
        times.append(1000 * (time.perf_counter() - begun))
    return float(torch.tensor(times).median())


def measure(
    network: str,
    batch: int,
    forms: dict[str, Run],
    target: Target,
    sizes: Sizes,
    ceilings: Ceilings,
) -> list[Row]:
    """Check and time each form; the first is the reference. A form that fails is reported."""
    rows: list[Row] = []
    expected = torch.empty(0)
    flop, size = 0.0, 0.0
    for form, run in forms.items():
        try:
            got = run().float().clone()
            if form in ("naive eager", "low precision"):
                flop, size = work_of(run)
                expected = got if form == "naive eager" else expected
            error = float((got - expected).abs().max() / expected.std())
            runs = sizes.runs if rows else max(2, sizes.runs // 4)
            ms = median_ms(run, target, runs)
        except Exception as failure:
            print(f"{network}, batch {batch}, {form}: {str(failure).splitlines()[0]}", flush=True)
            if not rows:
                break
            continue
        each = ms / batch
        speedup = rows[0].ms_each / each if rows else 1.0
        share = ceilings.least_ms(flop, size) / ms
        row = Row(network, batch, form, ms, each, speedup, error, flop / 1e9, size / 1e9, share)
        print(
            f"{network}, batch {batch:3}, {form:14} {ms:9.3f} ms, {each:8.3f} each, "
            f"x{speedup:.2f}, error {error:.1e}, {row.gflop:.0f} GFLOP, {row.gigabytes:.2f} GB, "
            f"{100 * share:.0f} % of ceiling",
            flush=True,
        )
        rows.append(row)
    return rows


def work_of(run: Run) -> tuple[float, float]:
    """FLOPs of products and bytes of all operands of one run."""
    with FlopCounterMode(display=False) as counter:
        run()
    with TrafficCounter() as traffic:
        run()
    return float(counter.get_total_flops()), float(traffic.size)


def graphed(run: Run, target: Target) -> Run:
    """The run as one CUDA graph over the tensors that it reads; elsewhere the run itself."""
    if not target.is_cuda:
        return run
    side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            run()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        out = run()

    def replay() -> Tensor:
        graph.replay()
        return out

    return replay


def lazily(make: Callable[[], Run]) -> Run:
    """A form that is built when it first runs, so that its failure is its own."""
    built: list[Run] = []

    def run() -> Tensor:
        if not built:
            built.append(make())
        return built[0]()

    return run


def lmdm_forms(
    lmdm: Lmdm, batch: int, target: Target, options: argparse.Namespace
) -> dict[str, Run]:
    """Forms of sampling a segment for `batch` sessions."""
    p, steps = lmdm.params, ddim_schedule(STEPS)
    noise = target.noise(batch, p.frames, p.motion_dim)
    noises = target.noise(STEPS - 1, batch, p.frames, p.motion_dim, seed=1)
    frame = 0.5 * target.noise(batch, p.motion_dim, seed=2)
    cond = target.noise(batch, p.frames, p.cond_dim, seed=3)
    times = [torch.full((batch,), step.time, device=target.device) for step in steps]

    def guided(x: Tensor, index: int) -> Tensor:
        without: Tensor = lmdm(x, frame, cond, times[index], conditional=False)
        with_speech: Tensor = lmdm(x, frame, cond, times[index])
        return without + GUIDANCE_WEIGHT * (with_speech - without)

    def naive() -> Tensor:
        motion: Tensor = sample_ddim(guided, noise, list(noises), steps)
        return motion

    sampler = segment_sampler(lmdm, target)

    def sampled() -> Tensor:
        return sample_segments(sampler, noise, noises, frame, cond, target.dtype)

    def compiled() -> Run:
        quick = segment_sampler(lmdm, target)
        for layer in quick.layers:
            layer.compile(dynamic=False)
        return graphed(
            lambda: sample_segments(quick, noise, noises, frame, cond, target.dtype), target
        )

    forms = {
        "naive eager": naive,
        "low precision": sampled,
        "graph": lazily(lambda: graphed(sampled, target)),
    }
    return forms if options.no_compile else {**forms, "compiled graph": lazily(compiled)}


def segment_sampler(lmdm: Lmdm, target: Target) -> SegmentSampler:
    """A sampler of its own weights, in the target's type."""
    return SegmentSampler(copy.deepcopy(lmdm), STEPS).to(target.device, target.dtype)


def sample_segments(
    sampler: SegmentSampler, noise: Tensor, noises: Tensor, frame: Tensor, cond: Tensor,
    dtype: torch.dtype,
) -> Tensor:  # fmt: skip
    """`SegmentSampler.forward` with the network in `dtype` and the sampled motion in float32."""
    conditions = sampler.prepare(frame.to(dtype), cond.to(dtype))
    motion = sample_ddim(
        lambda x, index: sampler.denoise(x.to(dtype), index, conditions).float(),
        noise.transpose(0, 1),
        noises.transpose(1, 2).unbind(0),
        sampler.schedule,
    )
    return motion.transpose(0, 1).contiguous()


class FrameNetworks:
    """Warp and decoder, as published and in their inference forms, and portraits for them."""

    def __init__(self, sizes: Sizes, target: Target) -> None:
        self._sizes, self._target, self._dtype = sizes, target, target.frame_dtype
        self._warp = load_generated(WarpNetwork(sizes.warp)).to(target.device)
        self._decoder = load_generated(Decoder(sizes.decoder)).to(target.device)
        self.warp = low_precision(fold(copy.deepcopy(self._warp)), target)
        self.decoder = low_precision(fold(copy.deepcopy(self._decoder)), target)

    def portraits(self, count: int) -> tuple[Tensor, Tensor]:
        """Appearance volumes (N, C, D, H, W) and source keypoints (N, K, 3)."""
        p, side = self._sizes.warp, self._sizes.side
        volume = self._target.noise(count, p.volume_channels, p.volume_depth, side, side)
        return volume, 0.3 * self._target.noise(count, p.keypoints, 3, seed=1)

    def sources(self, count: int) -> WarpSource:
        """What the warp keeps of so many portraits."""
        volume, keypoints = (tensor.to(self._dtype) for tensor in self.portraits(count))
        source: WarpSource = self.warp.prepare(volume, keypoints)
        return source

    def frame(self, source: WarpSource, driving: Tensor) -> Tensor:
        """Pixels (B, 3, 8 H, 8 W) of B sources and keypoints (B, K, 3)."""
        return cast(Tensor, self.decoder(self.warp.warp(source, driving.to(self._dtype))))

    def forms(self, batch: int) -> dict[str, Run]:
        """Forms of a frame of `batch` sessions, each with a portrait of its own."""
        volume, keypoints = self.portraits(batch)
        driving = keypoints + 0.05 * self._target.noise(*keypoints.shape, seed=2)
        source = self.sources(batch)

        def frame() -> Tensor:
            return self.frame(source, driving)

        return {
            "naive eager": lambda: self._decoder(self._warp(volume, keypoints, driving)),
            "low precision": frame,
            "graph": lazily(lambda: graphed(frame, self._target)),
        }


def low_precision(network: nn.Module, target: Target) -> Any:
    """The network in the target's type, its convolutions' weights with channels last."""
    network = network.eval().requires_grad_(False).to(target.device, target.frame_dtype)
    formats = {4: torch.channels_last, 5: torch.channels_last_3d}
    for tensor in (*network.parameters(), *network.buffers()):
        if tensor.ndim in formats and target.is_cuda:
            tensor.data = tensor.contiguous(memory_format=formats[tensor.ndim])
    return network


def carry(
    sampler: SegmentSampler,
    networks: FrameNetworks,
    sizes: Sizes,
    target: Target,
    deadline_s: float,
) -> list[SessionLoad]:
    """More and more sessions in real time, until one is late or the time is over."""
    p, loads = sampler.params, []
    source = networks.sources(1)
    volume_batch = min(8, max(sizes.frame_batches))
    keypoints = networks.portraits(1)[1]

    def segments(batch: int) -> Run:
        noise = target.noise(batch, p.frames, p.motion_dim)
        noises = target.noise(STEPS - 1, batch, p.frames, p.motion_dim)
        frame, cond = target.noise(batch, p.motion_dim), target.noise(batch, p.frames, p.cond_dim)
        return graphed(
            lambda: sample_segments(sampler, noise, noises, frame, cond, target.dtype), target
        )

    def frames(batch: int) -> Run:
        shared = {
            name: value.expand(batch, *value.shape[1:]).contiguous()
            for name, value in vars(source).items()
            if name != "grid"
        }
        sources = WarpSource(**shared, grid=source.grid)
        driving = keypoints.expand(batch, -1, -1).contiguous()

        def pixels() -> Tensor:
            drawn = networks.frame(sources, driving).permute(0, 2, 3, 1)
            return (drawn * 255).round().to(torch.uint8)

        return graphed(pixels, target)

    sample = {batch: segments(batch) for batch in _powers(max(sizes.lmdm_batches))}
    draw = {batch: frames(batch) for batch in _powers(volume_batch)}
    for count in sizes.session_loads:
        if time.monotonic() + 2 * sizes.session_seconds > deadline_s:
            break
        loads.append(carry_sessions(count, sizes.session_seconds, sample, draw, target.wait))
        print(loads[-1].line(), flush=True)
        if loads[-1].late_frames:
            break
    return loads


def _powers(largest: int) -> list[int]:
    return [2**power for power in range(int(math.log2(largest)) + 1)]


if __name__ == "__main__":
    sys.exit(main())
