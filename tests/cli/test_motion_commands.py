"""`ditto motion` and `ditto fit-gaze` on real files."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from ditto.cli import main
from ditto.motion import layout, semantics
from ditto.motion.gaze import load_matrix
from ditto.motion.track import load_track, save_track
from ditto.packs.starter.renderer import StarterRenderer
from scripts.make_gaze_template import make_template
from tests.face import example

ROOT = Path(__file__).resolve().parents[2]


def test_a_template_becomes_a_matrix(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_track(tmp_path / "template.npz", make_template())
    arguments = ["fit-gaze", str(tmp_path / "template.npz"), "-o", str(tmp_path / "gaze.npz")]
    assert main(arguments) == 0
    assert "explains 100.0%" in capsys.readouterr().out
    matrix = load_matrix(tmp_path / "gaze.npz")
    assert matrix[33, 1] == pytest.approx(-0.012 * 0.8 / 0.4 * np.radians(1), rel=0.03)


@pytest.mark.slow
def test_the_sheet_shows_every_control_and_the_docs_have_each(tmp_path: Path) -> None:
    portrait = str(ROOT / "examples/astronaut.jpg")
    assert main(["motion", "sheet", portrait, "-o", str(tmp_path), "--side", "160"]) == 0
    made = {path.name for path in tmp_path.glob("*.jpg")}
    documented = {path.name for path in (ROOT / "docs/controls").glob("*.jpg")}
    assert made == documented
    text = (ROOT / "docs/controls.md").read_text("utf-8")
    assert all(f"controls/{name}" in text for name in made)
    rest = cv2.imread(str(tmp_path / "rest.jpg")).astype(int)
    for name in semantics.control_names():
        moved = cv2.imread(str(tmp_path / f"{name}.jpg")).astype(int)
        assert np.abs(moved - rest).max() > 12, f"{name} shows nothing"


@pytest.mark.slow
def test_motion_is_read_back_from_a_rendered_video(tmp_path: Path) -> None:
    renderer = StarterRenderer(example.task_path())
    portrait = renderer.prepare(example.close_up())
    frames = 50
    drive = np.repeat(portrait.identity.reference_motion[None], frames, axis=0)
    motion = layout.unpack(drive)
    wave = np.sin(np.linspace(0, 4 * np.pi, frames)).astype(np.float32)
    amounts = np.zeros((frames, len(semantics.control_names())), np.float32)
    amounts[:, semantics.control_index("lipGap")] = 0.4 + 0.4 * wave
    amounts[:, semantics.control_index("jawOpen")] = 0.3 + 0.3 * wave
    made = layout.pack(
        layout.Motion(
            motion.scale,
            motion.pitch,
            motion.yaw + 7 * wave,
            motion.roll,
            motion.t,
            semantics.encode(amounts),
        )
    )
    with av.open(str(tmp_path / "made.mp4"), "w") as file:
        stream = file.add_stream("libx264", rate=25, options={"crf": "12"})
        stream.width = stream.height = 512
        for row in made:
            picture = renderer.render_head(portrait.appearance, row)
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        file.mux(stream.encode(None))
    arguments = ["motion", "extract", str(tmp_path / "made.mp4"), "-o", str(tmp_path / "t.npz")]
    assert main(arguments) == 0
    found = load_track(tmp_path / "t.npz")
    assert len(found) == frames
    assert np.corrcoef(layout.unpack(found).yaw, layout.unpack(made).yaw)[0, 1] > 0.95
    gaps = semantics.decode(found[:, layout.EXPRESSION])[:, semantics.control_index("lipGap")]
    assert np.corrcoef(gaps, amounts[:, semantics.control_index("lipGap")])[0, 1] > 0.9


def test_a_file_that_is_no_video_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("no video")
    arguments = ["motion", "extract", str(tmp_path / "text.mp4"), "-o", str(tmp_path / "t.npz")]
    assert main(arguments) == 2


@pytest.mark.slow
def test_the_63_numbers_are_probed_one_by_one(tmp_path: Path) -> None:
    portrait = str(ROOT / "examples/astronaut.jpg")
    arguments = ["motion", "sheet", portrait, "-o", str(tmp_path), "--dimensions", "--side", "96"]
    assert main(arguments) == 0
    made = {path.stem: cv2.imread(str(path)).astype(int) for path in tmp_path.glob("*-*.jpg")}
    assert len(made) == 2 * layout.EXPRESSION_DIM
    for dimension in ("19-1", "15-1", "11-1", "20-1", "1-1"):  # jaw, lids, mouth corner, brow
        plus, minus = made[f"{dimension}_plus"], made[f"{dimension}_minus"]
        assert np.abs(plus - minus).max() > 20, f"{dimension} shows nothing"
    assert (tmp_path / "sheet.jpg").exists()


def test_a_pack_without_its_weights_says_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video, track = str(tmp_path / "talk.mp4"), str(tmp_path / "t.npz")
    arguments = ["motion", "extract", video, "-o", track, "--pack", "ditto", "--weights", "nowhere"]
    assert main(arguments) == 1
    assert "nowhere" in capsys.readouterr().err
