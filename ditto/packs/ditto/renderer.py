"""The pack's picture stage: warp the portrait's features, decode pixels, paste them back.

Paper 3.1 and 3.3.3.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from ditto.errors import CorruptDataError, InvalidInputError
from ditto.face.crop import crop_image
from ditto.face.reference_crop import extractor_input
from ditto.face.reference_paste import paste_region, paste_render
from ditto.face.reference_registration import bounded_image
from ditto.motion.layout import MOTION_DIM
from ditto.motion.stitch import StitchOptions, StitchSource, stitch
from ditto.packs.ditto.appearance import (
    Appearance,
    Arrays,
    decode_warnings,
    dump_arrays,
    encode_warnings,
    identity_of,
    load_arrays,
)
from ditto.packs.ditto.face_registration import CROP_SIZE, Registrar
from ditto.packs.ditto.render_networks import RenderNetworks
from ditto.stages import Array, Image, Portrait

_MOTION_HEADS = ("pitch", "yaw", "roll", "t", "exp")


class DittoRenderer:
    """Implements `ditto.stages.Renderer` and `ExtractsMotion`. Holds networks alone."""

    head_size = CROP_SIZE

    def __init__(self, networks: RenderNetworks, registrar: Registrar) -> None:
        self._networks = networks
        self._registrar = registrar
        self._options = StitchOptions()

    def prepare(self, image: Image) -> Portrait[Appearance]:
        """Register an RGB portrait (H, W, 3). Raises `FaceError` when it has no usable face."""
        portrait = bounded_image(image)
        face = self._registrar(portrait)
        pixels = extractor_input(face.crop)
        heads = self._networks.motion(pixels)
        return self._portrait(
            {
                "image": portrait,
                "to_image": face.to_image,
                "volume": self._networks.appearance(pixels),
                "motion": motion_of(heads),
                "keypoints": np.asarray(heads["kp"][0], np.float32),
                "eye_state": face.eye_state,
                "warnings": encode_warnings(face.warnings),
            }
        )

    def extract_motion(self, images: Iterable[Image]) -> Array:
        """Motion frames (T, 265) of the face in a video's pictures, by the motion extractor.

        All are cut as the first one is, so that the head's way through the picture is kept.
        Raises `FaceError` when that shows no usable face.
        """
        rows: list[Array] = []
        to_crop: Array | None = None
        for image in images:
            picture = bounded_image(image)
            if to_crop is None:
                to_crop = np.linalg.inv(self._registrar(picture).to_image)[:2].astype(np.float32)
            pixels = extractor_input(crop_image(picture, to_crop, CROP_SIZE))
            rows.append(motion_of(self._networks.motion(pixels)))
        return np.stack(rows)

    def full_size(self, appearance: Appearance) -> tuple[int, int]:
        """Width and height of the FULL view, in pixels."""
        height, width = appearance.image.shape[:2]
        return width, height

    def render_head(self, appearance: Appearance, motion: Array) -> Image:
        """One HEAD frame (512, 512, 3) RGB of one motion frame (265,)."""
        return self.render_heads([appearance], [motion])[0]

    def render_heads(
        self, appearances: Sequence[Appearance], motions: Sequence[Array]
    ) -> Sequence[Image]:
        """`render_head` of several calls at once."""
        pairs = zip(appearances, motions, strict=True)
        driving = np.concatenate([self._driving(*pair) for pair in pairs])
        sources = [appearance.warp_source for appearance in appearances]
        pixels = self._networks.render(sources, driving)
        return list(np.rint(np.clip(pixels, 0, 1) * 255).astype(np.uint8))

    def _driving(self, appearance: Appearance, motion: Array) -> Array:
        """Keypoints (1, K, 3) of a motion frame (265,)."""
        source = appearance.stitched
        network = self._networks.stitch
        _, driving = stitch(
            source, motion[None], 0, source.motion[0], self._options, network=network
        )
        return driving

    def paste_back(self, appearance: Appearance, head: Image) -> Image:
        """The FULL view (H, W, 3): a rendered head in the portrait, which is at most 1920 long."""
        return paste_render(appearance.image, head.astype(np.float32), appearance.region)

    def dump_appearance(self, portrait: Portrait[Appearance]) -> bytes:
        """The portrait as bytes for the cache: plain arrays with checksums."""
        return dump_arrays(portrait.appearance.arrays)

    def load_appearance(self, data: bytes) -> Portrait[Appearance]:
        """Inverse of `dump_appearance`. Raises `CorruptDataError`."""
        try:
            return self._portrait(load_arrays(data))
        except (InvalidInputError, ValueError, IndexError, AssertionError) as error:
            raise CorruptDataError(f"no appearance of this renderer: {error}") from error

    def _portrait(self, arrays: Arrays) -> Portrait[Appearance]:
        """Prepared and loaded portraits are built alike, so that they render the same frames."""
        source = StitchSource(arrays["motion"][None], arrays["keypoints"][None])
        at_rest, _ = stitch(source, source.motion, 0, source.motion[0], self._options)
        height, width = arrays["image"].shape[:2]
        appearance = Appearance(
            arrays,
            source,
            self._networks.source(arrays["volume"], at_rest),
            paste_region(arrays["to_image"], height, width),
        )
        warnings = decode_warnings(arrays["warnings"])
        return Portrait(appearance, identity_of(arrays), warnings)


def motion_of(heads: Mapping[str, Array]) -> Array:
    """The motion extractor's heads as one motion frame (265,)."""
    parts: list[Array] = [heads["scale"] - 1, *(heads[name] for name in _MOTION_HEADS)]
    motion = np.asarray(np.concatenate(parts, axis=1)[0], np.float32)
    assert motion.shape == (MOTION_DIM,), f"motion must be ({MOTION_DIM},): {motion.shape}"
    return motion
