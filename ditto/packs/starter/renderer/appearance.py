"""A registered portrait, ready to be drawn: derived once from the arrays that the cache stores."""

from __future__ import annotations

from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from ditto.errors import CorruptDataError
from ditto.face.paste import PasteRegion, plan_paste
from ditto.face.sampling import resize
from ditto.motion import layout
from ditto.packs.starter.renderer.appearance_layout import SIDES, check_layout
from ditto.packs.starter.renderer.archive import Arrays
from ditto.packs.starter.renderer.eye_plates import EyeLayers, EyeShape
from ditto.packs.starter.renderer.eyes import Eye
from ditto.packs.starter.renderer.grid import HEAD_SIZE, NODES, refine
from ditto.packs.starter.renderer.head_layer import HeadLayer
from ditto.packs.starter.renderer.matte import background_plate
from ditto.packs.starter.renderer.mouth import Mouth, MouthLayers
from ditto.packs.starter.renderer.mouth_plates import shows_inside
from ditto.packs.starter.renderer.texture import SCALE, TEXTURE_SIZE
from ditto.packs.starter.renderer.traits import Traits
from ditto.packs.starter.renderer.warp import (
    Lattice,
    Window,
    cut_lattice,
    window_pixels,
)

Array = NDArray[np.float32]
Image = NDArray[np.uint8]

EYE_PARTS = ("white", "iris", "lid")
_STILL_PX = 0.05
"""A node is drawn only if something can move it by at least this much."""


class Appearance:
    """Everything that rendering reads. ``arrays`` is what the cache stores, nothing else."""

    def __init__(self, arrays: Arrays) -> None:
        """Raises `CorruptDataError` when arrays are missing, or do not fit together."""
        check_layout(arrays)
        self.arrays = arrays
        try:
            self._derive()
        except (KeyError, ValueError, IndexError, cv2.error) as error:
            raise CorruptDataError(f"appearance that does not fit together: {error}") from error

    def _derive(self) -> None:
        stored = self.arrays
        self.traits = Traits.from_array(stored["traits"])
        self.reference = layout.unpack(_floats(stored["reference_motion"])[None])
        self.pivot = _floats(stored["pivot"])
        picture = decode_jpeg(stored["texture"], (TEXTURE_SIZE, TEXTURE_SIZE))
        matte = resize(_bytes(stored["matte"]), TEXTURE_SIZE, TEXTURE_SIZE)
        self.still = still_view(picture)
        """(S, S, 3) the HEAD view with nothing moved."""
        known, fill = _bytes(stored["background_known"]), _bytes(stored["background_fill"])
        plate = background_plate(self.still, known, fill)
        weight, depth, below_seam = (
            _floats(stored[name]) for name in ("head_weight", "depth", "below_seam")
        )
        upper, lower = (refine(_floats(stored[name])) for name in ("fields_upper", "fields_lower"))
        blended = upper + below_seam * (lower - upper)
        self.lattice: Lattice = cut_lattice(blended, weight, depth, _moving(blended, weight))
        x0, y0, x1, y1 = window_pixels(self.lattice.window)
        self.head = HeadLayer(
            with_opacity(picture, matte), self.still, plate[y0:y1, x0:x1], self.lattice.window
        )
        self.mouth = self._mouth(picture, upper, lower, weight, depth)
        fold_x, fold_y = (int(v) for v in stored["fold_corner"])
        self.fold_corner = fold_x, fold_y
        self.fold_shade = _bytes(stored["fold_shade"])
        self.eyes = tuple(self._eye(side, picture) for side in SIDES)

    def _mouth(
        self, picture: Image, upper: Array, lower: Array, weight: Array, depth: Array
    ) -> Mouth:
        stored = self.arrays
        x, y = (int(v) for v in stored["mouth_origin"])
        h, w = stored["mouth_upper_mask"].shape
        patch = picture[y : y + h, x : x + w]
        own_gap_mm = self.traits.own_gap_mm
        layers = MouthLayers(
            origin=_floats(stored["mouth_origin"]),
            upper_lip=with_opacity(patch, _bytes(stored["mouth_upper_mask"])),
            lower_lip=with_opacity(patch, _bytes(stored["mouth_lower_mask"])),
            teeth=_bytes(stored["teeth"]),
            tongue=_bytes(stored["tongue"]),
            cavity=_bytes(stored["cavity"]),
            millimetre=SCALE * _floats(stored["millimetre"]),
            lit_gap_mm=own_gap_mm if shows_inside(own_gap_mm) else 0.0,
        )
        outline, jaw_drop = _floats(stored["lip_outline"]), _floats(stored["jaw_drop"])
        return Mouth(layers, (upper, lower), weight, depth, outline, jaw_drop)

    def _eye(self, side: str, picture: Image) -> Eye:
        stored = self.arrays
        brow_height, mm = (float(v) for v in stored[f"eye_{side}_scalars"])
        shape = EyeShape(
            rows=_floats(stored[f"eye_{side}_rows"]),
            iris=_floats(stored[f"eye_{side}_circle"]),
            brow_height=brow_height,
            mm=mm,
        )
        white, iris, lid = (_bytes(stored[f"eye_{side}_{part}"]) for part in EYE_PARTS)
        layers = EyeLayers(white, iris, lid, lash=_floats(stored[f"eye_{side}_lash"]))
        return Eye(shape, layers, picture)

    @cached_property
    def portrait(self) -> Image:
        """(H, W, 3) the whole picture; decoded when first asked for, HEAD views do without."""
        h, w = (int(v) for v in self.arrays["portrait_shape"])
        return decode_jpeg(self.arrays["portrait"], (h, w))

    @cached_property
    def paste_region(self) -> PasteRegion:
        """Where the HEAD view goes in the portrait."""
        box = window_pixels(self.lattice.window)
        h, w = (int(v) for v in self.arrays["portrait_shape"])
        return plan_paste(_floats(self.arrays["portrait_crop"]), HEAD_SIZE, box, (h, w))


