"""Files of every kind that were good and are broken now: a typed error or a result, soon."""

from __future__ import annotations

import io
import random
import struct
import time
import warnings
import zlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ditto.errors import CorruptDataError, DittoError, SetupError
from ditto.media.audio import AudioReader
from ditto.media.image import ImageLimits, decode_portrait
from ditto.media.pcm import PcmFormat, SampleType
from ditto.packs.manifest import read_manifest
from ditto.serving.config import StageConfig, load_config
from ditto.streaming import checkpoint
from tests.e2e import portraits, speech
from tests.fuzz import mutate
from tests.streaming.test_checkpoint import PACK, STATE, Outer

LONGEST_CPU_S = 1.0
COUNTS = [200, pytest.param(8000, marks=pytest.mark.slow)]
_PNG = b"\x89PNG\r\n\x1a\n"


def _outcomes(cases: Iterable[bytes], read: Callable[[bytes], object]) -> tuple[int, int]:
    """How many could be read and how many were refused; anything else is raised."""
    good = refused = 0
    for data in cases:
        begun = time.process_time()
        try:
            read(data)
            good += 1
        except DittoError:
            refused += 1
        assert time.process_time() - begun < LONGEST_CPU_S, data[:200]
    return good, refused


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_images(kind: str, count: int) -> None:
    limits = ImageLimits(pixels=1_000_000)

    def read(data: bytes) -> None:
        pixels = decode_portrait(data, limits)
        assert pixels.dtype == np.uint8
        assert pixels.ndim == 3
        assert pixels.size <= 3_000_000

    cases = mutate.cases(_images(kind), count, seed=11)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        good, refused = _outcomes(map(_mend_checksums, cases), read)
    assert good > count // 50
    assert refused > count // 50


@pytest.mark.parametrize("count", COUNTS)
def test_wav_files(count: int) -> None:
    chance = random.Random(12)

    def read(data: bytes) -> None:
        _read_all(AudioReader(None), data, chance)

    files = [
        speech.wav(16, 0.2),
        speech.wav(8, 0.2),
        speech.wav(24, 0.1, 44_100, 2),
        speech.wav(32, 0.1, 48_000, 1, 3),
        speech.wav(16, 0.1, 8000, 8),
    ]
    good, refused = _outcomes(mutate.cases(files, count, seed=12), read)
    assert good > count // 50
    assert refused > count // 50


@pytest.mark.parametrize("count", COUNTS)
def test_any_bytes_as_speech(count: int) -> None:
    chance = random.Random(13)
    kinds: list[SampleType] = ["u8", "s16le", "s24le", "s32le", "f32le"]

    def read(data: bytes) -> None:
        pcm = PcmFormat(
            chance.choice(kinds),
            chance.choice((4000, 16_000, 44_100, 95_999)),
            chance.choice((1, 2, 8)),
        )
        _read_all(AudioReader(pcm), data, chance)

    good, _ = _outcomes(mutate.cases([speech.wav(16, 0.1)], count, seed=13), read)
    assert good > count // 2


