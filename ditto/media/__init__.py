"""Bytes to samples and pixels, and back: audio and portrait decoding, video encoding, muxing."""
