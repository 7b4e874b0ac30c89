"""A picture of one training clip: sound, mouth, head, eyes, and faces."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ditto.errors import InvalidInputError
from ditto.motion import layout, semantics
from ditto.packs.starter import coordinates
from ditto.stages import Image
from ditto.training import store
from ditto.training.dataset import Clip
from ditto.training.evaluation import talking_video
from ditto.training.samples import COUNT

_FRAME_RATE = 25


def find_clip(folder: Path, name: str | None) -> Clip:
    """A clip by name, or the first. Raises `InvalidInputError` for an unknown name."""
    clips = store.read_clips(folder)
    if name is None and clips:
        return clips[0]
    found = [clip for clip in clips if clip.name == name]
    if not found:
        some = ", ".join(clip.name for clip in clips[:5])
        raise InvalidInputError("clip", f"no clip {name!r}; there are {some}, ...")
    return found[0]


def frames_of(clip: Clip) -> NDArray[np.float32]:
    """Motion frames (T, 265) of a clip's first life, on a portrait that looks straight ahead."""
    motion = np.asarray(clip.face[0])
    if motion.shape[1] == layout.MOTION_DIM:
        return motion
    return coordinates.lift(motion, layout.pack(_STILL)[0])


_ZERO = np.zeros(1, np.float32)
_STILL = layout.Motion(
    np.ones(1, np.float32), _ZERO, _ZERO, _ZERO, np.zeros((1, 3), np.float32),
    np.zeros((1, layout.EXPRESSION_DIM), np.float32),
)  # fmt: skip


def draw(clip: Clip, path: Path, faces: list[tuple[str, Sequence[Image]]]) -> None:
    """Write a PNG; faces are rows of `COUNT` pictures with a title each."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    motion = layout.unpack(frames_of(clip))
    amounts = semantics.decode(motion.exp)
    times = np.arange(len(amounts)) / _FRAME_RATE
    figure = Figure(figsize=(12, 6 + 1.6 * len(faces)), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(f"{clip.name} ({clip.split}, {len(amounts) / _FRAME_RATE:.1f} s)")
    grid = figure.add_gridspec(4 + len(faces), COUNT)
    sound = figure.add_subplot(grid[0, :], ylabel="sound")
    assert clip.sound is not None, "clips of a data folder have their sound"
    samples = clip.sound.reshape(-1)[::16] / 32768
    sound.plot(np.arange(len(samples)) / 1000, samples, linewidth=0.4)
    _curves(figure.add_subplot(grid[1, :], ylabel="mouth"), times, {
        name: amounts[:, semantics.control_index(name)]
        for name in ("lipGap", "jawOpen", "mouthPress", "mouthPucker")
    })  # fmt: skip
    _curves(figure.add_subplot(grid[2, :], ylabel="head, degrees"), times, {
        "pitch": motion.pitch, "yaw": motion.yaw, "roll": motion.roll,
    })  # fmt: skip
    _curves(figure.add_subplot(grid[3, :], ylabel="eyes", xlabel="s"), times, {
        name: amounts[:, semantics.control_index(name)]
        for name in ("eyeBlinkLeft", "eyeBlinkRight", "gazeX", "gazeY")
    })  # fmt: skip
    for row, (title, images) in enumerate(faces):
        for column, image in enumerate(images):
            axes = figure.add_subplot(grid[4 + row, column])
            axes.imshow(image)
            axes.set_axis_off()
            axes.set_title(title if column == 0 else "", fontsize=8)
    figure.savefig(path, dpi=80)


def _curves(axes: Any, times: NDArray[Any], curves: dict[str, NDArray[np.floating]]) -> None:
    for name, values in curves.items():
        axes.plot(times, values, label=name, linewidth=0.9)
    axes.legend(fontsize=7, loc="upper right")


def source_faces(folder: Path, clip: Clip) -> list[Image]:
    """The video's own pictures at the same moments; none if it is not there (any more)."""
    origin = next(row for row in store.read_index(folder)["clips"] if row["name"] == clip.name)
    video = Path(origin["origin"])
    if not video.is_file():
        return []
    first = int(clip.name.rpartition("@")[2])
    last = first + len(clip.audio)
    moments = set((first + _moments(len(clip.audio))).tolist())
    pictures = enumerate(islice(talking_video.frames(video), last))
    return [picture for number, picture in pictures if number in moments]


def _moments(frames: int) -> NDArray[np.int64]:
    return np.linspace(0, frames - 1, COUNT).astype(np.int64)
