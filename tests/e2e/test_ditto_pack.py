"""A whole call through a cluster of the `ditto` pack equals its stages run in one process."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from ditto import packs
from ditto.cli.command_line import build_parser
from ditto.cli.pack_options import start_seconds, with_pack_options
from ditto.local_cluster import ClusterPlan, LocalCluster
from ditto.media.audio import AudioReader
from ditto.media.image import ImageLimits, decode_portrait
from ditto.media.pcm import PcmFormat
from ditto.motion import controls
from ditto.stages import Image, MotionSettings
from ditto.v1.types_pb2 import VIDEO_ENCODING_RGB24, VIEW_FULL
from tests.e2e.calling import Answer, config, speak, stub
from tests.e2e.portraits import astronaut, encoded
from tests.e2e.speech import part

pytestmark = pytest.mark.slow

SEED = 5
CALL_SECONDS = 1800


def _cluster(weights: str) -> LocalCluster:
    """As ``ditto up --pack ditto --weights WEIGHTS`` starts it."""
    options = build_parser().parse_args(["up", "--pack", "ditto", "--weights", weights])
    settings = with_pack_options(options, {})
    plan = ClusterPlan(
        pack="ditto", settings=settings, redis="none", start_seconds=start_seconds(options)
    )
    return LocalCluster(plan)


def _call(address: str, speech: bytes) -> tuple[Answer, list[Image]]:
    settings = config(
        portrait=encoded(astronaut(), "PNG"),
        encoding=VIDEO_ENCODING_RGB24,
        view=VIEW_FULL,
        seed=SEED,
        pack="ditto",
    )
    answer = Answer()
    for response in stub(address).Animate(speak(settings, speech), timeout=CALL_SECONDS):
        answer.take(response)
    size = (answer.started.height, answer.started.width, 3)
    return answer, [np.frombuffer(f.data, np.uint8).reshape(size) for f in answer.frames]


def _in_process(weights: str, speech: bytes) -> Iterator[Image]:
    """The same call without services."""
    pack = packs.load("ditto", {"weights": weights})
    encoder, generator, renderer = (
        pack.audio_encoder(),
        pack.motion_generator(),
        pack.renderer(),
    )
    registered = renderer.prepare(decode_portrait(encoded(astronaut(), "PNG"), ImageLimits()))
    reader = AudioReader(PcmFormat())
    samples = np.concatenate([reader.feed(speech), reader.finish()])
    heard, features = encoder.step(encoder.init_state(), samples)
    _, rest = encoder.flush(heard)
    state = generator.init_state(registered.identity, MotionSettings(seed=SEED))
    shown = []
    for block in (features, rest):
        if block is not None:
            state, frames = generator.step(state, block)
            shown.append(frames)
    shown.append(generator.flush(state)[1])
    generated = np.concatenate([frames for frames in shown if frames is not None])
    reference, gaze = registered.identity.reference_motion, generator.gaze_matrix
    _, driven = controls.apply(controls.init_state(), 0, generated, reference, gaze, SEED)
    for motion in driven:
        head = renderer.render_head(registered.appearance, motion)
        yield renderer.paste_back(registered.appearance, head)


@pytest.mark.timeout(2 * CALL_SECONDS)
@pytest.mark.parametrize(
    ("weights", "seconds"), [("generated-tiny", 1.0), ("generated", 0.12)], ids=["tiny", "full"]
)
def test_the_cluster_equals_one_process(weights: str, seconds: float) -> None:
    speech = part(0, seconds)
    with _cluster(weights) as cluster:
        answer, frames = _call(cluster.address, speech)
    assert len(frames) == answer.stats.frames == round(seconds * 25)
    assert [frame.index for frame in answer.frames] == list(range(len(frames)))
    assert len({frame.tobytes() for frame in frames}) > 1
    for expected, got in zip(_in_process(weights, speech), frames, strict=True):
        assert np.array_equal(got, expected)
