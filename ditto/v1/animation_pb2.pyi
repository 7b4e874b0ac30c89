from ditto.v1 import types_pb2 as _types_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class EventKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EVENT_KIND_UNSPECIFIED: _ClassVar[EventKind]
    EVENT_KIND_SPEECH_STARTED: _ClassVar[EventKind]
    EVENT_KIND_SPEECH_ENDED: _ClassVar[EventKind]
    EVENT_KIND_INTERRUPTED: _ClassVar[EventKind]
    EVENT_KIND_DEGRADED: _ClassVar[EventKind]
    EVENT_KIND_RECOVERED: _ClassVar[EventKind]
    EVENT_KIND_DRAINING: _ClassVar[EventKind]
    EVENT_KIND_FRAMES_SKIPPED: _ClassVar[EventKind]
    EVENT_KIND_FAILED_OVER: _ClassVar[EventKind]
EVENT_KIND_UNSPECIFIED: EventKind
EVENT_KIND_SPEECH_STARTED: EventKind
EVENT_KIND_SPEECH_ENDED: EventKind
EVENT_KIND_INTERRUPTED: EventKind
EVENT_KIND_DEGRADED: EventKind
EVENT_KIND_RECOVERED: EventKind
EVENT_KIND_DRAINING: EventKind
EVENT_KIND_FRAMES_SKIPPED: EventKind
EVENT_KIND_FAILED_OVER: EventKind

class AnimateRequest(_message.Message):
    __slots__ = ("config", "audio", "control", "interrupt", "motion", "sent_ms_ago")
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    AUDIO_FIELD_NUMBER: _ClassVar[int]
    CONTROL_FIELD_NUMBER: _ClassVar[int]
    INTERRUPT_FIELD_NUMBER: _ClassVar[int]
    MOTION_FIELD_NUMBER: _ClassVar[int]
    SENT_MS_AGO_FIELD_NUMBER: _ClassVar[int]
    config: AnimateConfig
    audio: bytes
    control: _types_pb2.MotionControl
    interrupt: Interrupt
    motion: _types_pb2.FrameBlock
    sent_ms_ago: int
    def __init__(self, config: _Optional[_Union[AnimateConfig, _Mapping]] = ..., audio: _Optional[bytes] = ..., control: _Optional[_Union[_types_pb2.MotionControl, _Mapping]] = ..., interrupt: _Optional[_Union[Interrupt, _Mapping]] = ..., motion: _Optional[_Union[_types_pb2.FrameBlock, _Mapping]] = ..., sent_ms_ago: _Optional[int] = ...) -> None: ...

