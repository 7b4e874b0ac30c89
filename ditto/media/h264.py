"""H.264 access units between their two forms: Annex B (start codes) and MP4 (lengths)."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

from ditto.errors import CorruptDataError

_START_CODE = re.compile(b"\0*\0\0\1")
_SPS, _PPS = 7, 8


@dataclass(frozen=True)
class ParameterSets:
    """What a decoder must know before the first frame."""

    sps: bytes
    pps: bytes

    @property
    def codec(self) -> str:
        """The codec's name in a MIME type, such as avc1.42c01f."""
        return "avc1." + self.sps[1:4].hex()

    @property
    def avcc(self) -> bytes:
        """The decoder configuration record of an MP4 file (ISO 14496-15)."""
        header = b"\x01" + self.sps[1:4] + b"\xff"  # 0xff: lengths of four bytes
        return (
            header
            + b"\xe1" + struct.pack(">H", len(self.sps)) + self.sps
            + b"\x01" + struct.pack(">H", len(self.pps)) + self.pps
        )  # fmt: skip


def split(access_unit: bytes) -> tuple[ParameterSets | None, bytes]:
    """An Annex B access unit as its parameter sets, if any, and its MP4 sample without them.

    Raises `CorruptDataError` for bytes that hold no picture.
    """
    units = [unit for unit in _START_CODE.split(access_unit)[1:] if unit]
    pictures = [unit for unit in units if unit[0] & 0x1F not in (_SPS, _PPS)]
    if not pictures:
        raise CorruptDataError("an H.264 access unit without a picture")
    sample = b"".join(struct.pack(">I", len(unit)) + unit for unit in pictures)
    sets = {unit[0] & 0x1F: unit for unit in units}
    found = ParameterSets(sets[_SPS], sets[_PPS]) if _SPS in sets and _PPS in sets else None
    return found, sample
