from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
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

class Driving(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DRIVING_UNSPECIFIED: _ClassVar[Driving]
    DRIVING_SPEECH: _ClassVar[Driving]
    DRIVING_MOTION: _ClassVar[Driving]

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
DRIVING_UNSPECIFIED: Driving
DRIVING_SPEECH: Driving
DRIVING_MOTION: Driving
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
    __slots__ = ("from_frame", "mouth_gain", "head_gain", "eye_gain", "expression_gain", "pitch_offset_degrees", "yaw_offset_degrees", "roll_offset_degrees", "reset", "lips_gain", "jaw_gain", "brows_gain", "cheeks_gain", "neck_gain", "expression_limit", "head_limit_degrees", "pose_track", "pose_weight", "look_at", "gaze", "gaze_correction", "look_away", "squint", "eyes_closed", "blink_now_frames", "blinks_per_minute", "blink_frames", "saccade_gain", "emotion", "emotion_intensity", "blendshapes")
    class BlendshapesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    FROM_FRAME_FIELD_NUMBER: _ClassVar[int]
    MOUTH_GAIN_FIELD_NUMBER: _ClassVar[int]
    HEAD_GAIN_FIELD_NUMBER: _ClassVar[int]
    EYE_GAIN_FIELD_NUMBER: _ClassVar[int]
    EXPRESSION_GAIN_FIELD_NUMBER: _ClassVar[int]
    PITCH_OFFSET_DEGREES_FIELD_NUMBER: _ClassVar[int]
    YAW_OFFSET_DEGREES_FIELD_NUMBER: _ClassVar[int]
    ROLL_OFFSET_DEGREES_FIELD_NUMBER: _ClassVar[int]
    RESET_FIELD_NUMBER: _ClassVar[int]
    LIPS_GAIN_FIELD_NUMBER: _ClassVar[int]
    JAW_GAIN_FIELD_NUMBER: _ClassVar[int]
    BROWS_GAIN_FIELD_NUMBER: _ClassVar[int]
    CHEEKS_GAIN_FIELD_NUMBER: _ClassVar[int]
    NECK_GAIN_FIELD_NUMBER: _ClassVar[int]
    EXPRESSION_LIMIT_FIELD_NUMBER: _ClassVar[int]
    HEAD_LIMIT_DEGREES_FIELD_NUMBER: _ClassVar[int]
    POSE_TRACK_FIELD_NUMBER: _ClassVar[int]
    POSE_WEIGHT_FIELD_NUMBER: _ClassVar[int]
    LOOK_AT_FIELD_NUMBER: _ClassVar[int]
    GAZE_FIELD_NUMBER: _ClassVar[int]
    GAZE_CORRECTION_FIELD_NUMBER: _ClassVar[int]
    LOOK_AWAY_FIELD_NUMBER: _ClassVar[int]
    SQUINT_FIELD_NUMBER: _ClassVar[int]
    EYES_CLOSED_FIELD_NUMBER: _ClassVar[int]
    BLINK_NOW_FRAMES_FIELD_NUMBER: _ClassVar[int]
    BLINKS_PER_MINUTE_FIELD_NUMBER: _ClassVar[int]
    BLINK_FRAMES_FIELD_NUMBER: _ClassVar[int]
    SACCADE_GAIN_FIELD_NUMBER: _ClassVar[int]
    EMOTION_FIELD_NUMBER: _ClassVar[int]
    EMOTION_INTENSITY_FIELD_NUMBER: _ClassVar[int]
    BLENDSHAPES_FIELD_NUMBER: _ClassVar[int]
    from_frame: int
    mouth_gain: float
    head_gain: float
    eye_gain: float
    expression_gain: float
    pitch_offset_degrees: float
    yaw_offset_degrees: float
    roll_offset_degrees: float
    reset: bool
    lips_gain: float
    jaw_gain: float
    brows_gain: float
    cheeks_gain: float
    neck_gain: float
    expression_limit: float
    head_limit_degrees: float
    pose_track: _containers.RepeatedCompositeFieldContainer[PoseKey]
    pose_weight: float
    look_at: LookAt
    gaze: GazeTarget
    gaze_correction: float
    look_away: LookAway
    squint: float
    eyes_closed: float
    blink_now_frames: int
    blinks_per_minute: float
    blink_frames: int
    saccade_gain: float
    emotion: Emotion
    emotion_intensity: float
    blendshapes: _containers.ScalarMap[str, float]
    def __init__(self, from_frame: _Optional[int] = ..., mouth_gain: _Optional[float] = ..., head_gain: _Optional[float] = ..., eye_gain: _Optional[float] = ..., expression_gain: _Optional[float] = ..., pitch_offset_degrees: _Optional[float] = ..., yaw_offset_degrees: _Optional[float] = ..., roll_offset_degrees: _Optional[float] = ..., reset: _Optional[bool] = ..., lips_gain: _Optional[float] = ..., jaw_gain: _Optional[float] = ..., brows_gain: _Optional[float] = ..., cheeks_gain: _Optional[float] = ..., neck_gain: _Optional[float] = ..., expression_limit: _Optional[float] = ..., head_limit_degrees: _Optional[float] = ..., pose_track: _Optional[_Iterable[_Union[PoseKey, _Mapping]]] = ..., pose_weight: _Optional[float] = ..., look_at: _Optional[_Union[LookAt, _Mapping]] = ..., gaze: _Optional[_Union[GazeTarget, _Mapping]] = ..., gaze_correction: _Optional[float] = ..., look_away: _Optional[_Union[LookAway, _Mapping]] = ..., squint: _Optional[float] = ..., eyes_closed: _Optional[float] = ..., blink_now_frames: _Optional[int] = ..., blinks_per_minute: _Optional[float] = ..., blink_frames: _Optional[int] = ..., saccade_gain: _Optional[float] = ..., emotion: _Optional[_Union[Emotion, str]] = ..., emotion_intensity: _Optional[float] = ..., blendshapes: _Optional[_Mapping[str, float]] = ...) -> None: ...

class PoseKey(_message.Message):
    __slots__ = ("frame", "euler", "quaternion")
    FRAME_FIELD_NUMBER: _ClassVar[int]
    EULER_FIELD_NUMBER: _ClassVar[int]
    QUATERNION_FIELD_NUMBER: _ClassVar[int]
    frame: int
    euler: EulerAngles
    quaternion: Quaternion
    def __init__(self, frame: _Optional[int] = ..., euler: _Optional[_Union[EulerAngles, _Mapping]] = ..., quaternion: _Optional[_Union[Quaternion, _Mapping]] = ...) -> None: ...

class EulerAngles(_message.Message):
    __slots__ = ("pitch_degrees", "yaw_degrees", "roll_degrees")
    PITCH_DEGREES_FIELD_NUMBER: _ClassVar[int]
    YAW_DEGREES_FIELD_NUMBER: _ClassVar[int]
    ROLL_DEGREES_FIELD_NUMBER: _ClassVar[int]
    pitch_degrees: float
    yaw_degrees: float
    roll_degrees: float
    def __init__(self, pitch_degrees: _Optional[float] = ..., yaw_degrees: _Optional[float] = ..., roll_degrees: _Optional[float] = ...) -> None: ...

class Quaternion(_message.Message):
    __slots__ = ("x", "y", "z", "w")
    X_FIELD_NUMBER: _ClassVar[int]
    Y_FIELD_NUMBER: _ClassVar[int]
    Z_FIELD_NUMBER: _ClassVar[int]
    W_FIELD_NUMBER: _ClassVar[int]
    x: float
    y: float
    z: float
    w: float
    def __init__(self, x: _Optional[float] = ..., y: _Optional[float] = ..., z: _Optional[float] = ..., w: _Optional[float] = ...) -> None: ...

class LookAt(_message.Message):
    __slots__ = ("yaw_degrees", "pitch_degrees", "weight", "head_share")
    YAW_DEGREES_FIELD_NUMBER: _ClassVar[int]
    PITCH_DEGREES_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    HEAD_SHARE_FIELD_NUMBER: _ClassVar[int]
    yaw_degrees: float
    pitch_degrees: float
    weight: float
    head_share: float
    def __init__(self, yaw_degrees: _Optional[float] = ..., pitch_degrees: _Optional[float] = ..., weight: _Optional[float] = ..., head_share: _Optional[float] = ...) -> None: ...

class GazeTarget(_message.Message):
    __slots__ = ("yaw_degrees", "pitch_degrees", "weight")
    YAW_DEGREES_FIELD_NUMBER: _ClassVar[int]
    PITCH_DEGREES_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    yaw_degrees: float
    pitch_degrees: float
    weight: float
    def __init__(self, yaw_degrees: _Optional[float] = ..., pitch_degrees: _Optional[float] = ..., weight: _Optional[float] = ...) -> None: ...

class LookAway(_message.Message):
    __slots__ = ("max_degrees", "min_interval_frames", "interval_range_frames")
    MAX_DEGREES_FIELD_NUMBER: _ClassVar[int]
    MIN_INTERVAL_FRAMES_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_RANGE_FRAMES_FIELD_NUMBER: _ClassVar[int]
    max_degrees: float
    min_interval_frames: int
    interval_range_frames: int
    def __init__(self, max_degrees: _Optional[float] = ..., min_interval_frames: _Optional[int] = ..., interval_range_frames: _Optional[int] = ...) -> None: ...

class FaceIdentity(_message.Message):
    __slots__ = ("canonical_keypoints", "reference_motion", "eye_state")
    CANONICAL_KEYPOINTS_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_MOTION_FIELD_NUMBER: _ClassVar[int]
    EYE_STATE_FIELD_NUMBER: _ClassVar[int]
    canonical_keypoints: _containers.RepeatedScalarFieldContainer[float]
    reference_motion: _containers.RepeatedScalarFieldContainer[float]
    eye_state: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, canonical_keypoints: _Optional[_Iterable[float]] = ..., reference_motion: _Optional[_Iterable[float]] = ..., eye_state: _Optional[_Iterable[float]] = ...) -> None: ...

class PrepareProgress(_message.Message):
    __slots__ = ("frames_done", "frames")
    FRAMES_DONE_FIELD_NUMBER: _ClassVar[int]
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    frames_done: int
    frames: int
    def __init__(self, frames_done: _Optional[int] = ..., frames: _Optional[int] = ...) -> None: ...

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
