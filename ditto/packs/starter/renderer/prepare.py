"""Registers a portrait: from its pixels and face mesh to the arrays of an appearance."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ditto.face import topology as topo
from ditto.face.crop import crop_image, head_crop, levelled, transform_points
from ditto.face.sampling import blur, resize
from ditto.packs.starter.renderer.appearance import decode_jpeg, encode_jpeg, still_view
from ditto.packs.starter.renderer.appearance_layout import SIDES
from ditto.packs.starter.renderer.archive import Arrays
from ditto.packs.starter.renderer.curves import RowAxis, smoothstep
from ditto.packs.starter.renderer.eye_plates import measure_eye, paint_eye
from ditto.packs.starter.renderer.field_grids import build_field_grids
from ditto.packs.starter.renderer.fields import FIELD, vertex_fields
from ditto.packs.starter.renderer.geometry import FaceGeometry
from ditto.packs.starter.renderer.grid import HEAD_SIZE, node_positions
from ditto.packs.starter.renderer.head_volume import (
    RELIEF,
    depth_map,
    head_weight,
    pivot,
)
from ditto.packs.starter.renderer.identity import face_identity
from ditto.packs.starter.renderer.lip_vertices import find_lips
from ditto.packs.starter.renderer.matte import cut_matte
from ditto.packs.starter.renderer.mouth_plates import (
    lip_masks,
    measure_colours,
    mouth_box,
    paint_interior,
)
from ditto.packs.starter.renderer.portrait_checks import Findings, check_portrait
from ditto.packs.starter.renderer.smile_folds import fold_shade
from ditto.packs.starter.renderer.texture import SCALE, TEXTURE_SIZE
from ditto.packs.starter.renderer.traits import Traits

Array = NDArray[np.float32]
Image = NDArray[np.uint8]

MAX_PORTRAIT_PX = 1920
"""Cap on a registered portrait's long side (paper's implementation)."""
_TEXTURE_QUALITY = 97
_PORTRAIT_QUALITY = 95
_SHARPENING, _SMOOTHING = 0.28, 0.35


def fit_portrait(image: Image) -> Image:
    """The image with its long side capped at 1920 and even sides, as video encoders need."""
    h, w = image.shape[:2]
    zoom = min(1.0, MAX_PORTRAIT_PX / max(h, w))
    size = (max(2, int(w * zoom) // 2 * 2), max(2, int(h * zoom) // 2 * 2))
    if size == (w, h):
        return np.ascontiguousarray(image)
    return resize(image, *size, cv2.INTER_AREA)


def prepare_arrays(
    portrait: Image, mesh: Array, crop: Array | None = None
) -> tuple[Arrays, tuple[str, ...]]:
    """The appearance of a fitted portrait (H, W, 3) whose face has the mesh (478, 3); warnings.

    ``crop`` (2, 3) to the HEAD view, where it is not the mesh's own. Raises `FaceError` for a face
    that cannot be animated.
    """
    crop = levelled(head_crop(mesh, HEAD_SIZE), HEAD_SIZE) if crop is None else crop
    face = FaceGeometry(transform_points(crop, mesh))
    lips = find_lips(face)
    vertex = vertex_fields(face, lips)
    texture_data = encode_jpeg(_texture(portrait, crop), _TEXTURE_QUALITY)
    texture = decode_jpeg(texture_data, (TEXTURE_SIZE, TEXTURE_SIZE))
    view = still_view(texture)
    findings = check_portrait(face, view)
    traits = measure_traits(face, vertex, findings)
    identity = face_identity(face, traits)
    matte = cut_matte(face, view)
    fold_corner, fold = fold_shade(face)
    grids = build_field_grids(face, lips, vertex)
    arrays: Arrays = {
        "traits": traits.to_array(),
        "canonical_keypoints": identity.canonical_keypoints,
        "reference_motion": identity.reference_motion,
        "eye_state": identity.eye_state,
        "portrait": encode_jpeg(portrait, _PORTRAIT_QUALITY),
        "portrait_shape": np.array(portrait.shape[:2], np.int32),
        "portrait_crop": crop,
        "texture": texture_data,
        "matte": matte.alpha,
        "background_known": matte.known,
        "background_fill": matte.fill,
        "fold_corner": np.array(fold_corner, np.int32),
        "fold_shade": fold,
        "pivot": pivot(face),
        "depth": depth_map(face).astype(np.float16),
        "head_weight": head_weight(face, matte.silhouette).astype(np.float16),
        "below_seam": _below_seam(face).astype(np.float16),
        "fields_upper": grids.upper.astype(np.float16),
        "fields_lower": grids.lower.astype(np.float16),
        **_mouth_arrays(face, texture, vertex),
        **_eye_arrays(face, texture),
    }
    return arrays, findings.warnings


def _texture(portrait: Image, crop: Array) -> Image:
    """The HEAD crop at texture size, sharpened by what sampling will soften again.

    A finer source than the view is smoothed instead, or its grain would flicker as the head moves.
    """
    larger = SCALE * crop
    larger[:, 2] += (SCALE - 1) / 2
    texture = crop_image(portrait, larger, TEXTURE_SIZE)
    zoom = float(np.hypot(crop[0, 0], crop[0, 1]))
    crisp = smoothstep(0.7, 0.9, zoom) * smoothstep(2.0, 1.2, zoom)
    strength = float(_SHARPENING * crisp - _SMOOTHING * smoothstep(0.7, 0.5, zoom))
    blurred = blur(texture, 1.3)
    return np.asarray(cv2.addWeighted(texture, 1 + strength, blurred, -strength, 0), np.uint8)


def measure_traits(face: FaceGeometry, vertex: Array, findings: Findings) -> Traits:
    """The numbers that scale controls to this face."""

    def gap_mm(name: str) -> float:
        field = vertex[FIELD[name]]
        return float(field[topo.LOWER_LIP_MID, 1] - field[topo.UPPER_LIP_MID, 1])

    pitch, yaw, roll = face.frame.angles_degrees()
    return Traits(
        pitch=pitch,
        yaw=yaw,
        roll=roll,
        own_gap_mm=face.gap_mm,
        max_gap_mm=face.max_gap_mm,
        jaw_gap_mm=max(gap_mm("jaw"), 5.0),
        roll_gap_mm=gap_mm("roll"),
        pucker_gap_mm=gap_mm("pucker"),
        own_blink_right=float(findings.own_blink[0]),
        own_blink_left=float(findings.own_blink[1]),
        can_blink=findings.can_blink,
        smile_gain=findings.smile_gain,
        brow_gain=findings.brow_gain,
    )


def _below_seam(face: FaceGeometry) -> Array:
    """(NODES, NODES, 1)-like weight of the lower branch in the whole face's warp."""
    axis = RowAxis(face.seam[0, :2], face.seam[-1, :2])
    nodes = node_positions()
    beyond = np.maximum(np.abs(axis.to_row(nodes)[..., 0]) - 0.9 * axis.half_width, 0)
    return smoothstep(-1, 1, axis.height_over(face.seam[:, :2], nodes) / (3 + 0.8 * beyond))


