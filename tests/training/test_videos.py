"""Talking videos become clips: our own render of the example, also cut, hidden, out of sync."""

from __future__ import annotations

import wave
from collections.abc import Callable, Iterable
from pathlib import Path

import av
import numpy as np
import pytest

from ditto import packs
from ditto.errors import InvalidInputError
from ditto.media.image import decode_portrait
from ditto.packs.starter import coordinates
from ditto.stages import EMOTIONS, MotionSettings
from ditto.training import cleaning, data_show, emotions, features, flip, store, videos
from ditto.training.evaluation import talking_video
from ditto.training.evaluation.face_track import FaceFollower
from ditto.training.evaluation.generate import motion_frames, to_coordinates

EXAMPLES = Path(__file__).parents[2] / "examples"
FRAMES = 110


@pytest.fixture(scope="module")
def speech() -> np.ndarray:
    with wave.open(str(EXAMPLES / "speech.wav")) as file:
        data = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    return (data[: FRAMES * 640] / 32768).astype(np.float32)


@pytest.fixture(scope="module")
def pictures(speech: np.ndarray) -> np.ndarray:
    """(T, 256, 256, 3) the example portrait saying the example's first seconds."""
    pack = packs.load("starter")
    renderer = pack.renderer()
    portrait = renderer.prepare(decode_portrait((EXAMPLES / "astronaut.jpg").read_bytes()))
    heard = features.stream(pack.audio_encoder(), speech)
    motion = motion_frames(
        pack.motion_generator(), heard, MotionSettings(seed=1), portrait.identity
    )
    return np.array([renderer.render_head(portrait.appearance, frame) for frame in motion])


def film(path: Path, pictures: Iterable[np.ndarray], sound: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=25, width=512, height=512, pix_fmt="yuv420p")
        video.bit_rate = 4_000_000
        audio = container.add_stream("pcm_s16le", rate=16_000, layout="mono")
        for picture in pictures:
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        samples = (sound * 32767).astype(np.int16)[None]
        block = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        block.sample_rate = 16_000
        container.mux(audio.encode(block))
        container.mux(audio.encode(None))
    return path


@pytest.fixture(scope="module")
def build() -> Callable[..., None]:
    pack = packs.load("starter")
    encoder, generator = pack.audio_encoder(), pack.motion_generator()
    follower = FaceFollower(pack.asset("face_landmarker"))

    def run(folder: Path, found: list[Path], label: emotions.Label = emotions.by_folder) -> None:
        sync = cleaning.SyncCheck(encoder, generator)
        videos.build(folder, found, encoder, videos.StarterExtractor(), follower, sync, label)

    return run


def test_a_talking_video_becomes_a_clip(
    build: Callable[..., None], pictures: np.ndarray, speech: np.ndarray, tmp_path: Path
) -> None:
    video = film(tmp_path / "videos" / "happy" / "talk.avi", pictures, speech)
    build(tmp_path / "data", videos.find_videos(tmp_path / "videos"))
    (clip,) = store.read_clips(tmp_path / "data")
    assert (clip.name, clip.voice) == ("talk@0", "talk")
    assert clip.emotion == EMOTIONS.index("happy")
    assert clip.face.shape == (1, FRAMES, coordinates.COUNT)
    assert clip.keypoints is not None
    heard = features.stream(packs.load("starter").audio_encoder(), talking_video.speech(video))
    np.testing.assert_array_equal(clip.audio, heard[:FRAMES].astype(np.float16))
    made = to_coordinates(motion_frames(packs.load("starter").motion_generator(), heard))
    gap = coordinates.index("lipGap")
    assert np.corrcoef(made[:FRAMES, gap], clip.face[0, :, gap])[0, 1] > 0.6
    np.testing.assert_allclose(np.median(clip.face[0][:, coordinates.POSE_PART], 0), 0, atol=1e-5)
    assert np.ptp(clip.posture[0], axis=0)[:3].max() > 0.1
    np.testing.assert_allclose(
        clip.eyes[0, :, 0], 1 - clip.face[0, :, coordinates.index("eyeBlinkRight")], atol=1e-6
    )
    picture = tmp_path / "sample.png"
    faces = data_show.source_faces(tmp_path / "data", clip)
    assert len(faces) == 8
    data_show.draw(clip, picture, [("the video", faces)])
    assert decode_portrait(picture.read_bytes()).shape[1] > 600
    build(tmp_path / "data", [video])  # nothing is done twice
    assert len(store.read_clips(tmp_path / "data")) == 1


