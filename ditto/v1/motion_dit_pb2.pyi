from ditto.v1 import types_pb2 as _types_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GenerateRequest(_message.Message):
    __slots__ = ("config", "features", "control", "motion", "idle_frames", "step_divisor")
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    CONTROL_FIELD_NUMBER: _ClassVar[int]
    MOTION_FIELD_NUMBER: _ClassVar[int]
    IDLE_FRAMES_FIELD_NUMBER: _ClassVar[int]
    STEP_DIVISOR_FIELD_NUMBER: _ClassVar[int]
    config: GenerateConfig
    features: _types_pb2.FrameBlock
    control: _types_pb2.MotionControl
    motion: _types_pb2.FrameBlock
    idle_frames: int
    step_divisor: int
    def __init__(self, config: _Optional[_Union[GenerateConfig, _Mapping]] = ..., features: _Optional[_Union[_types_pb2.FrameBlock, _Mapping]] = ..., control: _Optional[_Union[_types_pb2.MotionControl, _Mapping]] = ..., motion: _Optional[_Union[_types_pb2.FrameBlock, _Mapping]] = ..., idle_frames: _Optional[int] = ..., step_divisor: _Optional[int] = ...) -> None: ...

class GenerateConfig(_message.Message):
    __slots__ = ("call_id", "identity", "seed", "emotion", "emotion_intensity", "sampling_steps", "control", "checkpoint", "history", "first_frame", "moved", "is_realtime")
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    EMOTION_FIELD_NUMBER: _ClassVar[int]
    EMOTION_INTENSITY_FIELD_NUMBER: _ClassVar[int]
    SAMPLING_STEPS_FIELD_NUMBER: _ClassVar[int]
    CONTROL_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    FIRST_FRAME_FIELD_NUMBER: _ClassVar[int]
    MOVED_FIELD_NUMBER: _ClassVar[int]
    IS_REALTIME_FIELD_NUMBER: _ClassVar[int]
    call_id: str
    identity: _types_pb2.FaceIdentity
    seed: int
    emotion: _types_pb2.Emotion
    emotion_intensity: float
    sampling_steps: int
    control: _types_pb2.MotionControl
    checkpoint: bytes
    history: _types_pb2.FrameBlock
    first_frame: int
    moved: bool
    is_realtime: bool
    def __init__(self, call_id: _Optional[str] = ..., identity: _Optional[_Union[_types_pb2.FaceIdentity, _Mapping]] = ..., seed: _Optional[int] = ..., emotion: _Optional[_Union[_types_pb2.Emotion, str]] = ..., emotion_intensity: _Optional[float] = ..., sampling_steps: _Optional[int] = ..., control: _Optional[_Union[_types_pb2.MotionControl, _Mapping]] = ..., checkpoint: _Optional[bytes] = ..., history: _Optional[_Union[_types_pb2.FrameBlock, _Mapping]] = ..., first_frame: _Optional[int] = ..., moved: _Optional[bool] = ..., is_realtime: _Optional[bool] = ...) -> None: ...

class GenerateResponse(_message.Message):
    __slots__ = ("accepted", "motion", "requests_taken")
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    MOTION_FIELD_NUMBER: _ClassVar[int]
    REQUESTS_TAKEN_FIELD_NUMBER: _ClassVar[int]
    accepted: _types_pb2.SessionAccepted
    motion: GeneratedMotion
    requests_taken: int
    def __init__(self, accepted: _Optional[_Union[_types_pb2.SessionAccepted, _Mapping]] = ..., motion: _Optional[_Union[GeneratedMotion, _Mapping]] = ..., requests_taken: _Optional[int] = ...) -> None: ...

class GeneratedMotion(_message.Message):
    __slots__ = ("frames", "timing", "checkpoint", "requests_taken")
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    TIMING_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    REQUESTS_TAKEN_FIELD_NUMBER: _ClassVar[int]
    frames: _types_pb2.FrameBlock
    timing: _types_pb2.StepTiming
    checkpoint: bytes
    requests_taken: int
    def __init__(self, frames: _Optional[_Union[_types_pb2.FrameBlock, _Mapping]] = ..., timing: _Optional[_Union[_types_pb2.StepTiming, _Mapping]] = ..., checkpoint: _Optional[bytes] = ..., requests_taken: _Optional[int] = ...) -> None: ...
