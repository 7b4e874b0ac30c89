"""The caller's speech, decoded, with the places in its bytes from where it can be sent again."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from ditto.errors import ProtocolError
from ditto.media.audio import AudioReader, ReaderState
from ditto.media.pcm import Samples
from ditto.streaming.checkpoint import dump_state, load_state

_SPACING_SAMPLES = 1600
"""Places lie at least so far apart: a tenth of a second."""
_SCHEMA = "reader of a caller's speech"


@dataclass(frozen=True)
class Place:
    """The caller's bytes from `offset` on give the decoded samples from `samples` on."""

    offset: int
    samples: int
    state: ReaderState | None
    """None at the start of the call."""

    def dump(self) -> bytes:
        """The state as bytes."""
        return b"" if self.state is None else dump_state(self.state, _SCHEMA)


class TrackedReader:
    """An `AudioReader` that can say, for any decoded sample not long past, where to go on."""

    def __init__(self, reader: AudioReader, tracks: bool) -> None:
        """`tracks`: whether places are kept at all."""
        self._reader = reader
        self._tracks = tracks
        self._given_again = 0
        self.taken_bytes = 0
        """Bytes of the call so far."""
        self._places: deque[Place] = deque([Place(0, 0, None)])

    @classmethod
    def resume(cls, place: Place, reader: AudioReader, given_again: int) -> TrackedReader:
        """Go on at a place; the next `given_again` samples are known already and left out."""
        tracked = cls(reader, tracks=True)
        tracked._given_again = given_again
        tracked.taken_bytes = place.offset
        tracked._places = deque([place])
        return tracked

    @property
    def samples(self) -> int:
        """Decoded samples of the call so far, those left out among them."""
        return self._reader.produced_samples + self._given_again

    def pieces(self, data: bytes, seconds: float) -> Iterator[memoryview]:
        """The bytes cut to pieces of at most so much speech."""
        return self._reader.pieces(data, seconds)

    def feed(self, data: bytes | memoryview) -> Samples:
        """Take the next bytes; give the samples that became complete."""
        samples = self._new(self._reader.feed(data))
        self.taken_bytes += len(data)
        self._keep_place()
        return samples

    def finish(self) -> Samples:
        """End of speech: the last samples."""
        return self._new(self._reader.finish())

    def place(self, samples: int) -> Place:
        """The last place at or before a decoded sample; places before it are forgotten."""
        while len(self._places) > 1 and self._places[1].samples <= samples:
            self._places.popleft()
        return self._places[0]

    def _new(self, samples: Samples) -> Samples:
        known = min(self._given_again, len(samples))
        self._given_again -= known
        return samples[known:]

    def _keep_place(self) -> None:
        produced = self._reader.produced_samples
        if not self._tracks or produced < self._places[-1].samples + _SPACING_SAMPLES:
            return
        try:
            state = self._reader.state()
        except ProtocolError:  # inside a WAV header
            return
        self._places.append(Place(self.taken_bytes, produced, state))


def reader_at(data: bytes) -> tuple[AudioReader, ReaderState]:
    """A reader where `Place.dump` was made. Raises `CorruptDataError`."""
    state = load_state(data, ReaderState, _SCHEMA)
    return AudioReader.resume(state), state