class AnimateConfig(_message.Message):
    __slots__ = ("portrait", "avatar_id", "audio_format", "video_format", "view", "pacing", "emotion", "emotion_intensity", "seed", "sampling_steps", "motion", "pack", "frame_rate", "resume", "driving", "resume_interval_ms", "keep_quality")
    PORTRAIT_FIELD_NUMBER: _ClassVar[int]
    AVATAR_ID_FIELD_NUMBER: _ClassVar[int]
    AUDIO_FORMAT_FIELD_NUMBER: _ClassVar[int]
    VIDEO_FORMAT_FIELD_NUMBER: _ClassVar[int]
    VIEW_FIELD_NUMBER: _ClassVar[int]
    PACING_FIELD_NUMBER: _ClassVar[int]
    EMOTION_FIELD_NUMBER: _ClassVar[int]
    EMOTION_INTENSITY_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    SAMPLING_STEPS_FIELD_NUMBER: _ClassVar[int]
    MOTION_FIELD_NUMBER: _ClassVar[int]
    PACK_FIELD_NUMBER: _ClassVar[int]
    FRAME_RATE_FIELD_NUMBER: _ClassVar[int]
    RESUME_FIELD_NUMBER: _ClassVar[int]
    DRIVING_FIELD_NUMBER: _ClassVar[int]
    RESUME_INTERVAL_MS_FIELD_NUMBER: _ClassVar[int]
    KEEP_QUALITY_FIELD_NUMBER: _ClassVar[int]
    portrait: bytes
    avatar_id: str
    audio_format: _types_pb2.AudioFormat
    video_format: _types_pb2.VideoFormat
    view: _types_pb2.View
    pacing: _types_pb2.Pacing
    emotion: _types_pb2.Emotion
    emotion_intensity: float
    seed: int
    sampling_steps: int
    motion: _types_pb2.MotionControl
    pack: str
    frame_rate: int
    resume: Resume
    driving: _types_pb2.Driving
    resume_interval_ms: int
    keep_quality: bool
    def __init__(self, portrait: _Optional[bytes] = ..., avatar_id: _Optional[str] = ..., audio_format: _Optional[_Union[_types_pb2.AudioFormat, _Mapping]] = ..., video_format: _Optional[_Union[_types_pb2.VideoFormat, _Mapping]] = ..., view: _Optional[_Union[_types_pb2.View, str]] = ..., pacing: _Optional[_Union[_types_pb2.Pacing, str]] = ..., emotion: _Optional[_Union[_types_pb2.Emotion, str]] = ..., emotion_intensity: _Optional[float] = ..., seed: _Optional[int] = ..., sampling_steps: _Optional[int] = ..., motion: _Optional[_Union[_types_pb2.MotionControl, _Mapping]] = ..., pack: _Optional[str] = ..., frame_rate: _Optional[int] = ..., resume: _Optional[_Union[Resume, _Mapping]] = ..., driving: _Optional[_Union[_types_pb2.Driving, str]] = ..., resume_interval_ms: _Optional[int] = ..., keep_quality: _Optional[bool] = ...) -> None: ...

class Resume(_message.Message):
    __slots__ = ("token", "next_frame_index", "speech_offset", "silent_ms", "speech_bytes")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    NEXT_FRAME_INDEX_FIELD_NUMBER: _ClassVar[int]
    SPEECH_OFFSET_FIELD_NUMBER: _ClassVar[int]
    SILENT_MS_FIELD_NUMBER: _ClassVar[int]
    SPEECH_BYTES_FIELD_NUMBER: _ClassVar[int]
    token: bytes
    next_frame_index: int
    speech_offset: int
    silent_ms: int
    speech_bytes: int
    def __init__(self, token: _Optional[bytes] = ..., next_frame_index: _Optional[int] = ..., speech_offset: _Optional[int] = ..., silent_ms: _Optional[int] = ..., speech_bytes: _Optional[int] = ...) -> None: ...

class ResumePoint(_message.Message):
    __slots__ = ("token", "speech_offset", "controls", "interrupts")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    SPEECH_OFFSET_FIELD_NUMBER: _ClassVar[int]
    CONTROLS_FIELD_NUMBER: _ClassVar[int]
    INTERRUPTS_FIELD_NUMBER: _ClassVar[int]
    token: bytes
    speech_offset: int
    controls: int
    interrupts: int
    def __init__(self, token: _Optional[bytes] = ..., speech_offset: _Optional[int] = ..., controls: _Optional[int] = ..., interrupts: _Optional[int] = ...) -> None: ...

class Interrupt(_message.Message):
    __slots__ = ("last_played_frame_index",)
    LAST_PLAYED_FRAME_INDEX_FIELD_NUMBER: _ClassVar[int]
    last_played_frame_index: int
    def __init__(self, last_played_frame_index: _Optional[int] = ...) -> None: ...

