"""A WAV file arriving in pieces: the header read as it comes, then the PCM bytes passed on.

Sizes of the RIFF chunk are ignored and a data size of 0 or of about 4 GiB means "until the stream
ends", which is what programs write when they do not know the length beforehand.
"""

from __future__ import annotations

import struct

from ditto.errors import InvalidInputError
from ditto.media.pcm import PcmFormat, SampleType

_TAG_PCM, _TAG_FLOAT, _TAG_EXTENSIBLE = 1, 3, 0xFFFE
_SAMPLE_TYPES: dict[tuple[int, int], SampleType] = {
    (_TAG_PCM, 8): "u8",
    (_TAG_PCM, 16): "s16le",
    (_TAG_PCM, 24): "s24le",
    (_TAG_PCM, 32): "s32le",
    (_TAG_FLOAT, 32): "f32le",
}
_STREAMED_SIZE = 0x7FFF_0000
_MAX_FORMAT_BYTES = 4096
_MAX_HEADER_BYTES = 16 * 1024 * 1024


class WavStream:
    """Takes the bytes of a WAV file in any pieces and gives the PCM bytes within."""

    def __init__(self) -> None:
        self.format: PcmFormat | None = None
        """Known once the header has been read."""
        self._pending = bytearray()
        self._started = False
        self._skip_bytes = 0
        self._header_bytes = 0
        self._data_bytes_left: int | None = None

    @classmethod
    def resume(cls, pcm: PcmFormat, data_bytes_left: int) -> WavStream:
        """A stream whose header has been read, with so many bytes of samples to come."""
        stream = cls()
        stream.format = pcm
        stream._data_bytes_left = data_bytes_left
        return stream

    @property
    def data_bytes_left(self) -> int | None:
        """Bytes of samples to come; None while the header is being read."""
        return self._data_bytes_left

    def feed(self, data: bytes) -> bytes:
        """The PCM bytes that `data` completes; `InvalidInputError` if this is no usable WAV."""
        if self._data_bytes_left is None:
            self._pending += data
            while self._data_bytes_left is None and self._read_header_part():
                pass
            if self._data_bytes_left is None:
                return b""
            data, self._pending = bytes(self._pending), bytearray()
        wanted = data[: self._data_bytes_left]
        self._data_bytes_left -= len(wanted)
        return wanted

    def finish(self) -> None:
        """Raises `InvalidInputError` when the stream ended inside the header."""
        if self._data_bytes_left is None:
            raise InvalidInputError("audio", "ended before the WAV header's data chunk")

    def _read_header_part(self) -> bool:
        """Consume one part of the header; False when more bytes are needed first."""
        if self._skip_bytes:
            self._consume(min(self._skip_bytes, len(self._pending)), skipped=True)
            return not self._skip_bytes
        return self._read_chunk() if self._started else self._read_riff()

    def _read_riff(self) -> bool:
        magic, kind = bytes(self._pending[:4]), bytes(self._pending[8:12])
        if not (b"RIFF".startswith(magic) and b"WAVE".startswith(kind)):
            raise InvalidInputError("audio", "is no WAV file: it does not begin RIFF....WAVE")
        if len(self._pending) < 12:
            return False
        self._consume(12)
        self._started = True
        return True

    def _read_chunk(self) -> bool:
        if len(self._pending) < 8:
            return False
        name, size = struct.unpack_from("<4sI", self._pending)
        if name == b"data":
            self._start_data(size)
        elif name == b"fmt ":
            return self._read_format(size)
        else:
            self._skip_bytes = size + size % 2
        self._consume(8)
        return True

    def _start_data(self, size: int) -> None:
        if self.format is None:
            raise InvalidInputError("audio", "its WAV data chunk comes before the fmt chunk")
        self._data_bytes_left = size if 0 < size < _STREAMED_SIZE else 1 << 62

    def _read_format(self, size: int) -> bool:
        if not 16 <= size <= _MAX_FORMAT_BYTES:
            raise InvalidInputError("audio", f"WAV fmt chunk of {size} bytes; allowed: 16 to 4096")
        if len(self._pending) < 8 + size:
            return False
        self.format = _parse_format(bytes(self._pending[8 : 8 + size]))
        self._consume(8 + size)
        self._skip_bytes = size % 2
        return True

    def _consume(self, count: int, skipped: bool = False) -> None:
        self._header_bytes += count
        if self._header_bytes > _MAX_HEADER_BYTES:
            raise InvalidInputError("audio", "its WAV header is longer than 16 MiB")
        del self._pending[:count]
        if skipped:
            self._skip_bytes -= count


def _parse_format(body: bytes) -> PcmFormat:
    tag, channels, rate_hz, _, frame_bytes, bits = struct.unpack_from("<HHIIHH", body)
    if tag == _TAG_EXTENSIBLE and len(body) >= 26:
        (tag,) = struct.unpack_from("<H", body, 24)  # the sub-format begins with the plain tag
    sample_type = _SAMPLE_TYPES.get((tag, bits))
    if sample_type is None:
        raise InvalidInputError(
            "audio",
            f"WAV format {tag:#x}, {bits} bits; allowed: PCM of 8, 16, 24, 32 bits, float of 32",
        )
    pcm = PcmFormat(sample_type, rate_hz, channels)
    if frame_bytes != pcm.frame_bytes:
        raise InvalidInputError("audio", f"its WAV header gives {frame_bytes} bytes a sample")
    return pcm
