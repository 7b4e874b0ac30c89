"""Reading and writing the released checkpoints: their layouts, and nothing but tensors.

A `.pth` file is a pickle, and a pickle can run code when it is read. These are read by torch's
restricted unpickler, which builds tensors and plain containers and refuses the rest.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from ditto.errors import CorruptDataError, SetupError
from ditto.models.appearance_extractor import AppearanceExtractor
from ditto.models.decoder import Decoder
from ditto.models.lmdm import Lmdm, LmdmParams
from ditto.models.motion_extractor import MotionExtractor
from ditto.models.stitch_network import StitchNetwork
from ditto.models.warp_network import WarpNetwork

State = dict[str, Tensor]

LARGEST_FILE_BYTES = 2 * 1024**3


@dataclass(frozen=True)
class CheckpointLayout:
    """How one network is stored."""

    file_name: str
    build: Callable[[], nn.Module]
    wrapper_key: str | None = None
    """The entry of the file's dict that holds the state; None where the dict is the state."""
    dropped: str = ""
    """What is removed from every key."""


LAYOUTS: dict[str, CheckpointLayout] = {
    "appearance_extractor": CheckpointLayout("appearance_extractor.pth", AppearanceExtractor),
    "motion_extractor": CheckpointLayout("motion_extractor.pth", MotionExtractor),
    "warp_network": CheckpointLayout("warp_network.pth", WarpNetwork),
    "decoder": CheckpointLayout("decoder.pth", Decoder),
    "stitch_network": CheckpointLayout(
        "stitch_network.pth", StitchNetwork, wrapper_key="retarget_shoulder", dropped="module."
    ),
    "lmdm": CheckpointLayout("lmdm_v0.4_hubert.pth", Lmdm, wrapper_key="model_state_dict"),
}
"""The six networks of the pack, by the name that the whole project uses."""


def load_network(name: str, path: Path) -> nn.Module:
    """A published network with the weights of a released file, in eval mode on the CPU.

    Raises `SetupError` when the file is missing, `CorruptDataError` when it is not a checkpoint of
    this network or holds anything but tensors.
    """
    state = read_state(name, path)
    network = _build_for(name, state)
    try:
        network.load_state_dict(state, strict=True)
    except RuntimeError as error:
        raise CorruptDataError(f"{path}: not a {name} checkpoint: {error}") from error
    return network.eval()


def read_state(name: str, path: Path) -> State:
    """The state dict inside a released file; errors as `load_network`."""
    layout = LAYOUTS[name]
    content = _read_tensors(path)
    if layout.wrapper_key is not None:
        if not isinstance(content, Mapping) or layout.wrapper_key not in content:
            raise CorruptDataError(f"{path}: no entry {layout.wrapper_key!r} for {name}")
        content = content[layout.wrapper_key]
    if not isinstance(content, Mapping) or not all(
        isinstance(key, str) and isinstance(value, Tensor) for key, value in content.items()
    ):
        raise CorruptDataError(f"{path}: not a dict of named tensors")
    return {key.replace(layout.dropped, ""): value for key, value in content.items()}


def write_state(name: str, state: Mapping[str, Tensor], path: Path) -> None:
    """Store a state dict the way the released file of this network does."""
    layout = LAYOUTS[name]
    torch.save({layout.wrapper_key: dict(state)} if layout.wrapper_key else dict(state), path)


def _read_tensors(path: Path) -> object:
    if not path.is_file():
        raise SetupError(f"{path} is missing; `ditto models pull ditto` fetches it")
    if path.stat().st_size > LARGEST_FILE_BYTES:
        raise CorruptDataError(f"{path}: larger than any published checkpoint")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise CorruptDataError(
            f"{path}: refused, it is damaged or holds more than tensors ({error})"
        ) from error
    except (RuntimeError, EOFError, ValueError, KeyError, OSError) as error:
        raise CorruptDataError(f"{path}: cannot be read as a checkpoint ({error})") from error


def _build_for(name: str, state: State) -> nn.Module:
    """An empty network; the motion model's condition width is the file's own."""
    projection = state.get("cond_projection.weight")
    if name == "lmdm" and projection is not None and projection.ndim == 2:
        return Lmdm(LmdmParams(cond_dim=projection.shape[1]))
    return LAYOUTS[name].build()
