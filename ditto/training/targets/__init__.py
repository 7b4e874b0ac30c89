"""Rule-made motion targets: mouth from phoneme timings, head, eyes and emotion presets."""