class AnimateResponse(_message.Message):
    __slots__ = ("started", "frame", "chunk", "event", "stats", "resume_point")
    STARTED_FIELD_NUMBER: _ClassVar[int]
    FRAME_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    STATS_FIELD_NUMBER: _ClassVar[int]
    RESUME_POINT_FIELD_NUMBER: _ClassVar[int]
    started: Started
    frame: VideoFrame
    chunk: ContainerChunk
    event: Event
    stats: CallStats
    resume_point: ResumePoint
    def __init__(self, started: _Optional[_Union[Started, _Mapping]] = ..., frame: _Optional[_Union[VideoFrame, _Mapping]] = ..., chunk: _Optional[_Union[ContainerChunk, _Mapping]] = ..., event: _Optional[_Union[Event, _Mapping]] = ..., stats: _Optional[_Union[CallStats, _Mapping]] = ..., resume_point: _Optional[_Union[ResumePoint, _Mapping]] = ...) -> None: ...

class Started(_message.Message):
    __slots__ = ("call_id", "config", "width", "height", "warnings", "mime_type", "resume_token", "pack_version")
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    MIME_TYPE_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    PACK_VERSION_FIELD_NUMBER: _ClassVar[int]
    call_id: str
    config: AnimateConfig
    width: int
    height: int
    warnings: _containers.RepeatedScalarFieldContainer[str]
    mime_type: str
    resume_token: bytes
    pack_version: str
    def __init__(self, call_id: _Optional[str] = ..., config: _Optional[_Union[AnimateConfig, _Mapping]] = ..., width: _Optional[int] = ..., height: _Optional[int] = ..., warnings: _Optional[_Iterable[str]] = ..., mime_type: _Optional[str] = ..., resume_token: _Optional[bytes] = ..., pack_version: _Optional[str] = ...) -> None: ...

class VideoFrame(_message.Message):
    __slots__ = ("index", "pts_us", "speech_sample_offset", "data", "width", "height")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    PTS_US_FIELD_NUMBER: _ClassVar[int]
    SPEECH_SAMPLE_OFFSET_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    index: int
    pts_us: int
    speech_sample_offset: int
    data: bytes
    width: int
    height: int
    def __init__(self, index: _Optional[int] = ..., pts_us: _Optional[int] = ..., speech_sample_offset: _Optional[int] = ..., data: _Optional[bytes] = ..., width: _Optional[int] = ..., height: _Optional[int] = ...) -> None: ...

class ContainerChunk(_message.Message):
    __slots__ = ("data", "first_frame_index", "frame_count")
    DATA_FIELD_NUMBER: _ClassVar[int]
    FIRST_FRAME_INDEX_FIELD_NUMBER: _ClassVar[int]
    FRAME_COUNT_FIELD_NUMBER: _ClassVar[int]
    data: bytes
    first_frame_index: int
    frame_count: int
    def __init__(self, data: _Optional[bytes] = ..., first_frame_index: _Optional[int] = ..., frame_count: _Optional[int] = ...) -> None: ...

class Event(_message.Message):
    __slots__ = ("kind", "frame_index", "detail", "deadline_ms", "gap_ms")
    KIND_FIELD_NUMBER: _ClassVar[int]
    FRAME_INDEX_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_MS_FIELD_NUMBER: _ClassVar[int]
    GAP_MS_FIELD_NUMBER: _ClassVar[int]
    kind: EventKind
    frame_index: int
    detail: str
    deadline_ms: int
    gap_ms: float
    def __init__(self, kind: _Optional[_Union[EventKind, str]] = ..., frame_index: _Optional[int] = ..., detail: _Optional[str] = ..., deadline_ms: _Optional[int] = ..., gap_ms: _Optional[float] = ...) -> None: ...

class ModuleStats(_message.Message):
    __slots__ = ("module", "replicas", "rtf", "compute_ms", "queue_ms")
    MODULE_FIELD_NUMBER: _ClassVar[int]
    REPLICAS_FIELD_NUMBER: _ClassVar[int]
    RTF_FIELD_NUMBER: _ClassVar[int]
    COMPUTE_MS_FIELD_NUMBER: _ClassVar[int]
    QUEUE_MS_FIELD_NUMBER: _ClassVar[int]
    module: str
    replicas: _containers.RepeatedScalarFieldContainer[str]
    rtf: float
    compute_ms: float
    queue_ms: float
    def __init__(self, module: _Optional[str] = ..., replicas: _Optional[_Iterable[str]] = ..., rtf: _Optional[float] = ..., compute_ms: _Optional[float] = ..., queue_ms: _Optional[float] = ...) -> None: ...

