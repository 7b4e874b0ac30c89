"""How the TensorRT engine of each network is built: shapes, and which run in half precision."""

from __future__ import annotations

from ditto.models.export import LAYOUTS
from ditto.models.hubert_graph import EXAMPLE_SAMPLES, INPUT, MAX_SAMPLES, MIN_SAMPLES
from ditto.runtime.tensorrt_builder import EnginePlan, ShapeRange

LARGEST_BATCH = 4
IN_FLOAT32 = frozenset({"motion_extractor", "lmdm", "hubert"})
"""As the released engines are: pose, motion and speech are what every frame builds on."""


def engine_plan(name: str) -> EnginePlan:
    """The plan of one network."""
    half = name not in IN_FLOAT32
    if name == "hubert":
        samples = (MIN_SAMPLES, EXAMPLE_SAMPLES, MAX_SAMPLES)
        return EnginePlan({INPUT: ShapeRange(*((1, count) for count in samples))}, half)
    ranges = {
        key: ShapeRange(*(_with_batch(shape, batch) for batch in (1, 1, LARGEST_BATCH)))
        for key, shape in LAYOUTS[name].inputs.items()
    }
    return EnginePlan(ranges, half)


def _with_batch(shape: tuple[int, ...], batch: int) -> tuple[int, ...]:
    return tuple(batch if size == -1 else size for size in shape)
