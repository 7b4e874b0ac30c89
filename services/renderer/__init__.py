"""The renderer service: motion frames to encoded pictures."""
