from ditto.v1 import types_pb2 as _types_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class EncodeRequest(_message.Message):
    __slots__ = ("config", "audio")
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    AUDIO_FIELD_NUMBER: _ClassVar[int]
    config: EncodeConfig
    audio: bytes
    def __init__(self, config: _Optional[_Union[EncodeConfig, _Mapping]] = ..., audio: _Optional[bytes] = ...) -> None: ...

class EncodeConfig(_message.Message):
    __slots__ = ("call_id", "audio_format", "checkpoint", "moved", "is_realtime")
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    AUDIO_FORMAT_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    MOVED_FIELD_NUMBER: _ClassVar[int]
    IS_REALTIME_FIELD_NUMBER: _ClassVar[int]
    call_id: str
    audio_format: _types_pb2.AudioFormat
    checkpoint: bytes
    moved: bool
    is_realtime: bool
    def __init__(self, call_id: _Optional[str] = ..., audio_format: _Optional[_Union[_types_pb2.AudioFormat, _Mapping]] = ..., checkpoint: _Optional[bytes] = ..., moved: _Optional[bool] = ..., is_realtime: _Optional[bool] = ...) -> None: ...

class EncodeResponse(_message.Message):
    __slots__ = ("accepted", "features", "requests_taken")
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    REQUESTS_TAKEN_FIELD_NUMBER: _ClassVar[int]
    accepted: _types_pb2.SessionAccepted
    features: EncodedFeatures
    requests_taken: int
    def __init__(self, accepted: _Optional[_Union[_types_pb2.SessionAccepted, _Mapping]] = ..., features: _Optional[_Union[EncodedFeatures, _Mapping]] = ..., requests_taken: _Optional[int] = ...) -> None: ...

class EncodedFeatures(_message.Message):
    __slots__ = ("frames", "timing", "checkpoint", "requests_taken", "samples_taken")
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    TIMING_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    REQUESTS_TAKEN_FIELD_NUMBER: _ClassVar[int]
    SAMPLES_TAKEN_FIELD_NUMBER: _ClassVar[int]
    frames: _types_pb2.FrameBlock
    timing: _types_pb2.StepTiming
    checkpoint: bytes
    requests_taken: int
    samples_taken: int
    def __init__(self, frames: _Optional[_Union[_types_pb2.FrameBlock, _Mapping]] = ..., timing: _Optional[_Union[_types_pb2.StepTiming, _Mapping]] = ..., checkpoint: _Optional[bytes] = ..., requests_taken: _Optional[int] = ..., samples_taken: _Optional[int] = ...) -> None: ...
