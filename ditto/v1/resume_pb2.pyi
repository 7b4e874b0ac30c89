from ditto.v1 import animation_pb2 as _animation_pb2
from ditto.v1 import motion_dit_pb2 as _motion_dit_pb2
from ditto.v1 import types_pb2 as _types_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ResumeState(_message.Message):
    __slots__ = ("call_id", "tenant", "issued_s", "config", "content_key", "pack_hash", "lasted_s", "speech_offset", "reader", "given_again", "encoder", "features", "origin", "motion", "motion_frames", "controls", "controls_taken", "speech", "heard", "heard_from", "sps", "pps", "ffd_ms", "ffd_compute_ms", "interrupts_taken")
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    TENANT_FIELD_NUMBER: _ClassVar[int]
    ISSUED_S_FIELD_NUMBER: _ClassVar[int]
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    CONTENT_KEY_FIELD_NUMBER: _ClassVar[int]
    PACK_HASH_FIELD_NUMBER: _ClassVar[int]
    LASTED_S_FIELD_NUMBER: _ClassVar[int]
    SPEECH_OFFSET_FIELD_NUMBER: _ClassVar[int]
    READER_FIELD_NUMBER: _ClassVar[int]
    GIVEN_AGAIN_FIELD_NUMBER: _ClassVar[int]
    ENCODER_FIELD_NUMBER: _ClassVar[int]
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    MOTION_FIELD_NUMBER: _ClassVar[int]
    MOTION_FRAMES_FIELD_NUMBER: _ClassVar[int]
    CONTROLS_FIELD_NUMBER: _ClassVar[int]
    CONTROLS_TAKEN_FIELD_NUMBER: _ClassVar[int]
    SPEECH_FIELD_NUMBER: _ClassVar[int]
    HEARD_FIELD_NUMBER: _ClassVar[int]
    HEARD_FROM_FIELD_NUMBER: _ClassVar[int]
    SPS_FIELD_NUMBER: _ClassVar[int]
    PPS_FIELD_NUMBER: _ClassVar[int]
    FFD_MS_FIELD_NUMBER: _ClassVar[int]
    FFD_COMPUTE_MS_FIELD_NUMBER: _ClassVar[int]
    INTERRUPTS_TAKEN_FIELD_NUMBER: _ClassVar[int]
    call_id: str
    tenant: str
    issued_s: float
    config: _animation_pb2.AnimateConfig
    content_key: str
    pack_hash: str
    lasted_s: float
    speech_offset: int
    reader: bytes
    given_again: int
    encoder: bytes
    features: int
    origin: int
    motion: _motion_dit_pb2.GenerateConfig
    motion_frames: int
    controls: _containers.RepeatedCompositeFieldContainer[_types_pb2.MotionControl]
    controls_taken: int
    speech: SpeechProgress
    heard: bytes
    heard_from: int
    sps: bytes
    pps: bytes
    ffd_ms: float
    ffd_compute_ms: float
    interrupts_taken: int
    def __init__(self, call_id: _Optional[str] = ..., tenant: _Optional[str] = ..., issued_s: _Optional[float] = ..., config: _Optional[_Union[_animation_pb2.AnimateConfig, _Mapping]] = ..., content_key: _Optional[str] = ..., pack_hash: _Optional[str] = ..., lasted_s: _Optional[float] = ..., speech_offset: _Optional[int] = ..., reader: _Optional[bytes] = ..., given_again: _Optional[int] = ..., encoder: _Optional[bytes] = ..., features: _Optional[int] = ..., origin: _Optional[int] = ..., motion: _Optional[_Union[_motion_dit_pb2.GenerateConfig, _Mapping]] = ..., motion_frames: _Optional[int] = ..., controls: _Optional[_Iterable[_Union[_types_pb2.MotionControl, _Mapping]]] = ..., controls_taken: _Optional[int] = ..., speech: _Optional[_Union[SpeechProgress, _Mapping]] = ..., heard: _Optional[bytes] = ..., heard_from: _Optional[int] = ..., sps: _Optional[bytes] = ..., pps: _Optional[bytes] = ..., ffd_ms: _Optional[float] = ..., ffd_compute_ms: _Optional[float] = ..., interrupts_taken: _Optional[int] = ...) -> None: ...

class SpeechProgress(_message.Message):
    __slots__ = ("fed_samples", "speech_end", "is_speaking", "is_told_speaking", "first_frame", "events")
    FED_SAMPLES_FIELD_NUMBER: _ClassVar[int]
    SPEECH_END_FIELD_NUMBER: _ClassVar[int]
    IS_SPEAKING_FIELD_NUMBER: _ClassVar[int]
    IS_TOLD_SPEAKING_FIELD_NUMBER: _ClassVar[int]
    FIRST_FRAME_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    fed_samples: int
    speech_end: int
    is_speaking: bool
    is_told_speaking: bool
    first_frame: int
    events: _containers.RepeatedCompositeFieldContainer[_animation_pb2.Event]
    def __init__(self, fed_samples: _Optional[int] = ..., speech_end: _Optional[int] = ..., is_speaking: _Optional[bool] = ..., is_told_speaking: _Optional[bool] = ..., first_frame: _Optional[int] = ..., events: _Optional[_Iterable[_Union[_animation_pb2.Event, _Mapping]]] = ...) -> None: ...
