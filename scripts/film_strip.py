"""Lay frames of a video side by side: the picture of a result for people who would rather look.

python scripts/film_strip.py demo.mp4 docs/images/demo.jpg --frames 12 --columns 6 --width 220
"""

from __future__ import annotations

import argparse
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray


def frames_of(video: Path) -> list[NDArray[np.uint8]]:
    """Every frame (H, W, 3), BGR."""
    with av.open(str(video)) as container:
        pictures = (frame.to_ndarray(format="bgr24") for frame in container.decode(video=0))
        return [np.asarray(picture, np.uint8) for picture in pictures]


def film_strip(
    frames: list[NDArray[np.uint8]], count: int, columns: int, width: int
) -> NDArray[np.uint8]:
    """``count`` frames, evenly apart, in rows of ``columns``, each ``width`` pixels wide."""
    picked = [frames[i] for i in np.linspace(0, len(frames) - 1, count).round().astype(int)]
    height = round(picked[0].shape[0] * width / picked[0].shape[1])
    small = [cv2.resize(f, (width, height), interpolation=cv2.INTER_AREA) for f in picked]
    small += [np.zeros_like(small[0])] * (-count % columns)
    rows = [np.hstack(small[i : i + columns]) for i in range(0, len(small), columns)]
    return np.asarray(np.vstack(rows), np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--frames", type=int, default=12)
    parser.add_argument("--columns", type=int, default=6)
    parser.add_argument("--width", type=int, default=220)
    options = parser.parse_args()
    strip = film_strip(frames_of(options.video), options.frames, options.columns, options.width)
    cv2.imwrite(str(options.picture), strip, [cv2.IMWRITE_JPEG_QUALITY, 88])


if __name__ == "__main__":
    main()
