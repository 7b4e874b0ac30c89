"""What every server process shares: configuration, errors, lifecycle, metrics, slots, cache."""
