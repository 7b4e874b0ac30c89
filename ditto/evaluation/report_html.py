"""The report as one HTML file: targets, plots, frames side by side; nothing is loaded from afar."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ditto.evaluation import report_text, svg_plot
from ditto.evaluation.clips import Pair
from ditto.evaluation.judge import Judgement
from ditto.evaluation.verdicts import FAILURE, REACHED, verdicts
from ditto.face.crop import crop_image, head_crop
from ditto.training.evaluation import talking_video
from ditto.training.evaluation.face_measures import CLOSED_GAP, landmark_jumps
from ditto.training.evaluation.loudness import speech_frames
from ditto.training.evaluation.talking_video import FRAME_RATE

Image = NDArray[np.uint8]

_MOMENTS = 8
_SIDE = 128
_STYLE = """
body{font:14px/1.45 sans-serif;margin:2em auto;max-width:920px;color:#222}
table{border-collapse:collapse;margin:.8em 0}td,th{border:1px solid #ddd;padding:3px 8px;
text-align:left}.reached{background:#e5f2e0}.failure{background:#f6d5d5}.short{background:#fbf0d5}
img{display:block;max-width:100%}h2{margin-top:2em}code{background:#f4f4f4}
"""


def write_html(judgement: Judgement, videos: dict[str, Path], path: Path) -> None:
    """Write the report. videos: the real clips' files by name."""
    parts = [
        _head(judgement),
        _targets(judgement),
        "<h2>The paper's measures</h2>",
        _table(("measure", "value"), report_text.paper_rows(judgement)),
        _overview(judgement),
        *(_clip(pair, videos[pair.name]) for pair in judgement.pairs),
        "<h2>All figures</h2>",
        _table(("figure", "value"), report_text.other_rows(judgement.figures)),
        "<h2>Left out</h2>",
        _table(("name", "why"), list(judgement.left_out.items()) or [("-", "nothing")]),
    ]
    path.write_text(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Talking faces, measured'
        f"</title><style>{_STYLE}</style><body>{''.join(parts)}</body></html>\n",
        "utf-8",
    )


def _head(judgement: Judgement) -> str:
    facts = ", ".join(f"{name} {value}" for name, value in judgement.about.items())
    return (
        f"<h1>Talking faces, measured</h1><p>{escape(facts)}; {len(judgement.pairs)} clips, "
        f"{len(judgement.sounds)} recordings. Every video was made by a whole cluster from one "
        "frame of the clip and its own sound, decoded again, and measured with the same landmark "
        "model as the real one.</p>"
    )


def _targets(judgement: Judgement) -> str:
    rows = []
    for row in verdicts(judgement.figures):
        kind = {REACHED: "reached", FAILURE: "failure"}.get(row.outcome, "short")
        cells = (row.measure, row.found, row.target, row.outcome)
        rows.append(f'<tr class="{kind}">{_cells(cells)}</tr>')
    return f"<h2>Targets</h2><table>{_header(_TARGET_COLUMNS)}{''.join(rows)}</table>"


_TARGET_COLUMNS = ("measure", "found", "target", "outcome")


def _overview(judgement: Judgement) -> str:
    pairs, lags = judgement.pairs, judgement.figures["mouth"]["r_by_lag"]
    made = np.concatenate([pair.made.lip_gap for pair in pairs])
    real = np.concatenate([pair.real.lip_gap for pair in pairs])
    jumps = {
        "generated": np.concatenate([landmark_jumps(pair.made.points) for pair in pairs]),
        "real": np.concatenate([landmark_jumps(pair.real.points) for pair in pairs]),
    }
    columns = ("clip", *report_text.CLIP_COLUMNS)
    return "".join(
        [
            "<h2>All clips</h2>",
            _table(columns, report_text.clip_rows(judgement)),
            svg_plot.histogram("lip gap", {"generated": made, "real": real}, 40, "face heights"),
            svg_plot.histogram("landmark jumps", jumps, 40, "face heights"),
            svg_plot.lines(
                "mouth correlation by lag",
                {"r": [max(0.0, value) for value in lags.values()]},
                [int(lag) * 1000 / FRAME_RATE for lag in lags],
                "ms",
                size=(420, 190),
            ),
        ]
    )


def _clip(pair: Pair, video: Path) -> str:
    size = pair.frames
    times = np.arange(size) / FRAME_RATE
    curves = {"generated": pair.made.lip_gap[:size], "real": pair.real.lip_gap[:size]}
    spans = _spans(speech_frames(pair.real.samples, size))
    moments = np.linspace(0, size - 1, _MOMENTS + 2).astype(int)[1:-1]
    sheet = _sheet(pair, video, moments)
    return "".join(
        [
            f"<h2>{escape(pair.name)}</h2>",
            svg_plot.lines("lip gap in face heights", curves, times, "s", spans, CLOSED_GAP),
            f'<img alt="real above, generated below" src="data:image/jpeg;base64,{sheet}">',
            f"<p>Real above, generated below, every {size / FRAME_RATE / (_MOMENTS + 1):.2f} s; "
            "green: speech; grey line: lips count as closed below it.</p>",
            "".join(f"<p>note: {escape(text)}</p>" for text in pair.call.warnings),
        ]
    )


def _sheet(pair: Pair, video: Path, moments: Sequence[int] | NDArray[np.int64]) -> str:
    rows = [
        np.hstack(_faces(source, points, set(map(int, moments))))
        for source, points in ((video, pair.real.points), (pair.video, pair.made.points))
    ]
    picture = cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 80])
    return base64.b64encode(data.tobytes()).decode()


def _faces(video: Path, points: NDArray[np.float32], moments: set[int]) -> list[Image]:
    """Head crops of some frames, all placed as in the first of them."""
    placement = head_crop(points[min(moments)], _SIDE)
    return [
        crop_image(image, placement, _SIDE)
        for index, image in enumerate(talking_video.frames(video))
        if index in moments
    ]


def _spans(flags: NDArray[np.bool_]) -> list[tuple[float, float]]:
    """Seconds from which to which flags are set."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(int), [0]])))
    return [
        (float(start) / FRAME_RATE, float(end - 1) / FRAME_RATE)
        for start, end in edges.reshape(-1, 2)
    ]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    body = "".join(f"<tr>{_cells(row)}</tr>" for row in rows)
    return f"<table>{_header(head)}{body}</table>"


def _header(names: Sequence[str]) -> str:
    return "<tr>" + "".join(f"<th>{escape(name)}</th>" for name in names) + "</tr>"


def _cells(values: Sequence[str]) -> str:
    return "".join(f"<td>{escape(value)}</td>" for value in values)
