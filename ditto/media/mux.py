"""Encoded frames and their speech to a fragmented MP4 that plays while it is being made."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ditto.errors import CorruptDataError
from ditto.media.aac import PACKET_SAMPLES, PRIMING_SAMPLES, AacEncoder
from ditto.media.h264 import ParameterSets, split
from ditto.media.mp4_boxes import (
    AUDIO_TRACK,
    VIDEO_TRACK,
    AudioTrack,
    Run,
    VideoTrack,
    fragment,
    init_segment,
)

SOUND_BEFORE_SAMPLES = 2 * PACKET_SAMPLES
"""What `FragmentedMp4Muxer.go_on` takes of the sound before its frame."""
_TICKS_A_FRAME = 1000
_AUDIO_BIT_RATE = 96_000


class FragmentedMp4Muxer:
    """H.264 access units and mono speech to container bytes; concatenated they are one file.

    The picture is not re-encoded. Frame n is shown at n / fps, sample k heard at k / rate.
    Sound follows its frame by up to 66 ms of stream: a player waits for whichever is behind.
    """

    def __init__(
        self,
        width: int,
        height: int,
        fps: int = 25,
        sample_rate_hz: int = 16_000,
        fragment_frames: int = 1,
    ) -> None:
        self._size = width, height
        self._fps = fps
        self._sample_rate_hz = sample_rate_hz
        self._speech_samples = 0
        self._fragment_frames = fragment_frames
        self._aac = AacEncoder(sample_rate_hz, bit_rate=_AUDIO_BIT_RATE)
        self.parameter_sets: ParameterSets | None = None
        """Those of the stream; None before its first frame."""
        self._may_change = False
        self._sequence = 0
        self._frames_out = self._packets_out = 0
        self._frames: list[tuple[bytes, bool]] = []
        self._packets: list[bytes] = []

    @property
    def mime_type(self) -> str:
        """For `MediaSource.addSourceBuffer`; complete once the first frame was added."""
        codec = self.parameter_sets.codec if self.parameter_sets else "avc1"
        return f'video/mp4; codecs="{codec}, mp4a.40.2"'

    def go_on(
        self, frame: int, parameter_sets: ParameterSets | None, sound_before: NDArray[np.float32]
    ) -> None:
        """Be where a muxer was that has given every frame before `frame`, one a fragment.

        What follows continues its bytes. `sound_before` (n,) is the speech just before the frame,
        up to `SOUND_BEFORE_SAMPLES` of it: the sound is coded in overlapping blocks. A new header
        comes only where the next frame has other parameter sets than are known, for a player to
        begin again with.
        """
        end = frame * self._sample_rate_hz // self._fps
        start = max(0, end // PACKET_SAMPLES - 1) * PACKET_SAMPLES
        missing = max(0, end - start - len(sound_before))
        before = np.pad(sound_before[len(sound_before) - (end - start - missing) :], (missing, 0))
        packets = start * self._aac.rate_hz // self._sample_rate_hz // PACKET_SAMPLES
        self._packets_out = packets + len(self._aac.encode(before))
        self._speech_samples = end
        self._frames_out = self._sequence = frame
        self.parameter_sets, self._may_change = parameter_sets, True

    def add(self, access_unit: bytes, keyframe: bool, speech: NDArray[np.float32]) -> bytes:
        """Take the next frame (Annex B) and the speech (n,) that is heard during it.

        Speech that is missing at the frame's end is silence, so what follows stays in step.
        Gives the container bytes now complete, before the first fragment the header. Raises
        `CorruptDataError` when the first frame has no parameter sets or a later one has others.
        """
        parameter_sets, sample = split(access_unit)
        header = self._adopt(parameter_sets)
        self._may_change = False
        self._frames.append((sample, keyframe))
        self._packets += self._aac.encode(self._filled(speech))
        ready = len(self._frames) >= self._fragment_frames
        return header + (self._fragment() if ready else b"")

    def finish(self) -> bytes:
        """The last fragment: frames not yet given and the rest of the speech."""
        if self.parameter_sets is None:
            return b""
        self._packets += self._aac.finish()
        return self._fragment()

    def _adopt(self, found: ParameterSets | None) -> bytes:
        """Check the stream's parameter sets; the header where they are the first."""
        if found is None and self.parameter_sets is None:
            raise CorruptDataError("the first H.264 frame carries no parameter sets")
        if found is None or found == self.parameter_sets:
            return b""
        if self.parameter_sets is not None and not self._may_change:
            raise CorruptDataError("the H.264 parameter sets changed within a stream")
        self.parameter_sets = found
        timescale_hz = self._fps * _TICKS_A_FRAME
        video = VideoTrack(*self._size, timescale_hz, _TICKS_A_FRAME, found)
        audio = AudioTrack(
            self._aac.rate_hz, PACKET_SAMPLES, PRIMING_SAMPLES, self._aac.config, _AUDIO_BIT_RATE
        )
        return init_segment(video, audio)

    def _filled(self, speech: NDArray[np.float32]) -> NDArray[np.float32]:
        """`speech`, with silence up to the end of the frame just added."""
        end = (self._frames_out + len(self._frames)) * self._sample_rate_hz // self._fps
        missing = max(0, end - self._speech_samples - len(speech))
        self._speech_samples += len(speech) + missing
        return np.pad(speech, (0, missing))

    def _fragment(self) -> bytes:
        runs = []
        if self._frames:
            samples, keyframes = zip(*self._frames, strict=True)
            runs.append(Run(VIDEO_TRACK, self._frames_out * _TICKS_A_FRAME, samples, keyframes))
        if self._packets:
            start = self._packets_out * PACKET_SAMPLES
            runs.append(Run(AUDIO_TRACK, start, self._packets, [True] * len(self._packets)))
        self._frames_out += len(self._frames)
        self._packets_out += len(self._packets)
        self._frames, self._packets = [], []
        self._sequence += 1
        return fragment(self._sequence, runs) if runs else b""
