"""The boxes of a fragmented MP4 with one H.264 and one AAC track (ISO 14496-12, -14, -15).

Only what a player of such a stream reads. Track 1 is the picture, track 2 the sound.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from ditto.media.h264 import ParameterSets

VIDEO_TRACK, AUDIO_TRACK = 1, 2

_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_MOVIE_TIMESCALE = 1000
_KEYFRAME_FLAGS, _OTHER_FLAGS = 0x0200_0000, 0x0101_0000


@dataclass(frozen=True)
class VideoTrack:
    """What the header says of the picture."""

    width: int
    height: int
    timescale_hz: int
    frame_duration: int
    parameter_sets: ParameterSets


@dataclass(frozen=True)
class AudioTrack:
    """What the header says of the sound."""

    rate_hz: int
    packet_samples: int
    priming_samples: int
    """Decoded samples before the first real one; an edit list makes players skip them."""
    config: bytes
    bit_rate: int


@dataclass(frozen=True)
class Run:
    """Consecutive samples of one track within a fragment."""

    track: int
    start: int
    """Decode time of the first, in the track's timescale."""
    samples: Sequence[bytes]
    keyframes: Sequence[bool]


def init_segment(video: VideoTrack, audio: AudioTrack) -> bytes:
    """`ftyp` and `moov`: what a player needs before the first fragment."""
    movie = _full(
        "mvhd",
        0,
        struct.pack(">4I", 0, 0, _MOVIE_TIMESCALE, 0)
        + struct.pack(">IHH8x", 0x10000, 0x100, 0)
        + _MATRIX
        + bytes(24)
        + struct.pack(">I", 3),
    )
    extends = _box(
        "mvex",
        _trex(VIDEO_TRACK, video.frame_duration, _OTHER_FLAGS),
        _trex(AUDIO_TRACK, audio.packet_samples, _KEYFRAME_FLAGS),
    )
    brands = b"iso6" + struct.pack(">I", 0x200) + b"iso6mp41"
    tracks = _video_trak(video), _audio_trak(audio)
    return _box("ftyp", brands) + _box("moov", movie, *tracks, extends)


def fragment(sequence: int, runs: Sequence[Run]) -> bytes:
    """`moof` and `mdat` of one fragment; `sequence` counts from 1."""
    offsets = [0] * len(runs)
    size = len(_moof(sequence, runs, offsets))
    payload = b""
    for index, run in enumerate(runs):
        offsets[index] = size + 8 + len(payload)
        payload += b"".join(run.samples)
    return _moof(sequence, runs, offsets) + _box("mdat", payload)


def _moof(sequence: int, runs: Sequence[Run], offsets: Sequence[int]) -> bytes:
    tracks = [_traf(run, offset) for run, offset in zip(runs, offsets, strict=True)]
    return _box("moof", _full("mfhd", 0, struct.pack(">I", sequence)), *tracks)


def _traf(run: Run, data_offset: int) -> bytes:
    entries = b"".join(
        struct.pack(">II", len(sample), _KEYFRAME_FLAGS if keyframe else _OTHER_FLAGS)
        for sample, keyframe in zip(run.samples, run.keyframes, strict=True)
    )
    count_and_offset = struct.pack(">Ii", len(run.samples), data_offset)
    return _box(
        "traf",
        _full("tfhd", 0x020000, struct.pack(">I", run.track)),  # offsets count from the moof
        _full("tfdt", 0x1000000, struct.pack(">Q", run.start)),
        _full("trun", 0x000601, count_and_offset + entries),  # offset, sizes, flags
    )


def _video_trak(video: VideoTrack) -> bytes:
    entry = _box(
        "avc1",
        bytes(6) + struct.pack(">H16xHH", 1, video.width, video.height),
        struct.pack(">III", 0x480000, 0x480000, 0) + struct.pack(">H32xHh", 1, 24, -1),
        _box("avcC", video.parameter_sets.avcc),
    )
    header = _tkhd(VIDEO_TRACK, 0, video.width, video.height)
    media_header = _full("vmhd", 1, bytes(8))
    return _box("trak", header, _mdia(video.timescale_hz, "vide", media_header, entry))


def _audio_trak(audio: AudioTrack) -> bytes:
    entry = _box(
        "mp4a",
        bytes(6) + struct.pack(">H8xHH4xI", 1, 1, 16, audio.rate_hz << 16),
        _full("esds", 0, _decoder_descriptor(audio)),
    )
    edit = _full("elst", 0, struct.pack(">IIiI", 1, 0, audio.priming_samples, 0x10000))
    media = _mdia(audio.rate_hz, "soun", _full("smhd", 0, bytes(4)), entry)
    return _box("trak", _tkhd(AUDIO_TRACK, 0x100, 0, 0), _box("edts", edit), media)


def _decoder_descriptor(audio: AudioTrack) -> bytes:
    specific = _descriptor(5, audio.config)
    rates = struct.pack(">II", audio.bit_rate, audio.bit_rate)
    decoder = _descriptor(4, b"\x40\x15\0\0\0" + rates + specific)  # MPEG-4 audio, a stream
    return _descriptor(3, struct.pack(">HB", AUDIO_TRACK, 0) + decoder + _descriptor(6, b"\x02"))


def _descriptor(tag: int, body: bytes) -> bytes:
    return struct.pack(">BB", tag, len(body)) + body


def _tkhd(track: int, volume: int, width: int, height: int) -> bytes:
    times = struct.pack(">5I8x", 0, 0, track, 0, 0)
    layout = struct.pack(">HHHH", 0, 0, volume, 0) + _MATRIX
    return _full("tkhd", 3, times + layout + struct.pack(">II", width << 16, height << 16))


def _mdia(timescale_hz: int, handler: str, media_header: bytes, entry: bytes) -> bytes:
    head = _full("mdhd", 0, struct.pack(">4IHH", 0, 0, timescale_hz, 0, 0x55C4, 0))  # "und"
    kind = _full("hdlr", 0, struct.pack(">I4s12x", 0, handler.encode()) + b"ditto\0")
    here = _full("dref", 0, struct.pack(">I", 1) + _full("url ", 1))
    table = _box(
        "stbl",
        _full("stsd", 0, struct.pack(">I", 1) + entry),
        *(_full(name, 0, bytes(4)) for name in ("stts", "stsc")),
        _full("stsz", 0, bytes(8)),
        _full("stco", 0, bytes(4)),
    )
    return _box("mdia", head, kind, _box("minf", media_header, _box("dinf", here), table))


def _trex(track: int, duration: int, flags: int) -> bytes:
    return _full("trex", 0, struct.pack(">5I", track, 1, duration, 0, flags))


def _full(name: str, version_and_flags: int, *parts: bytes) -> bytes:
    return _box(name, struct.pack(">I", version_and_flags), *parts)


def _box(name: str, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", len(body) + 8, name.encode()) + body
