"""Chores of the project, each run on its own: `python scripts/<name>.py`."""
