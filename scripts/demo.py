"""`make demo`: the example portrait says the example speech through a cluster of its own."""

from __future__ import annotations

import sys
from pathlib import Path

from ditto.cli import main

ROOT = Path(__file__).resolve().parents[1]

if __name__ == "__main__":
    portrait, speech = ROOT / "examples" / "astronaut.jpg", ROOT / "examples" / "speech.wav"
    target = ROOT / "demo.mp4"
    sys.exit(
        main(["animate", str(portrait), str(speech), "-o", str(target), "--local", "--report"])
    )