def _mouth_arrays(face: FaceGeometry, texture: Image, vertex: Array) -> Arrays:
    lips = find_lips(face)
    box = mouth_box(face, lips)
    upper_mask, lower_mask = lip_masks(face, box)
    teeth, tongue, cavity = paint_interior(face, measure_colours(face, texture, box), texture, box)
    outline = face.points[list(topo.UPPER_LIP_OUTER + topo.LOWER_LIP_OUTER)].copy()
    outline[:, 2] = RELIEF * (outline[:, 2] - pivot(face)[2])
    return {
        "mouth_origin": np.array(box[:2], np.int32),
        "mouth_upper_mask": upper_mask,
        "mouth_lower_mask": lower_mask,
        "teeth": teeth,
        "tongue": tongue,
        "cavity": cavity,
        "millimetre": face.to_pixels[1],
        "lip_outline": outline,
        "jaw_drop": vertex[FIELD["jaw"], topo.LOWER_LIP_MID] @ face.to_pixels,
    }


def _eye_arrays(face: FaceGeometry, texture: Image) -> Arrays:
    arrays: Arrays = {}
    for side in SIDES:
        shape = measure_eye(face, left=side == "left")
        layers = paint_eye(shape, texture)
        arrays[f"eye_{side}_rows"] = shape.rows
        arrays[f"eye_{side}_circle"] = shape.iris
        arrays[f"eye_{side}_scalars"] = np.array([shape.brow_height, shape.mm], np.float32)
        arrays[f"eye_{side}_white"] = layers.white
        arrays[f"eye_{side}_iris"] = layers.iris
        arrays[f"eye_{side}_lid"] = layers.lid
        arrays[f"eye_{side}_lash"] = layers.lash
    return arrays
