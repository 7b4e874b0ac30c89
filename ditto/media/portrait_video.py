"""A short video as a portrait: its bytes checked, its pictures as often as they are needed."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass

import av
import numpy as np
from av.container import InputContainer
from numpy.typing import NDArray

from ditto.errors import InvalidInputError
from ditto.media.pictures import pictures_at

_EBML = b"\x1aE\xdf\xa3"
_STILL_BRANDS = (b"avif", b"avis", b"heic", b"heix", b"heim", b"mif1", b"msf1")
"""Pictures that come in the boxes of an MP4."""
_SLACK_S = 0.1
"""How much longer than allowed a video may be: the sound's end, rounding."""


@dataclass(frozen=True)
class VideoLimits:
    """The largest portrait video that is accepted."""

    bytes: int = 24 * 1024 * 1024
    pixels: int = 1920 * 1080
    """Of one picture."""
    seconds: float = 4.0
    frame_rate: int = 25
    """Pictures a second that are taken from it."""

    @property
    def frames(self) -> int:
        """Most pictures."""
        return round((self.seconds + _SLACK_S) * self.frame_rate)


def is_video(data: bytes) -> bool:
    """Whether a portrait's bytes are an MP4, MOV, Matroska or WebM file, by their first ones."""
    is_mp4 = data[4:8] == b"ftyp" and data[8:12] not in _STILL_BRANDS
    return is_mp4 or data[:4] == _EBML


class PortraitVideo:
    """The pictures of a portrait video: RGB (H, W, 3), upright; each iteration decodes anew."""

    def __init__(self, data: bytes, limits: VideoLimits | None = None) -> None:
        """Raises `InvalidInputError` on the field `portrait`: no video, or beyond ``limits``.

        What only decoding tells, damage and a length that the header conceals, is raised by the
        iteration.
        """
        self._data = data
        self._limits = limits = limits or VideoLimits()
        if len(data) > limits.bytes:
            raise _refused(f"{len(data)} bytes; allowed: up to {limits.bytes}")
        with self._open() as container:
            if not container.streams.video:
                raise _refused("has no pictures")
            stream = container.streams.video[0]
            if stream.width * stream.height > limits.pixels:
                raise _refused(
                    f"{stream.width}x{stream.height} pixels; allowed: up to {limits.pixels}"
                )
            if container.duration:
                self._check_seconds(container.duration / av.time_base)

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        taken = 0
        with self._open() as container:
            try:
                for picture in pictures_at(container, self._limits.frame_rate):
                    taken += 1
                    if taken > self._limits.frames:
                        self._check_seconds(taken / self._limits.frame_rate)
                    yield picture
            except (av.FFmpegError, ValueError) as error:
                raise _refused(f"is a damaged video ({error})") from None
        if not taken:
            raise _refused("has no pictures")

    def _check_seconds(self, seconds: float) -> None:
        if seconds > self._limits.seconds + _SLACK_S:
            raise _refused(f"lasts {seconds:.1f} s; allowed: up to {self._limits.seconds:g} s")

    def _open(self) -> InputContainer:
        try:
            return av.open(io.BytesIO(self._data), mode="r")
        except (av.FFmpegError, ValueError) as error:
            raise _refused(f"is no video that can be read ({error})") from None


def _refused(problem: str) -> InvalidInputError:
    return InvalidInputError("portrait", f"video: {problem}")
