"""All figures of an evaluation, with the paper's names where it has them (paper 4.2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ditto.evaluation.clips import Pair, Sounding
from ditto.evaluation.identity import csim
from ditto.evaluation.measured import IDENTITY_STRIDE, Measured
from ditto.training.evaluation import closures, face_measures, lip_sync
from ditto.training.evaluation.closures import SpokenGap
from ditto.training.evaluation.face_measures import CLOSED_GAP
from ditto.training.evaluation.loudness import (
    SILENCE_REACH_FRAMES,
    loudness,
    near,
    silent_frames,
    speech_frames,
)
from ditto.training.speech.phones import Phone

Array = NDArray[np.float32]
Figures = dict[str, Any]

FRAME_RATE = 25
LAGS = tuple(range(-5, 6))
GRID = "grid"
"""Clips of the GRID corpus carry this in their names."""


def mouth(pairs: Sequence[Pair]) -> Figures:
    """Mouth correlation: generated lip gap against that of the real speaker, same speech."""
    made = [pair.made.lip_gap[: pair.frames] for pair in pairs]
    real = [pair.real.lip_gap[: pair.frames] for pair in pairs]
    loud = [loudness(pair.real.samples, pair.frames) for pair in pairs]
    spoken = [speech_frames(pair.real.samples, pair.frames) for pair in pairs]
    whole = [np.ones(pair.frames, bool) for pair in pairs]
    in_speech = [_r(m, r, w) for m, r, w in zip(made, real, spoken, strict=True)]
    in_all = [_r(m, r, w) for m, r, w in zip(made, real, whole, strict=True)]
    lags = lip_sync.by_lag(made, real, spoken, LAGS)
    best = max(lags, key=lags.__getitem__)
    grid = [r for pair, r in zip(pairs, in_speech, strict=True) if GRID in pair.name]
    return {
        "r": float(np.mean(in_speech)),
        "r_interval": lip_sync.bootstrap_interval(in_speech),
        "r_grid": float(np.mean(grid)) if grid else float("nan"),
        "r_all_frames": float(np.mean(in_all)),
        "r_all_frames_interval": lip_sync.bootstrap_interval(in_all),
        "null": lip_sync.chance(made, real, spoken),
        "null_real": lip_sync.chance(real, real, spoken),
        "null_all_frames": lip_sync.chance(made, real),
        "loudness": float(
            np.mean([_r(m, r, w) for m, r, w in zip(loud, real, spoken, strict=True)])
        ),
        "r_by_lag": {str(lag): value for lag, value in lags.items()},
        "best_lag_frames": best,
        "r_best_lag": lags[best],
        "by_clip": {
            pair.name: {"r": one, "r_all_frames": other}
            for pair, one, other in zip(pairs, in_speech, in_all, strict=True)
        },
    }


def aperture(pairs: Sequence[Pair]) -> Figures:
    """Spread and 95th percentile of the lip gap, generated over real, clip by clip."""
    sd = [p.made.lip_gap[: p.frames].std() / p.real.lip_gap[: p.frames].std() for p in pairs]
    p95 = [_p95(p.made.lip_gap[: p.frames]) / _p95(p.real.lip_gap[: p.frames]) for p in pairs]
    return {
        "sd_ratio": float(np.mean(sd)),
        "p95_ratio": float(np.mean(p95)),
        "by_clip": {
            p.name: {"sd_ratio": float(a), "p95_ratio": float(b)}
            for p, a, b in zip(pairs, sd, p95, strict=True)
        },
    }


def lip_closures(pairs: Sequence[Pair], sounds: Sequence[Sounding]) -> Figures:
    """p, b and m of the clips whose phones are known, and of further recordings."""
    known = [pair for pair in pairs if pair.phones]
    made = [SpokenGap(pair.made.lip_gap[: pair.frames], pair.phones) for pair in known]
    real = [SpokenGap(pair.real.lip_gap[: pair.frames], pair.phones) for pair in known]
    more = [SpokenGap(sound.made.lip_gap, sound.phones) for sound in sounds if sound.phones]
    return {
        "count": closures.count(made),
        "auc": closures.auc(made),
        "auc_strict": closures.auc(made, strict=True),
        "auc_real": closures.auc(real),
        "sealed": closures.sealed_share(made),
        "sealed_real": closures.sealed_share(real),
        "recordings_count": closures.count(more),
        "recordings_auc": closures.auc(more),
        "recordings_sealed": closures.sealed_share(more),
        "phones_from": {p.name: p.phones_source for p in pairs}
        | {s.name: s.phones_source for s in sounds},
    }


def silence(pairs: Sequence[Pair], sounds: Sequence[Sounding]) -> Figures:
    """Share of frames with closed lips where nobody speaks."""
    flags = [_quiet(pair.real.samples, pair.frames, pair.phones) for pair in pairs]
    made = [pair.made.lip_gap[: pair.frames][f] for pair, f in zip(pairs, flags, strict=True)]
    real = [pair.real.lip_gap[: pair.frames][f] for pair, f in zip(pairs, flags, strict=True)]
    return {
        "frames": int(sum(map(len, made))),
        "closed": _closed(np.concatenate(made)),
        "closed_real": _closed(np.concatenate(real)),
        "closed_by_recording": {
            sound.name: _closed(sound.made.lip_gap) for sound in sounds if _is_nonspeech(sound)
        },
        "closed_in_pauses": {
            sound.name: _closed(sound.made.lip_gap[quiet])
            for sound in sounds
            if not _is_nonspeech(sound)
            and (quiet := _quiet(sound.samples, sound.made.frames, sound.phones)).any()
        },
    }


def identity(pairs: Sequence[Pair]) -> Figures:
    """CSIM of generated frames with the portrait, and beside the portrait itself with the video."""
    with_portrait, with_video, unanimated = [], [], []
    for pair in pairs:
        size = min(len(pair.made.identity), len(pair.real.identity))
        portrait = pair.real.identity[pair.portrait_frame // IDENTITY_STRIDE]
        with_portrait.append(csim(pair.made.identity, portrait))
        with_video.append(csim(pair.made.identity[:size], pair.real.identity[:size]))
        unanimated.append(csim(pair.real.identity[:size], portrait))
    ratios = [a / b for a, b in zip(with_video, unanimated, strict=True)]
    return {
        "csim": float(np.mean(with_portrait)),
        "csim_with_video": float(np.mean(with_video)),
        "csim_unanimated": float(np.mean(unanimated)),
        "ratio": float(np.mean(with_video) / np.mean(unanimated)),
        "by_clip": {p.name: float(r) for p, r in zip(pairs, ratios, strict=True)},
    }


def steadiness(pairs: Sequence[Pair], others: Sequence[Measured]) -> Figures:
    """Landmark jitter and jumps against those of real videos, `others` among them."""
    real = [*(pair.real for pair in pairs), *others]
    jumps = np.concatenate([face_measures.landmark_jumps(clip.points) for clip in real])
    limit = float(np.percentile(jumps, 99.9))
    made = {pair.name: face_measures.landmark_jumps(pair.made.points) for pair in pairs}
    return {
        "jitter": float(np.mean([face_measures.landmark_jitter(p.made.points) for p in pairs])),
        "jitter_real": float(np.mean([face_measures.landmark_jitter(c.points) for c in real])),
        "largest_jump": float(max(curve.max() for curve in made.values())),
        "jump_limit": limit,
        "frames_beyond": int(sum((curve > limit).sum() for curve in made.values())),
        "by_clip": {name: float(curve.max()) for name, curve in made.items()},
    }


def liveliness(made: Sequence[Measured], real: Sequence[Measured]) -> Figures:
    """Blinks and head motion, generated and real."""
    return {
        "blinks_a_minute": _blinks_a_minute(made),
        "blinks_a_minute_real": _blinks_a_minute(real),
        "minutes": sum(clip.frames for clip in made) / FRAME_RATE / 60,
        "head_energy": float(np.mean([face_measures.head_energy(c.head_angles) for c in made])),
        "head_energy_least": float(min(face_measures.head_energy(c.head_angles) for c in made)),
        "head_energy_real": float(
            np.mean([face_measures.head_energy(c.head_angles) for c in real])
        ),
    }


def timing(pairs: Sequence[Pair]) -> Figures:
    """A/V offset of the decoded files, RTF and FFD."""
    calls = [pair.call for pair in pairs]
    skews = [call.av_skew_ms for call in calls]
    modules = calls[0].rtf if calls else {}
    return {
        "av_offset_frames": float(max(skews, key=abs)) * FRAME_RATE / 1000,
        "rtf_of_call": float(np.median([call.whole_rtf for call in calls])),
        "rtf": {name: float(np.median([call.rtf[name] for call in calls])) for name in modules},
        "ffd_ms": float(np.median([call.ffd_ms for call in calls])),
        "ffd_compute_ms": float(np.median([call.ffd_compute_ms for call in calls])),
    }


def _r(predicted: Array, real: Array, where: NDArray[np.bool_]) -> float:
    return lip_sync.correlation(predicted, real, where=where)


def _quiet(samples: Array, frames: int, phones: tuple[Phone, ...]) -> NDArray[np.bool_]:
    """(T,): nobody speaks, nor has for a while: by the phones where they are known."""
    quiet = silent_frames(samples, frames)
    if phones:
        quiet &= ~near(closures.spoken_frames(phones, frames), SILENCE_REACH_FRAMES)
    return quiet


def _p95(curve: Array) -> float:
    return float(np.percentile(curve, 95))


def _closed(gap: Array) -> float:
    return float((gap <= CLOSED_GAP).mean()) if len(gap) else float("nan")


def _blinks_a_minute(clips: Sequence[Measured]) -> float:
    minutes = sum(clip.frames for clip in clips) / FRAME_RATE / 60
    return sum(face_measures.blinks(clip.lids) for clip in clips) / minutes


def _is_nonspeech(sound: Sounding) -> bool:
    return sound.name.startswith(("audio-", "sound-"))
