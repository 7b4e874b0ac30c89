"""How much of a replica one live session takes: measured, for admission by headroom."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

_WINDOW_S = 10.0
_LEAST_VIDEO_S = 0.2
"""Fewer seconds of video than this tell nothing."""


class LoadMeter:
    """Compute time over duration of the video it gave, of all sessions in the last seconds.

    The time of a step is wall time, so a machine whose cores are wanted elsewhere too measures as
    more load. Used from the event loop only.
    """

    def __init__(self, threads: int = 1, clock: Callable[[], float] = time.monotonic) -> None:
        """``threads``: how many steps the replica computes at once."""
        self._threads = threads
        self._clock = clock
        self._steps: deque[tuple[float, float, float]] = deque()
        """(moment, compute seconds, video seconds)"""
        self._compute_s = self._video_s = 0.0

    def add(self, compute_s: float, video_s: float) -> None:
        """A session's steps gave so much video."""
        self._steps.append((self._clock(), compute_s, video_s))
        self._compute_s += compute_s
        self._video_s += video_s
        self._forget()

    @property
    def session_load(self) -> float:
        """Share of this replica that one session in real time takes; 0 until it is known.

        The last measurement stands while no session runs.
        """
        if self._video_s < _LEAST_VIDEO_S:
            return 0.0
        return max(0.0, self._compute_s) / self._video_s / self._threads

    def _forget(self) -> None:
        while self._steps[0][0] < self._clock() - _WINDOW_S:
            _, compute_s, video_s = self._steps.popleft()
            self._compute_s -= compute_s
            self._video_s -= video_s
