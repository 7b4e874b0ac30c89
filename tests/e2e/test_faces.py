"""Faces are found again in the frames: the same person, whose mouth follows the words."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import pytest

from ditto import packs
from ditto.face.detect import FaceDetector
from ditto.face.landmarks import FaceLandmarker
from ditto.local_cluster import LocalCluster
from tests.e2e import portraits, speech
from tests.e2e.calling import Answer, animate, config, speak

FPS = 25
UPPER_LIP, LOWER_LIP, FOREHEAD, CHIN = 13, 14, 10, 152
STILL = [33, 133, 362, 263, 168, 6, 197, 195, 5, 4, 127, 356, 93, 323, 234, 454]
"""Points of the mesh on eye corners, nose and temples, which neither speech nor blinks move."""
CLOSED = ("p", "b", "m")
OPEN = ("aa", "ae", "ah", "ay", "ey", "eh", "ow", "oy")


@cache
def networks() -> tuple[FaceDetector, FaceLandmarker]:
    task = packs.load("starter").asset("face_landmarker")
    return FaceDetector(task), FaceLandmarker(task)


def mesh(image: np.ndarray) -> np.ndarray:
    """(478, 3) points of the one face."""
    detector, landmarker = networks()
    faces = detector(image)
    assert faces, "no face in the frame"
    return landmarker(image, faces[0]).points


def meshes_of(answer: Answer) -> np.ndarray:
    """(T, 478, 3) of all frames of a call."""
    images = (np.frombuffer(frame.data, np.uint8) for frame in answer.frames)
    return np.stack([mesh(cv2.imdecode(data, cv2.IMREAD_COLOR_RGB)) for data in images])


@pytest.fixture(scope="module")
def meshes(cluster: LocalCluster) -> np.ndarray:
    """(T, 478, 3) of all frames of the example speech."""
    said = speech.part(0, len(speech.samples()) / speech.RATE_HZ)
    return meshes_of(animate(cluster.address, speak(config(), said)))


def gaps(meshes: np.ndarray) -> np.ndarray:
    """(T,) inner-lip gap over face height."""
    gap = np.linalg.norm(meshes[:, UPPER_LIP, :2] - meshes[:, LOWER_LIP, :2], axis=1)
    return gap / np.linalg.norm(meshes[:, FOREHEAD, :2] - meshes[:, CHIN, :2], axis=1)


def during(phones: list[speech.Phone], gaps: np.ndarray, reduce: object) -> np.ndarray:
    """One number a phone: `reduce` over its frames and the one after it."""
    spans = [(round(p.start_s * FPS), round(p.end_s * FPS) + 1) for p in phones]
    return np.array([reduce(gaps[start:end]) for start, end in spans])


def test_it_stays_the_same_person(meshes: np.ndarray) -> None:
    own = mesh(np.asarray(portraits.astronaut()))
    deformed = own * [1.12, 1, 1]  # what a slightly broader face would measure

    def misfit(found: np.ndarray, known: np.ndarray) -> float:
        """Share of the eye distance by which the still points differ, pose apart."""
        a, b = (points[STILL] - points[STILL].mean(0) for points in (found, known))
        u, scale, v = np.linalg.svd(a.T @ b)
        turned = a @ u @ v * scale.sum() / (a**2).sum()
        eyes = np.linalg.norm(known[33] - known[263])
        return float(np.sqrt(((turned - b) ** 2).sum(1).mean()) / eyes)

    ours = np.array([misfit(found, own) for found in meshes])
    others = np.array([misfit(found, deformed) for found in meshes])
    assert np.percentile(ours, 95) < 0.06
    assert np.median(ours) < np.median(others)


def test_the_mouth_opens_for_vowels_and_closes_for_p_b_m(meshes: np.ndarray) -> None:
    opening, phones = gaps(meshes), speech.phones()
    vowels = during([p for p in phones if p.name in OPEN], opening, np.max)
    closures = during([p for p in phones if p.name in CLOSED], opening, np.min)
    assert np.median(vowels) > 2.5 * np.median(closures)
    assert np.median(vowels) > 0.04
    assert np.median(closures) < 0.02


def test_the_mouth_is_closed_in_silence(cluster: LocalCluster) -> None:
    said = speech.part(1, 2.6) + bytes(2 * 2 * speech.RATE_HZ)
    opening = gaps(meshes_of(animate(cluster.address, speak(config(), said))))
    speaking, silent = opening[: int(1.6 * FPS)], opening[int(2.6 * FPS) :]
    assert np.max(speaking) > 0.04
    assert np.median(silent) < 0.02


def test_the_lips_follow_this_speech_and_no_other(meshes: np.ndarray) -> None:
    wanted = np.ones(len(meshes))
    for phone in speech.phones():
        if phone.name in (*CLOSED, "pau", "f", "v", "w", "uw"):
            wanted[round(phone.start_s * FPS) : round(phone.end_s * FPS)] = 0
    shifts = range(-40, 41)
    fit = np.array([np.corrcoef(gaps(meshes), np.roll(wanted, n))[0, 1] for n in shifts])
    assert abs(shifts[int(fit.argmax())]) <= 1, "the lips are early or late"
    elsewhere = fit[np.abs(shifts) > 6].max()
    assert fit.max() > max(0.3, 2 * elsewhere)
