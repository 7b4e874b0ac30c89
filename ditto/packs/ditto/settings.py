"""How the released configuration has the pack run, read from its converted files."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ditto.errors import CorruptDataError
from ditto.motion.layout import EXPRESSION_DIM, MOTION_DIM
from ditto.packs.ditto.config_pickle import convert_config_pickle
from ditto.stages import Array

CONFIGS = ("v0.4_hubert_cfg_trt_online", "v0.4_hubert_cfg_pytorch", "v0.4_hubert_cfg_trt")
"""Released configurations, the preferred one first."""


@dataclass(frozen=True)
class DrivingSettings:
    """What concerns the motion; the defaults are those of the released code, streamed."""

    sampling_steps: int = 10
    smooth_frames: int = 3
    reset_every: int = 0
    limits: tuple[Array, Array] | None = None
    """Lowest and highest motion, (265,) each."""
    blink_deltas: Array | None = None
    """(15, 63) expression deltas of a blink; None leaves the eyes to the generated motion."""
    blink_open_frames: int | tuple[int, ...] = 0
    """Frames between blinks, as `ditto.motion.blink` takes them."""


def read_settings(folder: Path) -> DrivingSettings:
    """The settings of a folder of released configurations; defaults where there is none.

    A pickle that was not converted yet is converted first, without executing anything in it.
    Raises `CorruptDataError` for values that cannot be used.
    """
    for name in CONFIGS:
        pickled, converted = folder / f"{name}.pkl", folder / f"{name}.json"
        if pickled.is_file() and not converted.is_file():
            convert_config_pickle(pickled)
        if converted.is_file():
            return _from_config(converted)
    return DrivingSettings()


def _from_config(path: Path) -> DrivingSettings:
    try:
        given: dict[str, Any] = json.loads(path.read_text())["default_kwargs"]
        default = DrivingSettings()
        return DrivingSettings(
            sampling_steps=int(given.get("sampling_timesteps", default.sampling_steps)),
            smooth_frames=int(given.get("smo_k_d", default.smooth_frames)),
            reset_every=int(given.get("fix_kp_cond", default.reset_every)),
            limits=_limits(given.get("v_min_max_for_clip")),
            blink_deltas=_deltas(given.get("delta_eye_arr")),
            blink_open_frames=_open_frames(given.get("delta_eye_open_n", 0)),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CorruptDataError(f"{path}: not a configuration of this pack: {error!r}") from error


def _limits(pair: Any) -> tuple[Array, Array] | None:
    if pair is None:
        return None
    low, high = (np.asarray(side, np.float32).reshape(MOTION_DIM) for side in pair)
    return low, high


def _deltas(table: Any) -> Array | None:
    return None if table is None else np.asarray(table, np.float32).reshape(-1, EXPRESSION_DIM)


def _open_frames(given: Any) -> int | tuple[int, ...]:
    return int(given) if isinstance(given, (int, float)) else tuple(int(n) for n in given)
