"""Speed of the `ditto` pack's networks on one device: `python -m bench.gpu`."""
