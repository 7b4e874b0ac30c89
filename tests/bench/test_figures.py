"""Late frames, and what is written, drawn and compared of a benchmark."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import pytest

from ditto.bench.command import parse_calls
from ditto.bench.figures import BenchResult, LoadFigures, ModuleFigures, Spread, read_result
from ditto.bench.plot import draw
from ditto.bench.report import comparison, table
from ditto.bench.timed_call import TimedCall
from ditto.errors import InvalidInputError


def load(calls: int, late: int = 0, scale: float = 1.0) -> LoadFigures:
    return LoadFigures(
        calls=calls,
        frames=250 * calls,
        late_frames=late,
        failed_calls=0,
        first_failure="",
        ffd_ms=Spread(300 * scale, 320 * scale, 330 * scale),
        ffd_compute_ms=Spread(30 * scale, 40 * scale, 50 * scale),
        received_bytes_per_s=800_000.0,
        modules={"renderer": ModuleFigures(0.2 * scale, 0.2 * calls, 1.0)},
        cpu_s_per_video_s={
            "renderer-0": 0.2 * scale,
            "gateway": 0.04,
            "redis": 0.01,
            "client": 0.05,
        },
        peak_memory_bytes=600 << 20,
        loop_cpu_s_per_video_s={"renderer-0": 0.02, "gateway": 0.03},
    )


@pytest.mark.parametrize(
    ("delays_ms", "late"),
    [
        ([0] * 10, 0),
        ([35, 0, 20, 39], 0),
        ([0, 0, 41, 0], 1),
        ([60, 0, 0, 60], 2),
        ([200] * 10, 0),
        ([], 0),
    ],
)
def test_a_frame_is_late_against_the_best_clock_of_its_call(delays_ms, late):
    call = TimedCall(25, [7 + n / 25 + delay / 1000 for n, delay in enumerate(delays_ms)])
    assert call.late_frames() == late


def test_what_is_carried_is_the_highest_load_on_time():
    assert BenchResult({}, [load(1), load(2), load(4, late=3)]).carried == 2
    assert BenchResult({}, [replace(load(1), failed_calls=1)]).carried == 0
    assert BenchResult({}, [replace(load(1), frames=0)]).carried == 0


def test_messages_cost_the_gateway_and_the_stages_event_loops():
    assert load(1).messaging_share == pytest.approx((0.04 + 0.02) / (0.2 + 0.04))
    assert replace(load(1), loop_cpu_s_per_video_s={}).messaging_share is None


def test_a_result_survives_its_file(tmp_path: Path):
    result = BenchResult({"version": "1"}, [load(1), replace(load(2), ffd_ms=None)])
    result.write(tmp_path / "run.json")
    assert read_result(tmp_path / "run.json") == result


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"format": "ditto-bench-1"}'])
def test_other_files_are_refused_by_name(tmp_path: Path, text: str):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(InvalidInputError, match=r"x\.json"):
        read_result(tmp_path / "x.json")


def test_two_runs_are_compared_where_both_ran():
    old = BenchResult({}, [load(1), load(2), load(4)])
    new = BenchResult({}, [load(2, scale=0.5), load(8)])
    text = comparison(old, new)
    assert "0.2 -> 0.1 (x0.50)" in text
    assert "250" not in text
    assert "calls carried on time: 4 -> 8" in text


def test_the_table_has_a_column_a_load():
    lines = table([load(1), load(2, late=7)]).splitlines()
    cells = {line[:22].strip(): line[22:].split() for line in lines}
    assert cells["concurrent calls"] == ["1", "2"]
    assert cells["every frame on time"] == ["yes", "NO"]
    assert cells["RTF renderer"] == ["0.200", "0.200"]


def test_the_plot_is_a_png_with_a_line_that_falls_when_the_figure_does(tmp_path: Path):
    draw(BenchResult({}, [load(1, scale=4), load(2), load(4)]), tmp_path / "x.png")
    picture = cv2.imread(str(tmp_path / "x.png"))
    assert picture.shape == (320, 1260, 3)
    marks = (picture != 255).any(-1).sum(), (picture == 255).all(-1).mean()
    assert marks[0] > 2000
    assert marks[1] > 0.8


def test_a_plot_of_what_is_missing_is_empty_but_there(tmp_path: Path):
    bare = replace(load(1), ffd_compute_ms=None, modules={}, cpu_s_per_video_s={})
    draw(BenchResult({}, [bare]), tmp_path / "x.png")
    assert cv2.imread(str(tmp_path / "x.png")) is not None


def test_loads_are_sorted_and_checked():
    assert parse_calls("4,1,2,2") == [1, 2, 4]
    for bad in ("", "0", "1,", "a", "1;2", "-1"):
        with pytest.raises(InvalidInputError, match="--calls"):
            parse_calls(bad)
