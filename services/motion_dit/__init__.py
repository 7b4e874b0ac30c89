"""The motion_dit service: feature frames to motion frames."""
