"""Training of the starter motion model, from speech synthesis to the exported network."""
