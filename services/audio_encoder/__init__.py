"""The audio_encoder service: speech to feature frames."""
