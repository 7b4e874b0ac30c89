"""Configuration of the motion_dit process."""

from __future__ import annotations

from ditto.serving.config import StageConfig


class MotionDitConfig(StageConfig):
    """The keys that every stage service has."""
