"""One table of numbers for a motion model: real clips, held-out voices, non-speech, statistics."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Any

import numpy as np

from ditto.packs.starter import coordinates
from ditto.stages import Array, AudioEncoder, MotionGenerator, MotionSettings
from ditto.training import features
from ditto.training.dataset import Clip
from ditto.training.evaluation import lip_sync, liveliness
from ditto.training.evaluation.generate import motion_frames, to_coordinates
from ditto.training.evaluation.loudness import near, speech_frames
from ditto.training.evaluation.real_clips import RealClip

Report = dict[str, float | list[float] | dict[str, float]]

_GAP = coordinates.index("lipGap")
_LAGS = range(-3, 4)
GAP_OF_FACE = 0.10
"""Inner-lip gap in face heights at `lipGap` amount 1."""


def real_speech(
    encoder: AudioEncoder[Any], generator: MotionGenerator[Any], clips: list[RealClip], samples: int
) -> Report:
    """Generated against measured lips: single samples at lag 0, their mean, lags, chance."""
    heard = [features.stream(encoder, clip.samples) for clip in clips]
    drawn_gaps = [_gaps(generator, audio, samples) for audio in heard]
    sizes = [min(g.shape[1], len(c.lip_gap)) for g, c in zip(drawn_gaps, clips, strict=True)]
    gaps = [drawn[:, :size] for drawn, size in zip(drawn_gaps, sizes, strict=True)]
    real = [clip.lip_gap[:size] for clip, size in zip(clips, sizes, strict=True)]
    first = [drawn[0] for drawn in gaps]
    single = [
        float(np.mean([lip_sync.correlation(gap, lips) for gap in drawn]))
        for drawn, lips in zip(gaps, real, strict=True)
    ]
    spoken = [speech_frames(clip.samples, size) for clip, size in zip(clips, sizes, strict=True)]
    in_speech = [
        lip_sync.correlation(gap, lips, where=flags)
        for gap, lips, flags in zip(first, real, spoken, strict=True)
    ]
    grid = [r for r, clip in zip(single, clips, strict=True) if "grid" in clip.name]
    ratios = [gap.std() * GAP_OF_FACE / lips.std() for gap, lips in zip(first, real, strict=True)]
    return {
        "r": float(np.mean(single)),
        "r_interval": list(lip_sync.bootstrap_interval(single)),
        "r_speech_frames": float(np.mean(in_speech)),
        "r_grid": float(np.mean(grid)) if grid else float("nan"),
        "r_of_mean": _mean_correlation([drawn.mean(0) for drawn in gaps], real, 0),
        "r_by_lag": {str(lag): _mean_correlation(first, real, lag) for lag in _LAGS},
        "chance": lip_sync.chance(first, real),
        "chance_real": lip_sync.chance(real, real),
        "sd_ratio": float(np.mean(ratios)),
        "by_clip": {clip.name: r for clip, r in zip(clips, single, strict=True)},
    }


def held_out_voices(generator: MotionGenerator[Any], clips: list[Clip]) -> Report:
    """Closures and mouth curves against the targets of voices that training never heard."""
    motion = [_coordinates(generator, clip.audio.astype(np.float32)) for clip in clips]
    gap = np.concatenate([m[:, _GAP] for m in motion])
    target = np.concatenate([clip.face[0][:, _GAP] for clip in clips])
    closed = np.concatenate([clip.closures for clip in clips])
    speaking = np.concatenate([clip.speaking for clip in clips])
    silent = ~np.concatenate([near(clip.speaking, 10) for clip in clips])
    return {
        "r_gap": lip_sync.correlation(gap[speaking], target[speaking]),
        "closure_auc": lip_sync.area_under_curve(gap[speaking], closed[speaking]),
        "closures_sealed": float((gap[closed] <= 0.2).mean()),
        "silence_closed": float((gap[silent] <= 0.2).mean()),
        "r_by_control": {
            name: lip_sync.correlation(
                np.concatenate([m[:, coordinates.index(name)] for m in motion])[speaking],
                np.concatenate([c.face[0][:, coordinates.index(name)] for c in clips])[speaking],
            )
            for name in ("jawOpen", "mouthPress", "mouthRollLower", "mouthFunnel", "mouthPucker")
        },
    }


def statistics(generator: MotionGenerator[Any], speech: Array) -> Report:
    """Seams, blinks, head speed and drift over long speech features (T, D)."""
    motion = _coordinates(generator, speech)
    mouth = list(coordinates.MOUTH)
    pose = list(range(coordinates.COUNT))[coordinates.POSE_PART]
    half = len(motion) // 2
    drift = motion[half:, pose].mean(0) - motion[:half, pose].mean(0)
    return {
        "seam_mouth": liveliness.seam_ratio(motion, generator.segment_frames, mouth),
        "seam_lip_gap": liveliness.seam_ratio(motion, generator.segment_frames, [_GAP]),
        "seam_head": liveliness.seam_ratio(motion, generator.segment_frames, pose[:3]),
        "blinks_a_minute": liveliness.blinks_a_minute(motion),
        "head_speed_p95": [float(v) for v in liveliness.head_speed_p95(motion)],
        "head_sd_degrees": [float(v) for v in motion[:, pose[:3]].std(0)],
        "head_drift_degrees": [float(v) for v in drift[:3]],
    }


def nonspeech(
    encoder: AudioEncoder[Any], generator: MotionGenerator[Any], sounds: dict[str, Array]
) -> Report:
    """Share of frames with closed lips for each recording that holds no speech."""
    return {
        name: liveliness.closed_share(_coordinates(generator, features.stream(encoder, samples)))
        for name, samples in sounds.items()
    }


def _coordinates(generator: MotionGenerator[Any], audio: Array, seed: int = 0) -> Array:
    return to_coordinates(motion_frames(generator, audio, MotionSettings(seed=seed)))


def _gaps(generator: MotionGenerator[Any], audio: Array, samples: int) -> Array:
    """(samples, T) lip gaps, one seed each."""
    return np.stack([_coordinates(generator, audio, seed)[:, _GAP] for seed in range(samples)])


def _mean_correlation(predicted: list[Array], real: list[Array], lag: int) -> float:
    pairs = zip(predicted, real, strict=True)
    return float(np.mean([lip_sync.correlation(p, r, lag) for p, r in pairs]))


def read_sounds(folder: Path) -> dict[str, Array]:
    """Recordings of a folder whose names begin with ``audio-`` (16 kHz mono WAV)."""
    sounds = {}
    for path in sorted(folder.glob("audio-*.wav")):
        with wave.open(str(path)) as file:
            data = np.frombuffer(file.readframes(file.getnframes()), np.int16)
        sounds[path.stem] = np.asarray(data / 32768, np.float32)
    return sounds
