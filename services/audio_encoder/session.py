"""One encoder session: bytes of speech in any format to feature frames."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, make_dataclass
from functools import partial
from typing import Any

from ditto.errors import CorruptDataError, ProtocolError
from ditto.media.audio import AudioReader, ReaderState
from ditto.media.pcm import PcmFormat
from ditto.serving.stage_steps import StageStep
from ditto.stages import Array, AudioEncoder
from ditto.streaming.checkpoint import dump_state, load_state

PIECE_SECONDS = 0.2
"""A long message is encoded in pieces of so much speech, so that sessions take turns."""


@dataclass(frozen=True)
class Features:
    """Feature frames (T, D) that became complete."""

    first_frame: int
    frames: Array
    checkpoint: bytes
    """The state after these frames; empty where it would cut a message in two."""


class EncoderSession:
    """What the servicer calls, one method at a time; the steps that they give are computed in
    batches with those of other sessions."""

    def __init__(self, encoder: AudioEncoder[Any], pack_hash: str, pcm: PcmFormat | None) -> None:
        """A new session; ``pcm`` None means a WAV file."""
        self._encoder = encoder
        self._pack_hash = pack_hash
        self._reader = AudioReader(pcm)
        self._state = encoder.init_state()
        self._next_frame = 0
        stage = ("encoder", type(self._state))
        layout = [("reader", ReaderState), stage, ("next_frame", int)]
        self._checkpoint_type = make_dataclass("EncoderSessionState", layout, frozen=True)

    def resume(self, data: bytes) -> None:
        """Go on from a checkpoint. Raises `ProtocolError` for one of another pack or version."""
        state: Any
        try:
            state = load_state(data, self._checkpoint_type, self._pack_hash)
        except CorruptDataError as error:
            raise ProtocolError(f"{error}; start without it and replay") from error
        self._reader = AudioReader.resume(state.reader)
        self._state = state.encoder
        self._next_frame = state.next_frame

    @property
    def samples_taken(self) -> int:
        """Samples of speech so far, at their own rate, those before the checkpoint among them."""
        return self._reader.consumed_samples

    def pieces(self, audio: bytes) -> Iterator[memoryview]:
        """The audio of one message, cut to what one job should encode."""
        return self._reader.pieces(audio, PIECE_SECONDS)

    def take(self, audio: memoryview, ends_message: bool) -> StageStep[Features | None]:
        """The step that encodes the next piece of speech."""
        samples = self._reader.feed(audio)
        accept = partial(self._accept, with_checkpoint=ends_message)
        return StageStep(self._state, samples, is_last=False, accept=accept)

    def finish(self) -> StageStep[Features | None]:
        """The step that encodes the rest at the end of the speech."""
        accept = partial(self._accept, with_checkpoint=False)
        return StageStep(self._state, self._reader.finish(), is_last=True, accept=accept)

    def _accept(self, state: Any, frames: Array | None, with_checkpoint: bool) -> Features | None:
        self._state = state
        if frames is None or not len(frames):
            return None
        first, self._next_frame = self._next_frame, self._next_frame + len(frames)
        return Features(first, frames, self._checkpoint() if with_checkpoint else b"")

    def _checkpoint(self) -> bytes:
        state = self._checkpoint_type(self._reader.state(), self._state, self._next_frame)
        return dump_state(state, self._pack_hash)
