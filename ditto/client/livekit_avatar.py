"""A LiveKit Agents avatar worker's video generator that a ditto cluster draws.

Needs the `livekit` extra. Give it to `livekit.agents.voice.avatar.AvatarRunner` with the options
``AvatarOptions(video_width=512, video_height=512, video_fps=25, audio_sample_rate=24000,
audio_channels=1)``:

    async with AsyncClient("localhost:50051") as client:
        async with await LivekitVideoGenerator.open(client, "portrait.jpg") as generator:
            ...
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from livekit import rtc
from livekit.agents.voice.avatar import AudioSegmentEnd, VideoGenerator

from ditto.client.async_call import AsyncCall
from ditto.client.async_client import AsyncClient
from ditto.client.responses import Event, EventKind, Frame
from ditto.client.settings import Portrait
from ditto.errors import InvalidInputError

FPS = 25
_SAMPLE_BYTES = 2

AvatarItem = rtc.VideoFrame | rtc.AudioFrame | AudioSegmentEnd


class LivekitVideoGenerator(VideoGenerator):
    """One avatar: takes the agent's voice, gives pictures and the voice in step with them.

    The face idles while nobody speaks. Sound is given with the frames that it shaped, so that both
    stay together whatever the network does.
    """

    def __init__(self, call: AsyncCall, sample_rate_hz: int) -> None:
        """Use `open`. ``call`` gives RGB24 frames in real time."""
        self._call = call
        self._sample_rate_hz = sample_rate_hz
        self._frame_bytes = sample_rate_hz // FPS * _SAMPLE_BYTES
        self._voice = bytearray()
        self._segment_ends = 0
        self._is_speaking = False
        self._last_frame: int | None = None

    @classmethod
    async def open(
        cls,
        client: AsyncClient,
        portrait: Portrait,
        sample_rate_hz: int = 24_000,
        **options: Any,
    ) -> LivekitVideoGenerator:
        """Start the call; `options` are those of `animate`, but for video, view and pacing."""
        fixed = {"video": "rgb24", "view": "head", "pacing": "realtime"}
        chosen: Any = {**options, **fixed, "sample_rate_hz": sample_rate_hz}
        return cls(await client.animate(portrait, **chosen), sample_rate_hz)

    async def push_audio(self, frame: rtc.AudioFrame | AudioSegmentEnd) -> None:
        """Take more of the voice. Raises `InvalidInputError` for another rate or for stereo."""
        if isinstance(frame, AudioSegmentEnd):
            self._segment_ends += 1
            return
        if (frame.sample_rate, frame.num_channels) != (self._sample_rate_hz, 1):
            raise InvalidInputError(
                "audio",
                f"{frame.num_channels} channels at {frame.sample_rate} Hz; "
                f"allowed: 1 at {self._sample_rate_hz}",
            )
        pcm = bytes(frame.data.cast("B"))
        self._voice += pcm
        await self._call.speak(pcm)

    async def clear_buffer(self) -> None:
        """Stop speaking at the frame that was given last: barge-in."""
        self._voice.clear()
        self._is_speaking = False
        await self._call.interrupt(self._last_frame)

    async def aclose(self) -> None:
        """End the call."""
        self._call.cancel()

    async def __aiter__(self) -> AsyncIterator[AvatarItem]:
        async for item in self._call:
            if isinstance(item, Event):
                self._follow(item)
            elif isinstance(item, Frame):
                self._last_frame = item.index
                started = self._call.started
                kind = rtc.VideoBufferType.RGB24
                yield rtc.VideoFrame(started.width, started.height, kind, item.data)
                if sound := self._sound():
                    yield sound
                if self._segment_ends and not self._voice:
                    self._segment_ends -= 1
                    self._is_speaking = False
                    yield AudioSegmentEnd()

    async def __aenter__(self) -> LivekitVideoGenerator:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def _follow(self, event: Event) -> None:
        if event.kind is EventKind.SPEECH_STARTED:
            self._is_speaking = True

    def _sound(self) -> rtc.AudioFrame | None:
        """The part of the voice that the frame just given shows."""
        if not (self._is_speaking and self._voice):
            return None
        part = bytes(self._voice[: self._frame_bytes])
        del self._voice[: len(part)]
        return rtc.AudioFrame(part, self._sample_rate_hz, 1, len(part) // _SAMPLE_BYTES)
