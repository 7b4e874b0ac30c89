"""The window that Whisper's encoder is given for one unit of speech, and what is kept of it.

One second that ends 80 ms after the unit; of its 50 encoder frames the unit's own ten are kept,
and each two of them make one feature frame.
"""

WINDOW_MEL_FRAMES = 100
WINDOW_FRAMES = WINDOW_MEL_FRAMES // 2
"""Encoder frames, at 50 Hz."""
KEPT_FRAMES = 10
LOOK_AHEAD_FRAMES = 4
WIDTH = 384
"""Numbers in an encoder frame."""
STACKED = 2
"""Encoder frames in one feature frame."""