def still_view(texture: Image) -> Image:
    """(S, S, 3) the HEAD view of a texture with nothing moved."""
    return resize(texture, HEAD_SIZE, HEAD_SIZE, cv2.INTER_AREA)


def with_opacity(picture: Image, opacity: Image) -> Image:
    """(h, w, 4) of an RGB picture and its opacity (h, w)."""
    rgba = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2RGBA), np.uint8)
    rgba[..., 3] = opacity
    return rgba


def encode_jpeg(image: Image, quality: int) -> NDArray[np.uint8]:
    """An RGB image as JPEG bytes (n,), colour at full resolution."""
    options = [
        cv2.IMWRITE_JPEG_QUALITY, quality,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    ]  # fmt: skip
    done, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)
    if not done:
        raise ValueError(f"cannot encode an image of shape {image.shape}")
    return np.asarray(data, np.uint8).ravel()


def decode_jpeg(data: NDArray[np.generic], shape: tuple[int, int]) -> Image:
    """Inverse of `encode_jpeg`. Raises `CorruptDataError` unless it is an image of ``shape``."""
    decoded = cv2.imdecode(_bytes(data), cv2.IMREAD_COLOR)
    if decoded is None or decoded.shape[:2] != shape:
        raise CorruptDataError(f"stored picture is not of size {shape}")
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8)


def _moving(fields: Array, weight: Array) -> Window:
    """Window of all nodes that can move, with the border that upscaling needs."""
    reach = np.abs(fields).sum(axis=(0, 1))
    rows, columns = np.nonzero((weight > 0.004) | (reach > _STILL_PX))
    x0, x1 = np.clip([columns.min() - 1, columns.max() + 2], 0, NODES)
    y0, y1 = np.clip([rows.min() - 1, rows.max() + 2], 0, NODES)
    return int(x0), int(y0), int(x1), int(y1)


def _floats(array: NDArray[np.generic]) -> Array:
    return np.asarray(array, np.float32)


def _bytes(array: NDArray[np.generic]) -> Image:
    return np.ascontiguousarray(array, np.uint8)
