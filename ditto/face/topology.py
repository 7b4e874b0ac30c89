"""Vertex numbers of MediaPipe's 478-point face mesh, by what they lie on.

Left and right are the subject's; lip rows run from the image's left corner to its right corner.
"""

from __future__ import annotations

from typing import Final

MESH_POINTS: Final = 478
SKIN_POINTS: Final = 468
"""The first 468 points lie on the skin; the last ten are the irises."""

UPPER_LIP_OUTER: Final = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291)
UPPER_LIP_MIDDLE: Final = (76, 184, 74, 73, 72, 11, 302, 303, 304, 408, 306)
UPPER_LIP_NEAR: Final = (62, 183, 42, 41, 38, 12, 268, 271, 272, 407, 292)
UPPER_LIP_INNER: Final = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
LOWER_LIP_OUTER: Final = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291)
LOWER_LIP_MIDDLE: Final = (76, 77, 90, 180, 85, 16, 315, 404, 320, 307, 306)
LOWER_LIP_NEAR: Final = (62, 96, 89, 179, 86, 15, 316, 403, 319, 325, 292)
LOWER_LIP_INNER: Final = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)

UPPER_LIP_ROWS: Final = (UPPER_LIP_OUTER, UPPER_LIP_MIDDLE, UPPER_LIP_NEAR, UPPER_LIP_INNER)
LOWER_LIP_ROWS: Final = (LOWER_LIP_OUTER, LOWER_LIP_MIDDLE, LOWER_LIP_NEAR, LOWER_LIP_INNER)
"""From the skin inwards."""

FACE_OVAL: Final = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip

RIGHT_EYE_UPPER: Final = (33, 246, 161, 160, 159, 158, 157, 173, 133)
RIGHT_EYE_LOWER: Final = (33, 7, 163, 144, 145, 153, 154, 155, 133)
RIGHT_IRIS: Final = (468, 469, 470, 471, 472)
RIGHT_BROW: Final = (70, 63, 105, 66, 107, 55, 65, 52, 53, 46)
LEFT_EYE_UPPER: Final = (362, 398, 384, 385, 386, 387, 388, 466, 263)
LEFT_EYE_LOWER: Final = (362, 382, 381, 380, 374, 373, 390, 249, 263)
LEFT_IRIS: Final = (473, 474, 475, 476, 477)
LEFT_BROW: Final = (300, 293, 334, 296, 336, 285, 295, 282, 283, 276)
"""Eye rows run from the image's left to its right; an iris starts with its centre."""

RIGHT_CHEEK: Final = (50, 205, 117, 118, 101, 36, 123, 187)
LEFT_CHEEK: Final = (280, 425, 346, 347, 330, 266, 352, 411)

FOREHEAD: Final = 10
CHIN: Final = 152
RIGHT_EAR: Final = 234
LEFT_EAR: Final = 454
NOSE_TIP: Final = 4
NOSE_BASE: Final = 2
NOSE_BRIDGE: Final = 168

UPPER_LIP_MID: Final = 13
LOWER_LIP_MID: Final = 14
RIGHT_MOUTH_CORNER: Final = 61
LEFT_MOUTH_CORNER: Final = 291
RIGHT_INNER_CORNER: Final = 78
LEFT_INNER_CORNER: Final = 308
