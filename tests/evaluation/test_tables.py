"""Protocols, ablations and the user study: what is asked, drawn, counted and printed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ditto.errors import InvalidInputError
from ditto.evaluation import ablation_table, study
from ditto.evaluation.protocols import PROTOCOLS
from ditto.evaluation.published import TALK9, with_ours


def test_hdtf_draws_the_same_hundred_from_any_folder_order(tmp_path: Path) -> None:
    for number in range(130):
        folder = tmp_path / str(number % 3)
        folder.mkdir(exist_ok=True)
        (folder / f"{number}.mp4").touch()
    first = PROTOCOLS["hdtf"].videos(tmp_path)
    assert len(first) == len(set(first)) == 100
    assert first == PROTOCOLS["hdtf"].videos(tmp_path)
    with pytest.raises(InvalidInputError):
        PROTOCOLS["talk9"].videos(tmp_path / "none")


def test_our_row_stands_below_the_published_ones() -> None:
    rows = with_ours(TALK9, {"CSIM": "0.900", "RTF": "0.4"})
    assert rows[-1] == ("measured here", "-", "-", "0.900", "-", "-", "0.4")
    assert rows[-2][0] == "Ditto, 10 steps"
    assert all(len(row) == len(TALK9.columns) for row in rows)


def result(name: str, seed: int, r: float) -> dict[str, object]:
    return {
        "name": name,
        "seed": seed,
        "real_speech": {"r": r, "r_speech_frames": r, "r_grid": r, "sd_ratio": 1.0},
        "held_out_voices": {"closure_auc": 0.9, "closures_sealed": 0.9, "silence_closed": 1.0},
        "statistics": {"seam_mouth": 1.0, "head_speed_p95": [10, 20, 5]},
    }


def test_ablations_with_their_spread(tmp_path: Path) -> None:
    runs = [("no-emotion", 0, 0.5), ("full", 0, 0.4), ("full", 1, 0.6), ("full", 2, 0.5)]
    for name, seed, r in runs:
        (tmp_path / f"{name}-{seed}.json").write_text(json.dumps(result(name, seed, r)))
    full, emotion = ablation_table.rows(ablation_table.read_results(tmp_path))
    assert full[:3] == ("full", "3", "0.500 ± 0.100")
    assert emotion[:3] == ("no-emotion", "1", "0.500")
    assert "not testable" in emotion[-1]
    with pytest.raises(InvalidInputError):
        ablation_table.read_results(tmp_path / "none")


def folders(root: Path, names: tuple[str, ...]) -> dict[str, Path]:
    for name in names:
        (root / name).mkdir()
        for clip in ("one.mp4", "two.mp4"):
            (root / name / clip).write_bytes(f"{name} {clip} </script>".encode())
    return {name: root / name for name in names}


def test_a_study_holds_every_pair_and_hides_the_names(tmp_path: Path) -> None:
    methods = folders(tmp_path, ("ours", "theirs", "third"))
    assert study.write_page(methods, tmp_path / "study.html") == 2 * 3
    text = (tmp_path / "study.html").read_text()
    shown = text.split('<script type="application/json"')[0]
    assert "ours" not in shown
    assert "http" not in text.replace("application", "")
    content = json.loads(text.split('id="content">')[1].split("</script>")[0])
    assert len(content["videos"]) == 6
    assert list(content["questions"]) == list(study.QUESTIONS)
    pairs = {(pair["clip"], *sorted(pair["methods"])) for pair in content["pairs"]}
    assert len(pairs) == 6


def test_a_study_needs_two_folders_of_equal_names(tmp_path: Path) -> None:
    methods = folders(tmp_path, ("ours",))
    with pytest.raises(InvalidInputError):
        study.write_page(methods, tmp_path / "study.html")
    (tmp_path / "other").mkdir()
    with pytest.raises(InvalidInputError):
        study.write_page({**methods, "other": tmp_path / "other"}, tmp_path / "study.html")


def test_answers_of_several_people_are_counted(tmp_path: Path) -> None:
    for person, winner in enumerate(("ours", "ours", "theirs")):
        chosen = {"visual_quality": winner, "lip_sync": "ours"}
        row = {"clip": "one.mp4", "methods": ["ours", "theirs"], "chosen": chosen}
        (tmp_path / f"{person}.json").write_text(json.dumps({"answers": [row]}))
    ours, theirs = study.results_rows(sorted(tmp_path.glob("*.json")))
    assert ours == ("ours", "66.7 % of 3", "100.0 % of 3", "-")
    assert theirs[1:] == ("33.3 % of 3", "0.0 % of 3", "-")
    (tmp_path / "bad.json").write_text("[]")
    with pytest.raises(InvalidInputError):
        study.results_rows([tmp_path / "bad.json"])
