"""Configuration of the audio_encoder process."""

from __future__ import annotations

from ditto.serving.config import StageConfig


class AudioEncoderConfig(StageConfig):
    """The keys that every stage service has."""
