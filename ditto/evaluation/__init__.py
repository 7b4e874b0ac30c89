"""Judging a pack through a whole cluster: real talking videos, the paper's measures, a report."""
