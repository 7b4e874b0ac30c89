"""The parts of each stage, loaded as the options say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import cast

import numpy as np
import torch

from ditto.models.lmdm import Lmdm, LmdmParams
from ditto.packs.ditto.audio_encoder import HubertAudioEncoder
from ditto.packs.ditto.backends import load_graph, load_hubert
from ditto.packs.ditto.face_registration import Registrar, mesh_registrar, released_registrar
from ditto.packs.ditto.options import DittoOptions
from ditto.packs.ditto.render_networks import (
    NAMES,
    GraphRenderNetworks,
    RenderNetworks,
    TorchRenderNetworks,
)
from ditto.packs.ditto.samplers import GraphSampler, Sampler, TorchSampler
from ditto.packs.ditto.settings import DrivingSettings, read_settings
from ditto.packs.ditto.weights import CONFIG_FOLDER, Weights
from ditto.packs.store import cache_dir
from ditto.runtime.backend import parse_device
from ditto.runtime.torch_backend import set_threads, torch_device
from ditto.stages import Array


def load_sampler(options: DittoOptions, weights: Weights) -> Sampler:
    """The motion model."""
    if options.backend == "torch":
        device = _torch_device(options)
        return TorchSampler(cast(Lmdm, weights.network("lmdm")), device)
    released = LmdmParams()
    return GraphSampler(load_graph("lmdm", options, weights), released.frames, released.cond_dim)


def load_render_networks(options: DittoOptions, weights: Weights) -> RenderNetworks:
    """The five networks of the renderer."""
    if options.backend == "torch":
        device = _torch_device(options)
        networks = {name: weights.network(name) for name in NAMES}
        return TorchRenderNetworks(networks, device, options.is_half)
    return GraphRenderNetworks({name: load_graph(name, options, weights) for name in NAMES})


def _torch_device(options: DittoOptions) -> torch.device:
    set_threads(options.threads)
    return torch_device(parse_device(options.device))


def load_registrar(
    options: DittoOptions, weights: Weights, landmark_model: Callable[[], Path]
) -> Registrar:
    """The face detectors; `landmark_model` fetches MediaPipe's file where it is needed."""
    use_mesh = options.face == "mesh" if options.face else weights.folder is None
    if use_mesh or weights.folder is None:
        return mesh_registrar(landmark_model())
    return released_registrar(weights.folder)


def driving_settings(weights: Weights) -> DrivingSettings:
    """How the released configuration drives the motion."""
    if weights.folder is None:
        return DrivingSettings()
    return read_settings(weights.folder / CONFIG_FOLDER)


def silence_features(options: DittoOptions, weights: Weights) -> Array:
    """Features (overlap, D) of silence, which the motion stage starts every call from.

    They need the speech encoder, a larger network than the motion stage's own, so they are computed
    once for each set of weights and kept in the cache folder.
    """
    kind = "int8" if options.quantised else "fp32"
    path = cache_dir() / f"silence-{weights.tag}-{kind}-{options.overlap}.npy"
    if path.is_file():
        return cast(Array, np.load(path, allow_pickle=False))
    features = HubertAudioEncoder(load_hubert(options, weights)).silence_features(options.overlap)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part.npy")
    np.save(part, features)
    part.replace(path)
    return features