@pytest.mark.slow
def test_faults_are_left_out_and_named(
    build: Callable[..., None], pictures: np.ndarray, speech: np.ndarray, tmp_path: Path
) -> None:
    broken = pictures.copy()
    broken[60:] = broken[60:, :, ::-1] // 2  # another scene, too short to teach
    broken[88:92] = 30
    late = np.roll(speech, -10 * 640)
    found = [
        film(tmp_path / "cut.avi", broken, speech),
        film(tmp_path / "late.avi", pictures, late),
        film(tmp_path / "silent.avi", pictures[:50], 0 * speech[:32000]),
        film(tmp_path / "empty.avi", 0 * pictures[:50], speech[:32000]),
    ]
    build(tmp_path / "data", found)
    index = store.read_index(tmp_path / "data")
    reasons = index["left_out"]
    assert [row["name"] for row in index["clips"]] == ["cut@0"]
    assert index["clips"][0]["frames"] == 60
    assert reasons["cut@60"].startswith("too short: 28 frames before a lost face")
    assert reasons["cut@92"].startswith("too short: 18 frames before the end")
    assert reasons["late@0"].startswith("off sync: lips move 400 ms after")
    assert reasons["silent@0"] == "no sound"
    assert "no face" in reasons["empty"]


def test_another_pack_extracts_the_mirrored_pictures_too(pictures: np.ndarray) -> None:
    extractor = videos.PackExtractor("any", packs.load("starter").renderer())
    straight, mirrored = extractor(
        np.zeros((0, 478, 3), np.float32), lambda: iter(pictures[[20, 60]])
    )
    assert straight.motion.shape == mirrored.motion.shape == (2, 265)
    expected = flip.mirror_frames(straight.motion)
    error = np.abs(to_coordinates(mirrored.motion) - to_coordinates(expected))
    assert error[:, coordinates.index("yaw")].max() < 2
    np.testing.assert_allclose(
        mirrored.keypoints, flip.mirror_keypoints(straight.keypoints), atol=0.02
    )
    np.testing.assert_allclose(mirrored.eyes[:, :2], straight.eyes[:, [1, 0]], atol=0.2)


def test_labels_come_from_folders_tables_and_classifiers(tmp_path: Path) -> None:
    assert emotions.by_folder(Path("sad/a.mp4"), []) == EMOTIONS.index("sad")
    assert emotions.by_folder(Path("videos/a.mp4"), []) == EMOTIONS.index("neutral")
    table = tmp_path / "emotions.csv"
    table.write_text("a,angry\nb,bored\n", "utf-8")
    assert emotions.by_table(table)(Path("a.mp4"), []) == EMOTIONS.index("angry")
    for name, problem in (("b", "bored"), ("c", "no row for c")):
        with pytest.raises(InvalidInputError, match=problem):
            emotions.by_table(table)(Path(f"{name}.mp4"), [])
    label = emotions.by_classifier(f"{__name__}:dark_is_sad")
    assert label(Path("a.mp4"), [np.zeros((2, 2, 3), np.uint8)]) == EMOTIONS.index("sad")
    for wrong in ("nothing.here:at_all", f"{__name__}:missing", "no-colon"):
        with pytest.raises(InvalidInputError, match="module:function"):
            emotions.by_classifier(wrong)


def dark_is_sad(pictures: Iterable[np.ndarray]) -> str:
    return "sad" if np.mean([picture.mean() for picture in pictures]) < 50 else "neutral"
