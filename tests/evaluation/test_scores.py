"""The figures of an evaluation on made-up videos whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest

from ditto.evaluation import judge, scores
from ditto.evaluation.verdicts import FAILURE, REACHED, UNMEASURED, verdicts
from ditto.training.speech.phones import Phone
from tests.evaluation.faces import call, measured, mouth, pair, speech, video

FRAMES = 250
SEEDS = (1, 2, 3, 4)


def lively(seed: int, shift: int = 0) -> np.ndarray:
    """Mesh of a talking, blinking, nodding face whose mouth comes so many frames late."""
    frames = np.arange(FRAMES)
    lids = 1 - np.clip(2.5 - np.abs((frames % 90) - 40), 0, 1)
    gap = np.roll(mouth(FRAMES, seed), shift)
    return video(gap, lids, 4 * np.sin(frames / 8 + seed))


def test_a_perfect_double_reaches_every_measured_target() -> None:
    pairs = [pair(f"talking-{seed}-grid", lively(seed), lively(seed)) for seed in SEEDS]
    found = judge.figures(pairs, [], [])
    assert found["mouth"]["r"] == pytest.approx(1, abs=1e-3)
    assert found["mouth"]["best_lag_frames"] == 0
    assert found["identity"]["csim"] == pytest.approx(1, abs=1e-4)
    assert found["aperture"]["sd_ratio"] == pytest.approx(1, abs=1e-3)
    outcomes = {row.measure: row.outcome for row in verdicts(found)}
    assert FAILURE not in outcomes.values()
    assert outcomes["largest landmark jump"] != FAILURE
    assert outcomes["p, b, m against other frames, AUC"] == UNMEASURED


@pytest.mark.parametrize("late", [-2, 3])
def test_a_known_lag_is_found_with_its_sign(late: int) -> None:
    pairs = [pair(f"talking-{seed}", lively(seed, late), lively(seed)) for seed in SEEDS]
    found = scores.mouth(pairs)
    assert found["best_lag_frames"] == -late  # what came late must be moved earlier
    assert found["r_best_lag"] > 0.95
    assert found["r"] < 0.6


def test_lips_of_other_clips_score_no_more_than_chance() -> None:
    others = SEEDS[1:] + SEEDS[:1]
    pairs = [
        pair(f"talking-{seed}", lively(other), lively(seed))
        for seed, other in zip(SEEDS, others, strict=True)
    ]
    found = scores.mouth(pairs)
    assert abs(found["r"]) < 0.2
    outcomes = {row.measure: row.outcome for row in verdicts(judge.figures(pairs, [], []))}
    assert outcomes["mouth correlation minus null"] == FAILURE


def test_a_frozen_face_fails() -> None:
    still = video(np.full(FRAMES, 0.03))
    pairs = [pair(f"talking-{seed}", still, lively(seed)) for seed in SEEDS]
    found = judge.figures(pairs, [], [])
    outcomes = {row.measure: row.outcome for row in verdicts(found)}
    assert found["liveliness"]["head_energy"] == 0
    assert found["liveliness"]["blinks_a_minute"] == 0
    for measure in ("blinks a minute", "head energy of the stillest video, degrees/s"):
        assert outcomes[measure] != REACHED
    assert outcomes["mouth correlation minus null"] == FAILURE


def test_one_jump_is_enough() -> None:
    jumping = lively(1)
    jumping[100:] += 30  # pixels
    pairs = [pair("talking-1", jumping, lively(1)), pair("talking-2", lively(2), lively(2))]
    found = scores.steadiness(pairs, [measured(lively(3), speech(FRAMES))])
    assert found["frames_beyond"] >= 1
    assert found["largest_jump"] > found["jump_limit"]


def test_lips_open_in_silence_are_counted() -> None:
    quiet = np.zeros(FRAMES * 640, np.float32)
    closed, parted = video(np.zeros(FRAMES)), video(np.full(FRAMES, 0.05))
    half = np.concatenate([closed[:125], parted[125:]])
    one = pair("talking-1", half, closed)
    mute = measured(closed, quiet)
    silent = pair("talking-1", half, closed, phones=one.phones)
    silent = type(one)(**{**vars(silent), "real": mute})
    found = scores.silence([silent], [])
    assert found["closed"] == pytest.approx(0.5)
    assert found["closed_real"] == 1


def test_lips_that_meet_at_p_b_and_m_are_told_from_those_that_do_not() -> None:
    phones = tuple(Phone("b" if i % 4 == 1 else "ae", i * 0.2, (i + 1) * 0.2) for i in range(50))
    closing = np.array([p.symbol == "b" for p in phones]).repeat(5)
    good, bad = video(np.where(closing, 0.002, 0.06)), video(np.where(closing, 0.06, 0.04))
    for made, auc, sealed in ((good, 1, 1), (bad, 0, 0)):
        found = scores.lip_closures([pair("talking-1", made, good, phones)], [])
        assert found["count"] == 13
        assert found["auc_strict"] == auc
        assert found["sealed"] == sealed


def test_late_sound_in_the_file_is_an_av_offset() -> None:
    late = pair("talking-1", lively(1), lively(1), call=call(av_skew_ms=-80.0))
    assert scores.timing([late])["av_offset_frames"] == -2
