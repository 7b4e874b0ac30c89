"""`ditto animate`: a portrait and a recording in, a video of that person speaking out."""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ditto.errors import InvalidInputError
from ditto.stages import EMOTIONS

if TYPE_CHECKING:
    from ditto.local_cluster import LocalCluster
    from ditto.v1.animation_pb2 import AnimateConfig

_EXAMPLES = """\
Examples:
  ditto animate face.jpg speech.wav -o out.mp4
  ditto animate face.jpg speech.wav -o out.mp4 --view full --emotion happy --seed 7
  ditto animate 0f3c...e1 speech.wav -o out.mp4      an id that `ditto register` gave
  ditto animate face.jpg speech.wav -o out.mp4 --server gpu7:50051
  ditto animate face.jpg speech.wav -o out.mp4 --local --report
                                   a cluster for this one call, and a table of its numbers

PORTRAIT is JPEG, PNG or WebP with one face, seen from the front. SPEECH is a WAV file, or anything
else that FFmpeg decodes. The video is H.264 with the speech as AAC.
"""
_AVATAR_ID = re.compile(r"[0-9a-f]{32}")


def add_parser(commands: argparse._SubParsersAction[Any]) -> None:
    """Add `ditto animate` to the command line."""
    parser = commands.add_parser(
        "animate",
        help="make a video of a portrait speaking",
        description="Makes a video of a portrait speaking a recording.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("portrait", metavar="PORTRAIT", help="picture file, or id of a registered avatar")
    add("speech", type=Path, metavar="SPEECH", help="recording of the speech")
    add("-o", "--output", type=Path, required=True, metavar="OUT.mp4")
    add("--server", metavar="HOST:PORT", help="gateway to call (default: 127.0.0.1:50051)")
    add("--local", action="store_true", help="start a cluster for this call, and stop it after")
    add("--report", action="store_true", help="print a table of the measured numbers")
    add("--view", choices=("head", "full"), default="head", help="the head alone (default), or all")
    add("--emotion", choices=EMOTIONS, default="neutral")
    add("--seed", type=int, default=0, help="equal seeds give equal motion (default: 0)")
    add(
        "--pacing",
        choices=("fast", "realtime"),
        default="fast",
        help="as fast as it goes (default), or as a live call would",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Make the call and write the file."""
    from ditto.cli.gateway import reachable
    from ditto.cli.speech_file import read_speech

    if options.local and options.server:
        raise InvalidInputError("--local", "cannot be combined with --server")
    if not options.output.parent.is_dir():
        raise InvalidInputError("--output", f"there is no folder {options.output.parent}")
    speech = read_speech(options.speech)
    config = call_config(options)
    config.audio_format.CopyFrom(speech.audio_format)
    if not options.local:
        _call(options, config, speech, reachable(options.server), None)
        return 0
    with temporary_cluster(options.verbose) as cluster:
        _call(options, config, speech, cluster.address, cluster)
    return 0


def call_config(options: argparse.Namespace) -> AnimateConfig:
    """The call's settings from the command line."""
    from ditto.v1 import types_pb2
    from ditto.v1.animation_pb2 import AnimateConfig

    config = AnimateConfig(
        video_format=types_pb2.VideoFormat(encoding=types_pb2.VIDEO_ENCODING_H264_FMP4),
        view=f"VIEW_{options.view.upper()}",
        pacing=f"PACING_{options.pacing.upper()}",
        emotion=f"EMOTION_{options.emotion.upper()}",
        seed=options.seed,
    )
    path = Path(options.portrait)
    if _AVATAR_ID.fullmatch(options.portrait) and not path.exists():
        config.avatar_id = options.portrait
    else:
        config.portrait = path.read_bytes()
    return config


@contextmanager
def temporary_cluster(verbose: bool) -> Iterator[LocalCluster]:
    """A cluster on free ports for the length of a block, its assets fetched first."""
    from ditto import packs
    from ditto.cli.log_lines import LogPrinter
    from ditto.local_cluster import LocalCluster

    packs.pull("starter")
    begun = time.monotonic()
    print("starting a cluster ...", flush=True)
    show = LogPrinter(sys.stderr) if verbose else lambda *_: None
    with LocalCluster(on_line=show, note=print) as cluster:
        print(f"ready after {time.monotonic() - begun:.1f} s at {cluster.address}", flush=True)
        yield cluster


def _call(
    options: argparse.Namespace,
    config: AnimateConfig,
    speech: Any,
    server: str,
    cluster: LocalCluster | None,
) -> None:
    from tqdm import tqdm

    from ditto.cli import report
    from ditto.cli.call import animate_to_file

    before, own = cluster.usage() if cluster else {}, time.process_time()
    paced_s = speech.seconds if options.pacing == "realtime" else None
    frames = -(-int(speech.seconds * 1000) * 25 // 1000)
    with tqdm(total=frames, unit=" frames", disable=None) as bar:
        result = animate_to_file(server, config, speech.data, options.output, bar.update, paced_s)
    spent, after = time.process_time() - own, cluster.usage() if cluster else {}
    for warning in result.started.warnings:
        print(f"note: {warning}")
    stats = result.stats
    print(f"{options.output}: {stats.frames} frames, {stats.video_seconds:.1f} s of video")
    if options.report:
        rows = report.call_rows(result, options.output, speech)
        if cluster:
            rows += report.machine_rows(before, after, spent, stats.video_seconds)
        print(report.table(rows))