def _read_all(reader: AudioReader, data: bytes, chance: random.Random) -> None:
    at = 0
    while at < len(data):
        size = max(chance.choice((1, 7, 100, 4096)), len(data) // 40)
        samples = reader.feed(data[at : at + size])
        assert np.isfinite(samples).all()
        assert not len(samples) or np.abs(samples).max() <= 4
        at += size
    reader.finish()


@pytest.mark.parametrize("count", COUNTS)
def test_checkpoints(count: int) -> None:
    whole = checkpoint.dump_state(STATE, PACK)
    small = checkpoint.dump_state(replace(STATE, pairs=(), table=None), PACK)

    def read(data: bytes) -> None:
        state = checkpoint.load_state(data, Outer, PACK)
        assert isinstance(state.samples, np.ndarray)
        assert isinstance(state.frame, int)

    good, refused = _outcomes(mutate.cases([whole, small], count, seed=14), read)
    assert good < count // 10  # what happens to be unchanged
    signed = (_signed(data) for data in mutate.cases([whole, small], count, seed=15))
    good, refused = _outcomes(signed, read)
    assert refused > count // 4


@pytest.mark.parametrize("count", [40, pytest.param(3000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("pack", ["starter", "ditto"])
def test_manifests(tmp_path: Path, pack: str, count: int) -> None:
    folder = Path(checkpoint.__file__).parents[1] / "packs" / pack
    good_file, path = (folder / "manifest.yaml").read_bytes(), tmp_path / "manifest.yaml"

    def read(data: bytes) -> None:
        path.write_bytes(data)
        read_manifest(path)

    _, refused = _outcomes(mutate.cases([good_file], count, seed=16), read)
    assert refused > count // 4


_CONFIG = b"""listen: 127.0.0.1:7001
metrics_listen: 127.0.0.1:9001
slots: 2
idle_seconds: 4.5
pack_options: {backend: torch, threads: 2}
"""


@pytest.mark.parametrize("count", [100, pytest.param(5000, marks=pytest.mark.slow)])
def test_configurations(tmp_path: Path, count: int) -> None:
    path = tmp_path / "config.yaml"

    def read(data: bytes) -> None:
        path.write_bytes(data)
        assert load_config(StageConfig, path, {}).slots >= 1

    _, refused = _outcomes(mutate.cases([_CONFIG], count, seed=17), read)
    assert refused > count // 4


@pytest.mark.parametrize(
    "text",
    [
        "&a [*a, *a]",
        "a: &a [x, x]\nb: &b [*a, *a, *a]\n" * 3,
        "!!python/object/apply:os.system [true]",
        yaml.safe_dump({"name": ["x"] * 300}),
        "[" * 400,
        "version: 2020-99-99",
        "",
    ],
)
def test_yaml_that_would_do_harm(tmp_path: Path, text: str) -> None:
    path = tmp_path / "manifest.yaml"
    path.write_text(text)
    with pytest.raises(SetupError):
        read_manifest(path)
    with pytest.raises(SetupError):
        load_config(StageConfig, path, {})


def test_a_checkpoint_nested_without_end() -> None:
    tree = b'[["' + PACK.encode() + b'","Outer"],' + b"[" * 100_000
    body = struct.pack("<4sHI", b"DTCK", checkpoint.SCHEMA_VERSION, len(tree)) + tree
    with pytest.raises(CorruptDataError):
        checkpoint.load_state(_signed(body + bytes(16)), Outer, PACK)


def _signed(data: bytes) -> bytes:
    """With the digest that its bytes should have, so that what is behind it is reached."""
    body = data[:-16]
    return body + checkpoint._digest(body)


def _images(kind: str) -> list[bytes]:
    image = portraits.astronaut().resize((64, 80))
    tags = Image.Exif()
    tags[portraits.ORIENTATION] = portraits.TURNED_LEFT
    tags[0x010E] = "x" * 50
    tags[0x8825] = {1: "N", 2: (1.0, 2.0, 3.0)}
    files = [portraits.encoded(image, kind, exif=tags), portraits.encoded(image, kind)]
    moving = io.BytesIO()
    image.save(
        moving,
        "MPO" if kind == "JPEG" else kind,
        save_all=True,
        append_images=[image.rotate(9)],
    )
    files.append(moving.getvalue())
    if kind == "JPEG":
        files.append(portraits.encoded(image.convert("CMYK"), kind))
        files.append(portraits.encoded(image, kind, progressive=True))
    if kind == "PNG":
        said = PngInfo()
        said.add_text("a", "b" * 50, zip=True)
        files.append(portraits.encoded(image, kind, pnginfo=said))
        files.append(portraits.encoded(image.quantize(32), kind, transparency=2))
        files.append(portraits.sixteen_bit()[:200_000])
    return files


def _mend_checksums(data: bytes) -> bytes:
    """A PNG whose checksums are right, so that its decoder looks at what they cover."""
    if data[:8] != _PNG:
        return data
    mended, at = bytearray(data[:8]), 8
    while at + 12 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        body = data[at + 4 : at + 8 + size]
        if len(body) != size + 4:
            break
        mended += data[at : at + 4] + body + struct.pack(">I", zlib.crc32(body))
        at += 12 + size
    return bytes(mended + data[at:])
