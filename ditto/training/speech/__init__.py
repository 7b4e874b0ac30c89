"""Training speech: sentences, three synthesisers with phoneme timings, rooms and noises."""
