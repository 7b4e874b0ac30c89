"""What alignments are made of: the recogniser's own frames, nothing beside them."""

from __future__ import annotations

import numpy as np

from ditto.evaluation.listening import Ear


def test_a_feature_frame_is_two_frames_of_the_recogniser() -> None:
    ear = Ear()
    samples = np.random.default_rng(0).normal(0, 0.1, 8_000).astype(np.float32)
    frames, heard = ear.features(samples), ear.listen(samples)
    assert heard.shape == (2 * len(frames), 384)
    np.testing.assert_array_equal(heard[::2], frames[:, :384])
    np.testing.assert_array_equal(heard[1::2], frames[:, 384:768])
