"""The starter pack: everything small enough to run in real time on a CPU."""
