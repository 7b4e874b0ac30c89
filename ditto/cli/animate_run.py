"""What `ditto animate` does, once its command line is read."""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil
from pathlib import Path

from tqdm import tqdm

from ditto import packs
from ditto.cli.call import CallResult, animate_to_file
from ditto.cli.gateway import connect
from ditto.cli.log_lines import LogPrinter
from ditto.cli.report import call_rows, machine_rows, table
from ditto.cli.speech_file import Speech, read_speech
from ditto.client import Access, AnimateOptions, Avatar, Client
from ditto.client.settings import Portrait, portrait_bytes
from ditto.local_cluster import LocalCluster
from ditto.media.portrait_video import is_video

_AVATAR_ID = re.compile(r"[0-9a-f]{32}")
_FRAME_RATE = 25


def animate(options: argparse.Namespace) -> None:
    """Make the call, write the file, say what came of it."""
    portrait, speech = portrait_of(options.portrait), read_speech(options.speech)
    if not options.local:
        with connect(options) as client:
            result = _call(options, client, portrait, speech)
        _tell(options, result, speech, [])
        return
    with temporary_cluster(options.verbose) as cluster, Client(cluster.address, Access()) as client:
        before, own = cluster.usage(), time.process_time()
        result = _call(options, client, portrait, speech)
        own = time.process_time() - own
        rows = machine_rows(before, cluster.usage(), own, result.stats.video_seconds)
        _tell(options, result, speech, rows)


def portrait_of(text: str) -> Portrait:
    """A picture file's bytes, or the avatar that `text` is the id of."""
    if _AVATAR_ID.fullmatch(text) and not Path(text).exists():
        return Avatar(avatar_id=text)
    data = portrait_bytes(text)
    if is_video(data):
        print("preparing a video takes a while; `ditto register` does it once, with a progress bar")
    return data


@contextmanager
def temporary_cluster(verbose: bool) -> Iterator[LocalCluster]:
    """A cluster on free ports for the length of a block, its assets fetched first."""
    packs.pull("starter")
    begun = time.monotonic()
    print("starting a cluster ...", flush=True)
    show = LogPrinter(sys.stderr) if verbose else lambda *_: None
    with LocalCluster(on_line=show, note=print) as cluster:
        print(f"ready after {time.monotonic() - begun:.1f} s at {cluster.address}", flush=True)
        yield cluster


def _call(
    options: argparse.Namespace, client: Client, portrait: Portrait, speech: Speech
) -> CallResult:
    settings: AnimateOptions = {
        "video": "mp4",
        "view": options.view,
        "pacing": options.pacing,
        "emotion": options.emotion,
        "seed": options.seed,
    }
    with tqdm(total=ceil(speech.seconds * _FRAME_RATE), unit=" frames", disable=None) as bar:
        return animate_to_file(client, portrait, speech, options.output, settings, bar.update)


def _tell(
    options: argparse.Namespace, result: CallResult, speech: Speech, rows: list[tuple[str, str]]
) -> None:
    for warning in result.started.warnings:
        print(f"note: {warning}")
    stats = result.stats
    print(f"{options.output}: {stats.frames} frames, {stats.video_seconds:.1f} s of video")
    if options.report:
        print(table([*call_rows(result, options.output, speech), *rows]))
