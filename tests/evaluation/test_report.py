"""The report: one file with everything in it, and JSON that any reader takes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from ditto.evaluation import judge, report_html, report_text
from ditto.evaluation.clips import Sounding
from ditto.media.mp4_file import write_mp4
from tests.evaluation.faces import call, measured, mesh, mouth, pair, speech, video

FRAMES = 60


def judgement(folder: Path) -> tuple[judge.Judgement, dict[str, Path]]:
    face = mesh()[:, :2]
    side = int(face.max() + 40)
    grey = [np.full((side, side, 3), 4 * n, np.uint8) for n in range(FRAMES)]
    write_mp4(folder / "talking-a.mp4", grey, speech(FRAMES))
    points = video(mouth(FRAMES, 1))
    clip = pair("talking-a", points, video(mouth(FRAMES, 2)), video=folder / "talking-a.mp4")
    sound = Sounding("sound-quiet", speech(FRAMES), measured(points, speech(FRAMES)), call())
    figures = judge.figures([clip], [sound], [])
    paper: dict[str, float | str] = {"FID": 12.5, "FVD": "not measured: needs <file>"}
    left_out = {"talking-b": "no face in the first frame"}
    about = {"version": "0"}
    found = judge.Judgement(about, [clip], [sound], left_out, figures, paper)
    return found, {"talking-a": folder / "talking-a.mp4"}


def test_the_html_report_is_whole_and_loads_nothing(tmp_path: Path) -> None:
    found, videos = judgement(tmp_path)
    report_html.write_html(found, videos, tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text()
    for part in ("talking-a", "<svg", "data:image/jpeg", "no face in the first frame", "12.500"):
        assert part in text
    assert "needs &lt;file&gt;" in text
    assert "http" not in text
    assert ">nan<" not in text


def test_json_and_markdown_hold_the_same_verdicts(tmp_path: Path) -> None:
    found, _ = judgement(tmp_path)
    content = json.loads(report_text.as_json(found), parse_constant=lambda name: 1 / 0)
    assert content["figures"]["closures"]["auc"] is None
    markdown = report_text.as_markdown(found)
    for row in content["verdicts"]:
        cells = (row["measure"], row["found"], row["target"], row["outcome"])
        assert f"| {' | '.join(cells)} |" in markdown
    assert report_text.paper_row(found)["FID"] == "12.500"
