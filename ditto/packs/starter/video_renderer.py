"""The starter pack's renderer with short videos as portraits (the reference's video sources)."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import Any

from ditto.packs.starter.extract import extract_motion
from ditto.packs.starter.renderer import StarterRenderer
from ditto.packs.starter.renderer.appearance import Appearance
from ditto.packs.starter.renderer.archive import dump_arrays
from ditto.packs.starter.video_appearance import MAGIC, VideoAppearance, split, unpack_frame
from ditto.packs.starter.video_preparation import prepare_frames
from ditto.stages import Array, Image, Portrait, Progress

AnyAppearance = Appearance | VideoAppearance


class StarterVideoRenderer(StarterRenderer):
    """Implements `ditto.stages.AnimatesVideos`, a video being a portrait for each picture, and
    `ditto.stages.ExtractsMotion`."""

    def prepare_video(
        self, images: Iterable[Image]
    ) -> Generator[Progress, None, Portrait[AnyAppearance]]:
        """Register a video. Raises `FaceError`, saying when, for what cannot be animated."""
        archives = yield from prepare_frames(images, self._detector, self._landmarker)
        return self._video(archives)

    def extract_motion(self, images: Iterable[Image]) -> Array:
        """Motion frames (T, 265) of the face in a video's pictures."""
        return extract_motion(images, self._detector, self._landmarker)

    def appearance_at(self, appearance: AnyAppearance, frame: int) -> Appearance:
        """What output frame ``frame`` is rendered and pasted from."""
        return appearance.at(frame) if isinstance(appearance, VideoAppearance) else appearance

    def source_frames(self, appearance: AnyAppearance) -> int:
        """Pictures that a portrait has."""
        return len(appearance) if isinstance(appearance, VideoAppearance) else 1

    def full_size(self, appearance: AnyAppearance) -> tuple[int, int]:
        """Width and height of the FULL view, in pixels."""
        return super().full_size(self.appearance_at(appearance, 0))

    def dump_appearance(self, portrait: Portrait[Any]) -> bytes:
        """The portrait as bytes for the cache."""
        appearance = portrait.appearance
        if isinstance(appearance, VideoAppearance):
            return appearance.dump()
        return super().dump_appearance(portrait)

    def load_appearance(self, data: bytes) -> Portrait[Any]:
        """Inverse of `dump_appearance`. Raises `CorruptDataError`."""
        if data[: len(MAGIC)] == MAGIC:
            return self._video(split(data))
        return super().load_appearance(data)

    def _video(self, archives: list[bytes] | list[memoryview]) -> Portrait[AnyAppearance]:
        first = super().load_appearance(dump_arrays(unpack_frame(archives[0])))
        return Portrait(VideoAppearance(archives), first.identity, first.warnings)
