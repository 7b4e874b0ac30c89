"""The on-disk format: what goes in comes out, a cut build goes on, damage is noticed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ditto.errors import CorruptDataError, InvalidInputError
from ditto.packs.starter import coordinates
from ditto.training import store
from ditto.training.data_check import check
from ditto.training.dataset import Clip, split_of
from ditto.training.speech.takes import Take
from ditto.training.speech_data import framed_sound

SPACE = store.Space("starter", coordinates.COUNT, 24)


@pytest.fixture(scope="module")
def clips(clip: Clip, take: Take) -> list[Clip]:
    sounding = replace(clip, sound=framed_sound(take.samples, len(clip.audio)))
    frames = len(clip.audio)
    keypoints = np.random.default_rng(0).normal(0, 0.2, (3, frames, 63)).astype(np.float32)
    return [
        replace(sounding, name="first"),
        replace(sounding, name="second", emotion=3, keypoints=keypoints, voice="other"),
        replace(sounding, name="third", split="test", voice="kept"),
    ]


def write(folder: Path, clips: list[Clip]) -> None:
    with store.Writer(folder, SPACE) as writer:
        for clip in clips:
            if clip.name not in writer:
                writer.add(clip, "speech")


def test_clips_survive_the_disk(clips: list[Clip], tmp_path: Path) -> None:
    write(tmp_path, clips)
    for found, wanted in zip(store.read_clips(tmp_path), clips, strict=True):
        for name, value in vars(wanted).items():
            if isinstance(value, np.ndarray):
                np.testing.assert_array_equal(getattr(found, name), value, err_msg=name)
                assert isinstance(getattr(found, name), np.memmap), name
            else:
                assert getattr(found, name) == value, name


def test_a_build_that_was_cut_keeps_what_it_had_and_goes_on(
    clips: list[Clip], tmp_path: Path
) -> None:
    def cut() -> None:
        with store.Writer(tmp_path, SPACE) as writer:
            writer.add(clips[0], "speech")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cut()
    assert [clip.name for clip in store.read_clips(tmp_path)] == ["first"]
    write(tmp_path, clips)
    assert [clip.name for clip in store.read_clips(tmp_path)] == ["first", "second", "third"]
    assert len(list(tmp_path.glob("shard-*"))) == 2


def test_full_shards_are_written_at_once(
    clips: list[Clip], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "SHARD_FRAMES", 10)
    with store.Writer(tmp_path, SPACE) as writer:
        for number, clip in enumerate(clips, 1):
            writer.add(clip, "speech")
            assert len(store.read_clips(tmp_path)) == number


def test_nothing_in_a_data_folder_is_pickled(clips: list[Clip], tmp_path: Path) -> None:
    write(tmp_path, clips)
    names = {path.suffix for path in tmp_path.rglob("*") if path.is_file()}
    assert names == {".npy", ".json"}
    for path in tmp_path.rglob("*.npy"):
        np.load(path, allow_pickle=False)


def test_damage_and_foreign_folders_are_named(clips: list[Clip], tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="ditto data build"):
        store.read_clips(tmp_path)
    write(tmp_path, clips)
    with pytest.raises(InvalidInputError, match="starter"):
        store.Writer(tmp_path, store.Space("ditto", 265, 1024))
    face = tmp_path / "shard-0000" / "face.npy"
    np.save(face, np.load(face)[:-5])
    with pytest.raises(CorruptDataError, match="face is cut short"):
        store.read_clips(tmp_path)
    face.unlink()
    with pytest.raises(CorruptDataError, match="build again"):
        store.read_clips(tmp_path)


def test_a_check_counts_and_finds_faults(clips: list[Clip], tmp_path: Path) -> None:
    write(tmp_path / "good", clips)
    findings = check(tmp_path / "good")
    assert findings.faults == []
    assert "train: 2 clips" in "\n".join(findings.summary)
    assert "emotions: drawn 2, happy 1" in findings.summary
    broken = np.array(clips[0].face)
    broken[0, 3, 2] = np.nan
    bad = [
        replace(clips[0], face=broken),
        replace(clips[2], voice=clips[0].voice),
        replace(clips[1], eyes=clips[1].eyes + 1000),
    ]
    write(tmp_path / "bad", bad)
    faults = "\n".join(check(tmp_path / "bad").faults)
    assert "first: face holds numbers that are not finite" in faults
    assert f"{clips[0].voice}: trains and judges" in faults
    assert "second: eyes reaches" in faults


def test_splits_follow_from_names_alone_and_keep_their_shares() -> None:
    shares = {"tuning": 0.1, "test": 0.2}
    drawn = [split_of(f"video-{n}", shares) for n in range(4000)]
    assert drawn == [split_of(f"video-{n}", shares) for n in range(4000)]
    assert abs(drawn.count("tuning") / 4000 - 0.1) < 0.02
    assert abs(drawn.count("test") / 4000 - 0.2) < 0.02
