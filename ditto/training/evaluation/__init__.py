"""Judging a motion model: real clips, held-out voices, and the statistics of its motion."""
