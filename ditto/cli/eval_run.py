"""What `ditto eval clips`, `talk9` and `hdtf` do, once their command line is read."""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import ditto
from ditto import packs
from ditto.cli.gateway import connect
from ditto.cli.pack_options import start_seconds, with_pack_options
from ditto.cli.speech_file import read_speech
from ditto.client import AnimateOptions, Client
from ditto.evaluation import judge, report_text
from ditto.evaluation.clips import Stage
from ditto.evaluation.listening import Aligner, Ear
from ditto.evaluation.measured import Observer
from ditto.local_cluster import ClusterPlan, LocalCluster

_PICTURE_FOLDERS = ("packs", "motion", "diffusion", "media")


def judge_clips(options: argparse.Namespace) -> int:
    """Judge, write the reports, print the table of targets."""
    material = judge.find_material(
        options.videos, options.pattern, options.sounds, options.portrait, options.texts
    )
    judgement = run_judge(options, material)
    write_reports(judgement, options.output)
    print(report_text.verdict_table(judgement))
    print(f"\n{options.output / 'report.html'}")
    return 0


def run_judge(options: argparse.Namespace, material: judge.Material) -> judge.Judgement:
    """Everything that a cluster makes of the material, measured."""
    memory = options.output / "measured"
    observer = Observer(packs.load("starter").asset("face_landmarker"), memory)
    aligner = Aligner(Ear(), material.texts, memory)
    with _client(options) as (client, tag):
        stage = Stage(client, observer, options.output, tag, _call_options(options))
        return judge.judge(stage, material, lambda path: read_speech(path).samples, aligner)


def write_reports(judgement: judge.Judgement, folder: Path) -> None:
    """JSON and markdown."""
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
        with connect(options.server) as client:
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