class CallStats(_message.Message):
    __slots__ = ("frames", "video_seconds", "speech_seconds", "ffd_ms", "ffd_compute_ms", "av_skew_ms", "modules", "avatar_source", "failovers", "failover_gap_ms")
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    VIDEO_SECONDS_FIELD_NUMBER: _ClassVar[int]
    SPEECH_SECONDS_FIELD_NUMBER: _ClassVar[int]
    FFD_MS_FIELD_NUMBER: _ClassVar[int]
    FFD_COMPUTE_MS_FIELD_NUMBER: _ClassVar[int]
    AV_SKEW_MS_FIELD_NUMBER: _ClassVar[int]
    MODULES_FIELD_NUMBER: _ClassVar[int]
    AVATAR_SOURCE_FIELD_NUMBER: _ClassVar[int]
    FAILOVERS_FIELD_NUMBER: _ClassVar[int]
    FAILOVER_GAP_MS_FIELD_NUMBER: _ClassVar[int]
    frames: int
    video_seconds: float
    speech_seconds: float
    ffd_ms: float
    ffd_compute_ms: float
    av_skew_ms: float
    modules: _containers.RepeatedCompositeFieldContainer[ModuleStats]
    avatar_source: str
    failovers: int
    failover_gap_ms: float
    def __init__(self, frames: _Optional[int] = ..., video_seconds: _Optional[float] = ..., speech_seconds: _Optional[float] = ..., ffd_ms: _Optional[float] = ..., ffd_compute_ms: _Optional[float] = ..., av_skew_ms: _Optional[float] = ..., modules: _Optional[_Iterable[_Union[ModuleStats, _Mapping]]] = ..., avatar_source: _Optional[str] = ..., failovers: _Optional[int] = ..., failover_gap_ms: _Optional[float] = ...) -> None: ...

class RegisterAvatarRequest(_message.Message):
    __slots__ = ("portrait", "pack")
    PORTRAIT_FIELD_NUMBER: _ClassVar[int]
    PACK_FIELD_NUMBER: _ClassVar[int]
    portrait: bytes
    pack: str
    def __init__(self, portrait: _Optional[bytes] = ..., pack: _Optional[str] = ...) -> None: ...

class RegisterVideoRequest(_message.Message):
    __slots__ = ("video", "pack")
    VIDEO_FIELD_NUMBER: _ClassVar[int]
    PACK_FIELD_NUMBER: _ClassVar[int]
    video: bytes
    pack: str
    def __init__(self, video: _Optional[bytes] = ..., pack: _Optional[str] = ...) -> None: ...

class RegisterVideoResponse(_message.Message):
    __slots__ = ("progress", "registered")
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    REGISTERED_FIELD_NUMBER: _ClassVar[int]
    progress: _types_pb2.PrepareProgress
    registered: RegisterAvatarResponse
    def __init__(self, progress: _Optional[_Union[_types_pb2.PrepareProgress, _Mapping]] = ..., registered: _Optional[_Union[RegisterAvatarResponse, _Mapping]] = ...) -> None: ...

class Avatar(_message.Message):
    __slots__ = ("avatar_id", "pack", "width", "height", "warnings", "source_frames")
    AVATAR_ID_FIELD_NUMBER: _ClassVar[int]
    PACK_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FRAMES_FIELD_NUMBER: _ClassVar[int]
    avatar_id: str
    pack: str
    width: int
    height: int
    warnings: _containers.RepeatedScalarFieldContainer[str]
    source_frames: int
    def __init__(self, avatar_id: _Optional[str] = ..., pack: _Optional[str] = ..., width: _Optional[int] = ..., height: _Optional[int] = ..., warnings: _Optional[_Iterable[str]] = ..., source_frames: _Optional[int] = ...) -> None: ...

