"""Good streams of each stage, short ones, to be broken."""

from __future__ import annotations

import numpy as np

from ditto.motion.layout import MOTION_DIM
from ditto.serving.frames import block_of
from ditto.v1 import audio_encoder_pb2 as audio_pb
from ditto.v1 import motion_dit_pb2 as motion_pb
from ditto.v1 import renderer_pb2 as render_pb
from ditto.v1 import types_pb2 as types
from tests.fuzz.messages import Stream

_CHANCE = np.random.default_rng(7)


def pcm() -> bytes:
    """Half a second of noise, S16LE at 16 kHz."""
    noise = np.random.default_rng(7).normal(0, 0.1, 8000)
    return (noise * 32767).astype("<i2").tobytes()


def wav_file() -> bytes:
    """The same as a WAV file with a chunk that nobody needs."""
    head = b"fmt " + bytes([16, 0, 0, 0, 1, 0, 1, 0, 0x80, 0x3E, 0, 0, 0, 0x7D, 0, 0, 2, 0, 16, 0])
    body = head + b"LIST" + bytes([4, 0, 0, 0]) + b"abcd" + b"data"
    body += len(pcm()).to_bytes(4, "little") + pcm()
    return b"RIFF" + (4 + len(body)).to_bytes(4, "little") + b"WAVE" + body


def encoder_streams() -> list[Stream]:
    """PCM, float PCM, and a WAV file."""
    formats = {
        types.AUDIO_ENCODING_S16LE: pcm(),
        types.AUDIO_ENCODING_F32LE: np.linspace(-0.1, 0.1, 8000, dtype="<f4").tobytes(),
        types.AUDIO_ENCODING_WAV: wav_file(),
    }
    return [
        [
            audio_pb.EncodeRequest(
                config=audio_pb.EncodeConfig(
                    call_id="f",
                    audio_format=types.AudioFormat(
                        encoding=encoding, sample_rate_hz=16_000, channels=1
                    ),
                )
            ),
            audio_pb.EncodeRequest(audio=speech[:9000]),
            audio_pb.EncodeRequest(audio=speech[9000:]),
        ]
        for encoding, speech in formats.items()
    ]


def motion_streams(feature_dim: int) -> list[Stream]:
    """Features with controls between them, and driving by motion."""
    features = _CHANCE.normal(0, 1, (10, feature_dim)).astype(np.float32)
    config = motion_pb.GenerateRequest(config=_generate_config())
    return [
        [
            config,
            motion_pb.GenerateRequest(features=block_of(0, features[:5])),
            motion_pb.GenerateRequest(control=control()),
            motion_pb.GenerateRequest(features=block_of(5, features[5:])),
        ],
        [
            config,
            motion_pb.GenerateRequest(motion=block_of(0, np.zeros((3, MOTION_DIM), np.float32))),
        ],
    ]


def render_streams(content_key: str) -> list[Stream]:
    """Two pictures of a registered portrait, by encoding and view."""
    motion = np.zeros((1, MOTION_DIM), np.float32)
    return [
        [
            render_pb.RenderRequest(
                config=render_pb.RenderConfig(
                    call_id="f",
                    content_key=content_key,
                    video_format=types.VideoFormat(encoding=encoding, quality=80),
                    view=view,
                )
            ),
            render_pb.RenderRequest(motion=block_of(0, motion)),
            render_pb.RenderRequest(motion=block_of(1, motion)),
        ]
        for encoding, view in (
            (types.VIDEO_ENCODING_JPEG, types.VIEW_HEAD),
            (types.VIDEO_ENCODING_JPEG, types.VIEW_FULL),
            (types.VIDEO_ENCODING_H264_FMP4, types.VIEW_HEAD),
        )
    ]


def control() -> types.MotionControl:
    """A control that says something of every kind."""
    made = types.MotionControl(from_frame=3, mouth_gain=1.2, emotion=types.EMOTION_HAPPY)
    made.look_at.yaw_degrees = 5
    made.gaze.yaw_degrees = 2
    made.look_away.max_degrees = 3
    made.blendshapes["jawOpen"] = 0.2
    for frame in (0, 10):
        key = made.pose_track.add(frame=frame)
        key.euler.yaw_degrees = frame / 2
    turned = made.pose_track.add(frame=20)
    turned.quaternion.w = 1
    return made


def _generate_config() -> motion_pb.GenerateConfig:
    identity = types.FaceIdentity(
        canonical_keypoints=_CHANCE.normal(0, 0.1, 63),
        reference_motion=_CHANCE.normal(0, 0.1, MOTION_DIM),
        eye_state=[1.0] * 8,
    )
    return motion_pb.GenerateConfig(
        call_id="f",
        identity=identity,
        seed=3,
        emotion=types.EMOTION_SAD,
        emotion_intensity=0.5,
        sampling_steps=1,
        control=control(),
    )
