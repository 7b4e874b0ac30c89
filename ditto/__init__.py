"""ditto-cluster: portraits that talk, streamed, after the Ditto paper (motion-space diffusion)."""

__version__ = "0.1.0"
