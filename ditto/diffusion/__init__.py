"""Noise schedules and samplers, as free functions over a model and a schedule."""