class RegisterAvatarResponse(_message.Message):
    __slots__ = ("avatar", "prepare_ms")
    AVATAR_FIELD_NUMBER: _ClassVar[int]
    PREPARE_MS_FIELD_NUMBER: _ClassVar[int]
    avatar: Avatar
    prepare_ms: float
    def __init__(self, avatar: _Optional[_Union[Avatar, _Mapping]] = ..., prepare_ms: _Optional[float] = ...) -> None: ...

class GetAvatarRequest(_message.Message):
    __slots__ = ("avatar_id",)
    AVATAR_ID_FIELD_NUMBER: _ClassVar[int]
    avatar_id: str
    def __init__(self, avatar_id: _Optional[str] = ...) -> None: ...

class GetAvatarResponse(_message.Message):
    __slots__ = ("avatar",)
    AVATAR_FIELD_NUMBER: _ClassVar[int]
    avatar: Avatar
    def __init__(self, avatar: _Optional[_Union[Avatar, _Mapping]] = ...) -> None: ...

class DeleteAvatarRequest(_message.Message):
    __slots__ = ("avatar_id",)
    AVATAR_ID_FIELD_NUMBER: _ClassVar[int]
    avatar_id: str
    def __init__(self, avatar_id: _Optional[str] = ...) -> None: ...

class DeleteAvatarResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetServerInfoRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetServerInfoResponse(_message.Message):
    __slots__ = ("version", "packs", "limits")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    PACKS_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    version: str
    packs: _containers.RepeatedCompositeFieldContainer[PackInfo]
    limits: Limits
    def __init__(self, version: _Optional[str] = ..., packs: _Optional[_Iterable[_Union[PackInfo, _Mapping]]] = ..., limits: _Optional[_Union[Limits, _Mapping]] = ...) -> None: ...

class PackInfo(_message.Message):
    __slots__ = ("name", "version", "frame_rate", "head_size")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    FRAME_RATE_FIELD_NUMBER: _ClassVar[int]
    HEAD_SIZE_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    frame_rate: int
    head_size: int
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ..., frame_rate: _Optional[int] = ..., head_size: _Optional[int] = ...) -> None: ...

class Limits(_message.Message):
    __slots__ = ("portrait_bytes", "portrait_pixels", "audio_message_bytes", "speech_seconds", "call_seconds", "idle_seconds", "message_bytes", "video_seconds", "video_pixels")
    PORTRAIT_BYTES_FIELD_NUMBER: _ClassVar[int]
    PORTRAIT_PIXELS_FIELD_NUMBER: _ClassVar[int]
    AUDIO_MESSAGE_BYTES_FIELD_NUMBER: _ClassVar[int]
    SPEECH_SECONDS_FIELD_NUMBER: _ClassVar[int]
    CALL_SECONDS_FIELD_NUMBER: _ClassVar[int]
    IDLE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_BYTES_FIELD_NUMBER: _ClassVar[int]
    VIDEO_SECONDS_FIELD_NUMBER: _ClassVar[int]
    VIDEO_PIXELS_FIELD_NUMBER: _ClassVar[int]
    portrait_bytes: int
    portrait_pixels: int
    audio_message_bytes: int
    speech_seconds: float
    call_seconds: float
    idle_seconds: float
    message_bytes: int
    video_seconds: float
    video_pixels: int
    def __init__(self, portrait_bytes: _Optional[int] = ..., portrait_pixels: _Optional[int] = ..., audio_message_bytes: _Optional[int] = ..., speech_seconds: _Optional[float] = ..., call_seconds: _Optional[float] = ..., idle_seconds: _Optional[float] = ..., message_bytes: _Optional[int] = ..., video_seconds: _Optional[float] = ..., video_pixels: _Optional[int] = ...) -> None: ...
