"""The three stages of the starter pack; each imports and loads its own part alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ditto.packs.pack import Pack

if TYPE_CHECKING:
    from ditto.packs.starter.audio_encoder import WhisperAudioEncoder
    from ditto.packs.starter.motion_generator import StarterMotionGenerator
    from ditto.packs.starter.video_renderer import StarterVideoRenderer


def audio_encoder(pack: Pack) -> WhisperAudioEncoder:
    from ditto.packs.starter.audio_encoder import WhisperAudioEncoder

    return WhisperAudioEncoder(pack.asset("whisper_encoder"))


def motion_generator(pack: Pack) -> StarterMotionGenerator:
    from ditto.motion.gaze import fit, load_matrix
    from ditto.motion.track import load_track
    from ditto.packs.starter.motion_generator import StarterMotionGenerator

    own = pack.options.get("gaze")
    matrix = load_matrix(own) if own else fit(load_track(pack.weights("gaze_template.npz")))
    return StarterMotionGenerator(pack.weights("motion_dit.onnx"), gaze_matrix=matrix)


def renderer(pack: Pack) -> StarterVideoRenderer:
    from ditto.packs.starter.video_renderer import StarterVideoRenderer

    return StarterVideoRenderer(pack.asset("face_landmarker"))
