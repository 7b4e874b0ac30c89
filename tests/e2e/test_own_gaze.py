"""A gaze correction of one's own: from a recording, through the commands, to the motion stage."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ditto import packs
from ditto.cli import main
from ditto.motion import controls, gaze, semantics
from ditto.motion.layout import EXPRESSION
from ditto.motion.track import load_track
from ditto.serving.frames import block_of
from ditto.v1 import types_pb2 as types
from ditto.v1.motion_dit_pb2 import GenerateConfig, GenerateRequest
from ditto.v1.motion_dit_pb2_grpc import MotionDitServiceStub
from tests.face import example, moving
from tests.packs.starter.renderer.driving import motion
from tests.services.processes import ServiceProcess, serving

pytestmark = pytest.mark.slow
FRAMES = 70
TURN_DEGREES = 10.0
GAZE_X = semantics.control_index("gazeX")


def recording() -> bytes:
    """Somebody who nods and shakes the head, the eyes on the camera."""
    renderer = packs.load("starter").renderer()
    portrait = renderer.prepare(example.close_up())
    time = np.linspace(0, 2 * np.pi, FRAMES)
    turns = np.stack([8 * np.sin(2 * time), 10 * np.sin(3 * time), 0 * time], axis=1)
    rows = np.stack([motion(portrait, turn=(p, y, r)) for p, y, r in turns.tolist()])
    matrix = gaze.fit(load_track(packs.load("starter").weights("gaze_template.npz")))
    reference = portrait.identity.reference_motion
    _, held = controls.apply(controls.init_state(), 0, rows, reference, matrix)
    return moving.encoded(tuple(renderer.render_head(portrait.appearance, row) for row in held))


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that the two commands make of a recording, as the documentation says."""
    folder = tmp_path_factory.mktemp("gaze")
    (folder / "template.mp4").write_bytes(recording())
    video, track, made = (str(folder / n) for n in ("template.mp4", "template.npz", "gaze.npz"))
    assert main(["motion", "extract", video, "-o", track]) == 0
    assert main(["fit-gaze", track, "-o", made]) == 0
    return Path(made)


async def gaze_of_a_turned_head(service: ServiceProcess, **fields: object) -> float:
    """gazeX of what is generated with the head turned, less that with the head at rest."""

    async def generated(yaw: float) -> np.ndarray:
        identity = types.FaceIdentity(
            canonical_keypoints=[0.1] * 63, reference_motion=[0.0] * 265, eye_state=[0.3] * 8
        )
        control = types.MotionControl(yaw_offset_degrees=yaw, **fields)
        requests = [
            GenerateRequest(config=GenerateConfig(identity=identity, control=control)),
            GenerateRequest(
                features=block_of(
                    0, np.zeros((40, packs.load("starter").manifest.feature_dim), np.float32)
                )
            ),
        ]
        async with service.channel() as channel:
            call = MotionDitServiceStub(channel).Generate(iter(requests))
            replies = [reply.motion.frames async for reply in call if reply.HasField("motion")]
        rows = [np.frombuffer(block.data, "<f4").reshape(-1, 265) for block in replies]
        return semantics.decode(np.concatenate(rows)[:, EXPRESSION])[:, GAZE_X]

    return float(np.median(await generated(TURN_DEGREES) - await generated(0.0)))


def expected(matrix: np.ndarray) -> float:
    return float(semantics.decode((TURN_DEGREES * matrix[:, 1])[None])[0, GAZE_X])


async def test_a_recording_becomes_the_correction_that_the_stage_uses(own: Path) -> None:
    matrix = gaze.load_matrix(own)
    packs_own = gaze.fit(load_track(packs.load("starter").weights("gaze_template.npz")))
    assert -0.4 < expected(matrix) < -0.1  # the eyes turn against the head
    with serving("motion_dit", f'pack_options={{"gaze": "{own}"}}') as service:
        with_own = await gaze_of_a_turned_head(service)
        without = await gaze_of_a_turned_head(service, gaze_correction=0)
    assert with_own == pytest.approx(expected(matrix), abs=0.02)
    assert abs(without) < 0.02
    assert abs(with_own - expected(packs_own)) > 0.05  # this one alone, not both
