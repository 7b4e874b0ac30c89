"""What `ditto eval clips`, `talk9`, `hdtf` and `profiles` do: they need a whole cluster."""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

import ditto
from ditto import packs
from ditto.cli.gateway import connect
from ditto.cli.pack_options import start_seconds, with_pack_options
from ditto.cli.speech_file import read_speech
from ditto.client import AnimateOptions, Client
from ditto.evaluation import judge, paper_measures, profiles, report_html, report_text
from ditto.evaluation.clips import Stage
from ditto.evaluation.listening import Aligner, Ear
from ditto.evaluation.measured import Observer
from ditto.evaluation.protocols import PROTOCOLS
from ditto.evaluation.published import PROFILES, with_ours
from ditto.local_cluster import ClusterPlan, LocalCluster

_PICTURE_FOLDERS = ("packs", "motion", "diffusion", "media")


def judge_clips(options: argparse.Namespace) -> int:
    """Judge, write the reports, print the table of targets."""
    material = _material(options, options.pattern)
    judgement = _judged(options, material)
    print(report_text.verdict_table(judgement))
    print(f"\n{options.output / 'report.html'}")
    return 0


def judge_protocol(options: argparse.Namespace, name: str) -> int:
    """Judge on a test set of the paper, and print its table with a row of our own."""
    protocol = PROTOCOLS[name]
    material = replace(_material(options, None), videos=protocol.videos(options.videos))
    judgement = _judged(options, material)
    found = report_text.paper_row(judgement)
    rows = with_ours(protocol.published, found)
    print(f"{protocol.published.title}; {len(judgement.pairs)} videos measured here")
    print(report_text.table(protocol.published.columns, rows))
    print(f"\n{options.output / 'report.html'}")
    return 0


def measure_profiles(options: argparse.Namespace) -> int:
    """Print the four rows of Table 6 as measured here, and the paper's."""
    portrait, speech = options.portrait.read_bytes(), read_speech(options.speech)
    with _client(options) as (client, _):
        found = list(tqdm(profiles.measure(client, portrait, speech), total=4, disable=None))
    rows = [
        (row.pipeline, f"{row.rtf:.3f}", "-" if row.ffd_ms is None else f"{row.ffd_ms:.0f} ms")
        for row in found
    ]
    print(report_text.table(PROFILES.columns, rows))
    print(f"\n{PROFILES.title} of the paper:")
    print(report_text.table(PROFILES.columns, PROFILES.rows))
    return 0


def _material(options: argparse.Namespace, pattern: str | None) -> judge.Material:
    return judge.find_material(
        options.videos, pattern, options.sounds, options.portrait, options.texts
    )


def _judged(options: argparse.Namespace, material: judge.Material) -> judge.Judgement:
    """Everything that a cluster makes of the material, measured and written down."""
    memory = options.output / "measured"
    observer = Observer(packs.load("starter").asset("face_landmarker"), memory)
    aligner = Aligner(Ear(), material.texts, memory)
    files = paper_measures.PaperFiles(options.inception, options.i3d, options.syncnet)
    with _client(options) as (client, tag):
        stage = Stage(client, observer, options.output, tag, _call_options(options))
        judgement = judge.judge(
            stage, material, lambda path: read_speech(path).samples, aligner, files
        )
    _write_reports(judgement, material, options.output)
    return judgement


def _write_reports(judgement: judge.Judgement, material: judge.Material, folder: Path) -> None:
    """HTML, JSON and markdown."""
    videos = {path.stem: path for path in material.videos}
    report_html.write_html(judgement, videos, folder / "report.html")
    (folder / "report.json").write_text(report_text.as_json(judgement), "utf-8")
    (folder / "report.md").write_text(report_text.as_markdown(judgement), "utf-8")


def _call_options(options: argparse.Namespace) -> AnimateOptions:
    asked: AnimateOptions = {"seed": options.seed}
    if options.steps is not None:
        asked["sampling_steps"] = options.steps
    return asked


@contextmanager
def _client(options: argparse.Namespace) -> Iterator[tuple[Client, str]]:
    """A client, and what its videos depend on."""
    if options.server:
        with connect(options) as client:
            yield client, f"{options.server} {client.info()}"
        return
    packs.pull(options.pack)
    plan = ClusterPlan(
        pack=options.pack,
        settings=with_pack_options(options, {}),
        start_seconds=start_seconds(options),
    )
    print("starting a cluster ...", file=sys.stderr, flush=True)
    with LocalCluster(plan) as cluster, Client(cluster.address) as client:
        weights = f"{options.weights} {options.backend} {options.device}"
        yield client, f"{packs.load(options.pack).hash} {weights} {_code_hash()}"


def _code_hash() -> str:
    """Changes with any code that decides what a video looks like."""
    digest = hashlib.sha256()
    root = Path(ditto.__file__).parent
    for folder in _PICTURE_FOLDERS:
        for path in sorted((root / folder).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
