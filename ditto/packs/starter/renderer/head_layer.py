"""The moving head over what holds still: one texture, sampled once a frame."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ditto.face.sampling import sample
from ditto.packs.starter.renderer.grid import STEP, nodes_to_pixels
from ditto.packs.starter.renderer.texture import SCALE, drawn_over, premultiplied, shifted
from ditto.packs.starter.renderer.warp import Window, window_pixels

Array = NDArray[np.float32]
Image = NDArray[np.uint8]
Span = tuple[slice, slice]

_BAND_NODES = 32
"""The head is drawn in bands of so many rows of nodes, each as wide as the head is there."""
_CELL = 2 * STEP * SCALE
"""Texture pixels a side of the cells in which the head's outline is looked up."""


@dataclass(frozen=True)
class Drawing:
    """A frame under way: the head is drawn, what changes on it is not."""

    frame: Image
    """(S, S, 3) the whole HEAD view."""
    head: Image
    """(h, w, 3) the view of ``frame`` where the head may be."""
    nodes: Array
    """(h / 4 + 2, w / 4 + 2, 2) texture x, y of what each node shows."""

    def lay(self, patch: Image, corner: tuple[int, int]) -> None:
        """Show a repainted patch (h, w, 3) of the texture, which is opaque there, at ``corner``."""
        if (shown := self._showing(patch.shape[:2], corner)) is not None:
            view, places = shown
            cv2.remap(  # type: ignore[call-overload]
                patch, places, None, cv2.INTER_LINEAR, view, cv2.BORDER_TRANSPARENT
            )

    def darken(self, shade: Image, corner: tuple[int, int], depth: float) -> None:
        """Darken by ``depth`` 0..1 where a shade (h, w) over the texture is 255."""
        if (shown := self._showing(shade.shape, corner)) is not None:
            view, places = shown
            weight = cv2.remap(  # type: ignore[call-overload]
                shade, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT
            )
            kept = cv2.bitwise_not(cv2.convertScaleAbs(weight, alpha=depth))
            cv2.multiply(view, cv2.cvtColor(kept, cv2.COLOR_GRAY2RGB), view, 1 / 255)

    def _showing(
        self, shape: tuple[int, ...], corner: tuple[int, int]
    ) -> tuple[Image, Array] | None:
        """The view of ``head`` that may show a rectangle of the texture, and what each of its
        pixels shows of it; None where that is out of sight."""
        places = shifted(self.nodes, -np.array(corner))
        inside = cv2.inRange(places, (0, 0, 0, 0), (*shape[::-1], 0, 0))
        span = _around(np.asarray(inside, np.uint8))
        if span is None:
            return None
        return self.head[_pixels(span)], nodes_to_pixels(places[span])


class HeadLayer:
    """Head and background of one portrait; drawing never changes them."""

    def __init__(self, texture: Image, still: Image, background: Image, window: Window) -> None:
        """texture (2S, 2S, 4): the picture and the head's opacity; still (S, S, 3): nothing moved;
        background (h, w, 3): what is behind the head, on the window."""
        x0, y0, x1, y1 = window_pixels(window)
        self._area = np.s_[y0:y1, x0:x1]
        self._texture = premultiplied(texture)
        self._outline = _outline(texture[..., 3])
        self._behind = still.copy()
        self._behind[self._area] = background

    def draw(self, nodes: Array) -> Drawing:
        """The head warped: nodes (h, w, 2) say where in the texture each node of the window is."""
        frame = self._behind.copy()
        head = frame[self._area]
        cv2.norm(self._texture, cv2.NORM_INF)  # read in order, it is in the cache when sampled
        for top in range(0, len(nodes) - 2, _BAND_NODES):
            self._draw_band(head[top * STEP :], nodes[top : top + _BAND_NODES + 2])
        return Drawing(frame, head, nodes)

    def _draw_band(self, view: Image, nodes: Array) -> None:
        cells = nodes * np.float32(1 / _CELL)
        is_head = cv2.remap(self._outline, cells, None, cv2.INTER_NEAREST)  # type: ignore[call-overload]
        span = _around(is_head)
        if span is not None:
            drawn_over(view[_pixels(span)], sample(self._texture, nodes_to_pixels(nodes[span])))


def _outline(opacity: Image) -> Image:
    """(n, n) cells: 255 where the head is, or a neighbour of it."""
    cells = opacity.shape[0] // _CELL
    small = cv2.resize(opacity, (cells, cells), interpolation=cv2.INTER_AREA)
    near = cv2.dilate((small > 0).astype(np.uint8), np.ones((3, 3), np.uint8))
    return np.asarray(near, np.uint8)


def _around(mask: Image) -> Span | None:
    """Rows and columns of all nodes that pixels beside a set node depend on; None for no set one.

    Their inner ones, all but the outermost, own the pixels.
    """
    x, y, w, h = cv2.boundingRect(mask)
    if w == 0:
        return None
    rows, columns = mask.shape
    return slice(max(0, y - 2), min(rows, y + h + 2)), slice(max(0, x - 2), min(columns, x + w + 2))


def _pixels(span: Span) -> Span:
    """Rows and columns of the pixels that the inner nodes of a span own."""
    rows, columns = (slice(nodes.start * STEP, (nodes.stop - 2) * STEP) for nodes in span)
    return rows, columns
