from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AudioEncoding(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    AUDIO_ENCODING_UNSPECIFIED: _ClassVar[AudioEncoding]
    AUDIO_ENCODING_S16LE: _ClassVar[AudioEncoding]
    AUDIO_ENCODING_S24LE: _ClassVar[AudioEncoding]
    AUDIO_ENCODING_S32LE: _ClassVar[AudioEncoding]
    AUDIO_ENCODING_U8: _ClassVar[AudioEncoding]
    AUDIO_ENCODING_F32LE: _ClassVar[AudioEncoding]
    AUDIO_ENCODING_WAV: _ClassVar[AudioEncoding]

class VideoEncoding(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VIDEO_ENCODING_UNSPECIFIED: _ClassVar[VideoEncoding]
    VIDEO_ENCODING_JPEG: _ClassVar[VideoEncoding]
    VIDEO_ENCODING_RGB24: _ClassVar[VideoEncoding]
    VIDEO_ENCODING_H264_FMP4: _ClassVar[VideoEncoding]

class View(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VIEW_UNSPECIFIED: _ClassVar[View]
    VIEW_HEAD: _ClassVar[View]
    VIEW_FULL: _ClassVar[View]

class Pacing(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PACING_UNSPECIFIED: _ClassVar[Pacing]
    PACING_FAST: _ClassVar[Pacing]
    PACING_REALTIME: _ClassVar[Pacing]

class Emotion(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EMOTION_UNSPECIFIED: _ClassVar[Emotion]
    EMOTION_ANGRY: _ClassVar[Emotion]
    EMOTION_DISGUST: _ClassVar[Emotion]
    EMOTION_FEAR: _ClassVar[Emotion]
    EMOTION_HAPPY: _ClassVar[Emotion]
    EMOTION_NEUTRAL: _ClassVar[Emotion]
    EMOTION_SAD: _ClassVar[Emotion]
    EMOTION_SURPRISE: _ClassVar[Emotion]
    EMOTION_CONTEMPT: _ClassVar[Emotion]
AUDIO_ENCODING_UNSPECIFIED: AudioEncoding
AUDIO_ENCODING_S16LE: AudioEncoding
AUDIO_ENCODING_S24LE: AudioEncoding
AUDIO_ENCODING_S32LE: AudioEncoding
AUDIO_ENCODING_U8: AudioEncoding
AUDIO_ENCODING_F32LE: AudioEncoding
AUDIO_ENCODING_WAV: AudioEncoding
VIDEO_ENCODING_UNSPECIFIED: VideoEncoding
VIDEO_ENCODING_JPEG: VideoEncoding
VIDEO_ENCODING_RGB24: VideoEncoding
VIDEO_ENCODING_H264_FMP4: VideoEncoding
VIEW_UNSPECIFIED: View
VIEW_HEAD: View
VIEW_FULL: View
PACING_UNSPECIFIED: Pacing
PACING_FAST: Pacing
PACING_REALTIME: Pacing
EMOTION_UNSPECIFIED: Emotion
EMOTION_ANGRY: Emotion
EMOTION_DISGUST: Emotion
EMOTION_FEAR: Emotion
EMOTION_HAPPY: Emotion
EMOTION_NEUTRAL: Emotion
EMOTION_SAD: Emotion
EMOTION_SURPRISE: Emotion
EMOTION_CONTEMPT: Emotion

class AudioFormat(_message.Message):
    __slots__ = ("encoding", "sample_rate_hz", "channels")
    ENCODING_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_RATE_HZ_FIELD_NUMBER: _ClassVar[int]
    CHANNELS_FIELD_NUMBER: _ClassVar[int]
    encoding: AudioEncoding
    sample_rate_hz: int
    channels: int
    def __init__(self, encoding: _Optional[_Union[AudioEncoding, str]] = ..., sample_rate_hz: _Optional[int] = ..., channels: _Optional[int] = ...) -> None: ...

class VideoFormat(_message.Message):
    __slots__ = ("encoding", "quality")
    ENCODING_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    encoding: VideoEncoding
    quality: int
    def __init__(self, encoding: _Optional[_Union[VideoEncoding, str]] = ..., quality: _Optional[int] = ...) -> None: ...

class MotionControl(_message.Message):
    __slots__ = ("from_frame", "mouth_gain", "head_gain", "eye_gain", "expression_gain", "pitch_offset_degrees", "yaw_offset_degrees", "roll_offset_degrees")
    FROM_FRAME_FIELD_NUMBER: _ClassVar[int]
    MOUTH_GAIN_FIELD_NUMBER: _ClassVar[int]
    HEAD_GAIN_FIELD_NUMBER: _ClassVar[int]
    EYE_GAIN_FIELD_NUMBER: _ClassVar[int]
    EXPRESSION_GAIN_FIELD_NUMBER: _ClassVar[int]
    PITCH_OFFSET_DEGREES_FIELD_NUMBER: _ClassVar[int]
    YAW_OFFSET_DEGREES_FIELD_NUMBER: _ClassVar[int]
    ROLL_OFFSET_DEGREES_FIELD_NUMBER: _ClassVar[int]
    from_frame: int
    mouth_gain: float
    head_gain: float
    eye_gain: float
    expression_gain: float
    pitch_offset_degrees: float
    yaw_offset_degrees: float
    roll_offset_degrees: float
    def __init__(self, from_frame: _Optional[int] = ..., mouth_gain: _Optional[float] = ..., head_gain: _Optional[float] = ..., eye_gain: _Optional[float] = ..., expression_gain: _Optional[float] = ..., pitch_offset_degrees: _Optional[float] = ..., yaw_offset_degrees: _Optional[float] = ..., roll_offset_degrees: _Optional[float] = ...) -> None: ...

class FaceIdentity(_message.Message):
    __slots__ = ("canonical_keypoints", "reference_motion", "eye_state")
    CANONICAL_KEYPOINTS_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_MOTION_FIELD_NUMBER: _ClassVar[int]
    EYE_STATE_FIELD_NUMBER: _ClassVar[int]
    canonical_keypoints: _containers.RepeatedScalarFieldContainer[float]
    reference_motion: _containers.RepeatedScalarFieldContainer[float]
    eye_state: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, canonical_keypoints: _Optional[_Iterable[float]] = ..., reference_motion: _Optional[_Iterable[float]] = ..., eye_state: _Optional[_Iterable[float]] = ...) -> None: ...

class FrameBlock(_message.Message):
    __slots__ = ("first_frame", "dim", "data")
    FIRST_FRAME_FIELD_NUMBER: _ClassVar[int]
    DIM_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    first_frame: int
    dim: int
    data: bytes
    def __init__(self, first_frame: _Optional[int] = ..., dim: _Optional[int] = ..., data: _Optional[bytes] = ...) -> None: ...

class StepTiming(_message.Message):
    __slots__ = ("compute_us", "queue_us", "batch_size")
    COMPUTE_US_FIELD_NUMBER: _ClassVar[int]
    QUEUE_US_FIELD_NUMBER: _ClassVar[int]
    BATCH_SIZE_FIELD_NUMBER: _ClassVar[int]
    compute_us: int
    queue_us: int
    batch_size: int
    def __init__(self, compute_us: _Optional[int] = ..., queue_us: _Optional[int] = ..., batch_size: _Optional[int] = ...) -> None: ...

class SessionAccepted(_message.Message):
    __slots__ = ("replica", "pack_hash")
    REPLICA_FIELD_NUMBER: _ClassVar[int]
    PACK_HASH_FIELD_NUMBER: _ClassVar[int]
    replica: str
    pack_hash: str
    def __init__(self, replica: _Optional[str] = ..., pack_hash: _Optional[str] = ...) -> None: ...
