"""Made-up measured videos: a real mesh whose lips, lids and head move as a test says."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from ditto import packs
from ditto.evaluation.clips import Pair
from ditto.evaluation.cluster_call import CallFigures
from ditto.evaluation.measured import IDENTITY_STRIDE, Measured
from ditto.face.topology import LEFT_EYE_UPPER, LOWER_LIP_MID, RIGHT_EYE_UPPER, UPPER_LIP_MID
from ditto.media.image import decode_portrait
from ditto.training.evaluation.face_measures import face_height
from ditto.training.evaluation.face_track import FaceFollower
from ditto.training.speech.phones import Phone

EXAMPLES = Path(__file__).parents[2] / "examples"
RNG = np.random.default_rng(5)


@cache
def mesh() -> np.ndarray:
    """(478, 3) of the example portrait."""
    image = decode_portrait((EXAMPLES / "astronaut.jpg").read_bytes())
    follow = FaceFollower(packs.load("starter").asset("face_landmarker"))
    return np.asarray(follow([image])[0])


def video(
    gap: np.ndarray, lids: np.ndarray | None = None, roll: np.ndarray | None = None
) -> np.ndarray:
    """(T, 478, 3) with inner-lip gap (T,) in face heights, lids (T,) 1 to 0, roll in degrees."""
    points = np.repeat(mesh()[None], len(gap), axis=0)
    points[:, LOWER_LIP_MID] = points[:, UPPER_LIP_MID]
    points[:, LOWER_LIP_MID, 1] += gap * face_height(points)
    if lids is not None:
        for row in (RIGHT_EYE_UPPER, LEFT_EYE_UPPER):
            middle = points[:, [row[0], row[-1]]].mean(1)
            for point in row[1:-1]:
                points[:, point] += (1 - lids[:, None]) * (middle - points[:, point])
    if roll is not None:
        angles = np.radians(roll)
        turn = np.stack([[np.cos(angles), np.sin(angles)], [-np.sin(angles), np.cos(angles)]])
        points[:, :, :2] = np.einsum("tpi,ijt->tpj", points[:, :, :2], turn)
    return points.astype(np.float32)


def mouth(frames: int, seed: int) -> np.ndarray:
    """(T,) a gap that comes and goes as in speech, 0 to about 0.08 face heights."""
    noise = np.random.default_rng(seed).normal(size=frames + 8)
    curve = np.convolve(noise, np.hanning(9), "valid")
    return np.asarray(0.04 * np.clip(1 + curve / curve.std(), 0, 2))


def speech(frames: int) -> np.ndarray:
    """(n,) samples that count as speech all along."""
    return RNG.normal(0, 0.1, frames * 640).astype(np.float32)


def measured(points: np.ndarray, samples: np.ndarray, person: int = 0) -> Measured:
    """With one recognition feature a person."""
    feature = np.random.default_rng(person).normal(size=128)
    count = -(-len(points) // IDENTITY_STRIDE)
    features = np.repeat(feature[None] / np.linalg.norm(feature), count, axis=0)
    return Measured(points, samples, features.astype(np.float32))


def call(av_skew_ms: float = 0.0) -> CallFigures:
    """What a call might have measured."""
    rtf = {"audio_encoder": 0.1, "motion_dit": 0.1, "renderer": 0.3}
    return CallFigures(100, 4.0, 2.0, 390.0, 50.0, rtf, av_skew_ms, ())


def pair(
    name: str, made: np.ndarray, real: np.ndarray, phones: tuple[Phone, ...] = (), **others: object
) -> Pair:
    """Of meshes; others: fields of `Pair`."""
    samples = speech(len(real))
    fields: dict[str, object] = {
        "call": call(),
        "portrait_frame": 0,
        "video": Path(),
        "phones": phones,
        "phones_source": "stated" if phones else "",
    }
    return Pair(name, measured(real, samples), measured(made, samples), **fields | others)  # type: ignore[arg-type]
