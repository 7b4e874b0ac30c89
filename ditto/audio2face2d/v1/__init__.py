"""Generated from protos/ditto/audio2face2d/v1; `python scripts/generate_protos.py`."""
