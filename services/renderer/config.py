"""Configuration of the renderer process."""

from __future__ import annotations

from pydantic import Field

from ditto.media.image import ImageLimits
from ditto.media.portrait_video import VideoLimits
from ditto.serving.config import StageConfig
from ditto.serving.redis_access import RedisConfig


class RendererConfig(StageConfig, RedisConfig):
    """The keys of every stage service, those of the appearance cache, and limits on portraits."""

    cache_local_bytes: int = Field(default=256 * 2**20, ge=0)
    """Most memory for the features that this process keeps. Unit: bytes."""
    cache_ttl_seconds: int = Field(default=86_400, ge=1)
    """Features leave Redis so long after they were computed."""
    pending_portraits: int = Field(default=8, ge=1)
    """Most portraits that wait to be prepared; further ones are refused."""
    portrait_bytes: int = Field(default=ImageLimits().bytes, ge=1)
    """Largest portrait file. Unit: bytes."""
    portrait_pixels: int = Field(default=ImageLimits().pixels, ge=1)
    """Largest portrait. Unit: pixels."""
    video_seconds: float = Field(default=VideoLimits().seconds, gt=0, le=60)
    """Longest portrait video. The starter pack takes 0.2 s to prepare a picture, 25 a second, and
    keeps up to 1 MB of it."""
    video_pixels: int = Field(default=VideoLimits().pixels, ge=1)
    """Largest picture of a portrait video. Unit: pixels."""
    h264_codec: str = "libx264"
    """Encoder of H.264: any that the installed PyAV has, as libx264, libopenh264, h264_nvenc."""
    render_threads: int = Field(default=1, ge=1, le=16)
    """Threads that draw frames, for machines with more than two cores; 1 where the pack draws
    frames of several sessions together."""
