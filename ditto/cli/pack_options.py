"""What `ditto up` lets one choose of a pack, as settings of the processes."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence

_OPTIONS = {
    "weights": "folder of the released layout, or generated",
    "device": "cpu, cuda or cuda:N",
    "backend": "torch, onnxruntime or tensorrt",
}
_STAGES = ("audio_encoder", "motion_dit", "renderer")
_PATIENCE = ("idle_seconds=3600",)
_GATEWAY_PATIENCE = (*_PATIENCE, "prepare_seconds=600", "call_seconds=86400")
"""Where a frame takes seconds, a session waits long for the stage behind it."""
_START_SECONDS, _PATIENT_START_SECONDS = 180.0, 1800.0


def add_pack_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--weights``, ``--device`` and ``--backend``."""
    for name, about in _OPTIONS.items():
        parser.add_argument(f"--{name}", metavar=name.upper(), help=f"ditto pack: {about}")


def chosen_pack_options(options: argparse.Namespace) -> dict[str, str]:
    """What was given of the pack's options."""
    chosen = {name: getattr(options, name) for name in _OPTIONS}
    return {name: value for name, value in chosen.items() if value is not None}


def with_pack_options(
    options: argparse.Namespace, settings: Mapping[str, Sequence[str]]
) -> dict[str, list[str]]:
    """KEY=VALUE by process: what follows from the pack and its options, then `settings`."""
    given = json.dumps(chosen_pack_options(options))
    patient = _is_slow(options)
    stage = [*(_PATIENCE if patient else ()), *([f"pack_options={given}"] if given != "{}" else ())]
    merged = {name: list(stage) for name in _STAGES}
    merged["gateway"] = list(_GATEWAY_PATIENCE if patient else ())
    for process, own in settings.items():
        merged[process] += own
    return merged


def start_seconds(options: argparse.Namespace) -> float:
    """Longest wait until a cluster with these options serves; the first start may build engines."""
    tensorrt = options.backend == "tensorrt"
    return _PATIENT_START_SECONDS if tensorrt or _is_slow(options) else _START_SECONDS


def _is_slow(options: argparse.Namespace) -> bool:
    """Whether speech comes faster than pictures."""
    return options.pack == "ditto" and not (options.device or "cpu").startswith("cuda")
