"""The arrays that make up a stored appearance, and their shapes."""

from __future__ import annotations

from typing import Final

from ditto.errors import CorruptDataError
from ditto.motion.layout import EXPRESSION_DIM, MOTION_DIM
from ditto.packs.starter.renderer.archive import Arrays
from ditto.packs.starter.renderer.fields import FIELDS
from ditto.packs.starter.renderer.grid import COARSE_NODES, NODES
from ditto.packs.starter.renderer.matte import CUT_SIZE, MATTE_SIZE

SIDES: Final = ("right", "left")
"""The subject's."""

_LATTICE = (NODES, NODES)
_FIELDS = (len(FIELDS), 2, COARSE_NODES, COARSE_NODES)
_FREE = 0
"""A side of any length but none."""

_SHAPES: Final[dict[str, tuple[int, ...]]] = {
    "traits": (_FREE,),
    "warnings": (_FREE,),
    "canonical_keypoints": (EXPRESSION_DIM,),
    "reference_motion": (MOTION_DIM,),
    "eye_state": (8,),
    "portrait": (_FREE,),
    "portrait_shape": (2,),
    "portrait_crop": (2, 3),
    "texture": (_FREE,),
    "matte": (MATTE_SIZE, MATTE_SIZE),
    "background_known": (MATTE_SIZE, MATTE_SIZE),
    "background_fill": (CUT_SIZE, CUT_SIZE, 3),
    "pivot": (3,),
    "depth": _LATTICE,
    "head_weight": _LATTICE,
    "below_seam": _LATTICE,
    "fields_upper": _FIELDS,
    "fields_lower": _FIELDS,
    "fold_corner": (2,),
    "fold_shade": (_FREE, _FREE),
    "mouth_origin": (2,),
    "mouth_upper_mask": (_FREE, _FREE),
    "mouth_lower_mask": (_FREE, _FREE),
    "teeth": (_FREE, _FREE, 4),
    "tongue": (_FREE, _FREE, 4),
    "cavity": (_FREE, _FREE, 4),
    "millimetre": (2,),
    "lip_outline": (22, 3),
    "jaw_drop": (2,),
    **{
        f"eye_{side}_{part}": shape
        for side in SIDES
        for part, shape in {
            "rows": (2, 9, 2),
            "circle": (3,),
            "scalars": (2,),
            "white": (_FREE, _FREE, 3),
            "iris": (_FREE, _FREE, 4),
            "lid": (_FREE, _FREE, 4),
            "lash": (3,),
        }.items()
    },
}


def check_layout(arrays: Arrays) -> None:
    """Raises `CorruptDataError` unless all arrays are there in their shapes, and no others."""
    if arrays.keys() != _SHAPES.keys():
        odd = sorted(arrays.keys() ^ _SHAPES.keys())
        raise CorruptDataError(f"appearance of another version: {', '.join(odd)}")
    for name, wanted in _SHAPES.items():
        shape = arrays[name].shape
        fits = len(shape) == len(wanted) and all(
            (side > 0 if want == _FREE else side == want)
            for side, want in zip(shape, wanted, strict=True)
        )
        if not fits:
            raise CorruptDataError(f"appearance with {name} of shape {shape}")
