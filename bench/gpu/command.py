"""Speed of the `ditto` pack's networks on one device, with generated weights of released shapes.

    python -m bench.gpu [--device cuda] [--dtype float16] [-o gpu.json]      under 8 minutes
    python -m bench.gpu --toy --device cpu                                    seconds, tiny networks

For each batch: a naive eager loop in float32 as the reference, the inference forms in low precision
with channels last, the same as CUDA graphs (a whole sampling loop is one graph) and, for LMDM,
compiled. Every form is checked against the reference before it is timed. FLOPs (products only) and
bytes (every operand once) are set against what this device reaches in a large product and a large
copy. Then sessions in real time: how many until a frame is late. Needs torch, numpy, this package.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict
from pathlib import Path

import torch

from bench.gpu.frames import FrameNetworks
from bench.gpu.loads import carry
from bench.gpu.rows import Row, measure
from bench.gpu.segments import lmdm_forms, segment_sampler
from bench.gpu.sizes import STEPS, TOY, Sizes
from bench.gpu.target import Target
from bench.gpu.work import measure_ceilings
from ditto.models.generated_weights import load_generated
from ditto.models.lmdm import Lmdm


@torch.no_grad()
def main(arguments: list[str] | None = None) -> int:
    """Measure, print, and write the file that is asked for."""
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
            forms = lmdm_forms(lmdm, batch, target, has_compiled=not options.no_compile)
            rows += measure(f"LMDM, {STEPS} steps", batch, forms, target, sizes, ceilings)
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
    """What the command line says; ends the process where there is no such device."""
    parser = argparse.ArgumentParser("python -m bench.gpu", description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda", help="cuda (default), cuda:1, ... or cpu")
    parser.add_argument("--dtype", default="float16", choices=("float16", "bfloat16", "float32"))
    parser.add_argument("--toy", action="store_true", help="tiny networks, to try the script")
    parser.add_argument("--no-compile", action="store_true", help="leave torch.compile out")
    parser.add_argument("--limit", type=float, default=450.0, help="seconds (default: 450)")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE.json")
    options = parser.parse_args(arguments)
    if options.device.startswith("cuda") and not torch.cuda.is_available():
        parser.error("no CUDA device can be used here; --toy --device cpu tries the script")
    return options
