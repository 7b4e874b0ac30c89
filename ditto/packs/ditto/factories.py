"""The three stages of the pack; each imports and loads its own networks alone."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from ditto.packs.ditto.options import DittoOptions, read_options
from ditto.packs.pack import Pack

if TYPE_CHECKING:
    from ditto.packs.ditto.audio_encoder import HubertAudioEncoder
    from ditto.packs.ditto.motion_generator import LmdmMotionGenerator
    from ditto.packs.ditto.renderer import DittoRenderer
    from ditto.packs.ditto.weights import Weights


def audio_encoder(pack: Pack) -> HubertAudioEncoder:
    """Streaming HuBERT."""
    from ditto.packs.ditto.audio_encoder import HubertAudioEncoder
    from ditto.packs.ditto.backends import load_hubert

    options, weights = _chosen(pack)
    return HubertAudioEncoder(load_hubert(options, weights))


def motion_generator(pack: Pack) -> LmdmMotionGenerator:
    """The motion diffusion model."""
    from ditto.packs.ditto.loading import driving_settings, load_sampler, silence_features
    from ditto.packs.ditto.motion_generator import LmdmMotionGenerator

    options, weights = _chosen(pack)
    sampler = load_sampler(options, weights)
    silence = silence_features(options, weights)
    return LmdmMotionGenerator(sampler, silence, driving_settings(weights), options.overlap)


def renderer(pack: Pack) -> DittoRenderer:
    """Warp and decoder, behind whichever face detectors there are."""
    from ditto.packs.ditto.loading import load_registrar, load_render_networks
    from ditto.packs.ditto.renderer import DittoRenderer

    options, weights = _chosen(pack)
    registrar = load_registrar(options, weights, lambda: pack.asset("face_landmarker"))
    return DittoRenderer(load_render_networks(options, weights), registrar)


def weights_tag(pack: Pack) -> str:
    """Names what decides a call's content: the weights, and the options that change results.

    Device and backend do not count: a call may move between a GPU replica and a CPU one.
    """
    options, weights = _chosen(pack)
    counted = options.model_dump(include={"overlap", "face", "quantised"})
    text = json.dumps([weights.tag, counted], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def motion_delay_frames(pack: Pack) -> int:
    """The first frames follow the second segment: two times the frames that a segment adds."""
    from ditto.motion.fuse import FuseOptions
    from ditto.packs.ditto.audio_encoder import UNITS

    added = FuseOptions(read_options(pack.options).overlap).valid_frames
    units = -(-2 * added // UNITS.valid_frames)
    return (units - 1) * UNITS.valid_frames


def _chosen(pack: Pack) -> tuple[DittoOptions, Weights]:
    from ditto.packs.ditto.weights import choose_weights
    from ditto.packs.hub import default_folder

    assert pack.manifest.hub is not None, "the manifest names the repository"
    options = read_options(pack.options)
    return options, choose_weights(options, default_folder(pack.manifest.hub))
