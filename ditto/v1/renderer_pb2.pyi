from ditto.v1 import types_pb2 as _types_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PreparePortraitRequest(_message.Message):
    __slots__ = ("portrait",)
    PORTRAIT_FIELD_NUMBER: _ClassVar[int]
    portrait: bytes
    def __init__(self, portrait: _Optional[bytes] = ...) -> None: ...

class PreparePortraitResponse(_message.Message):
    __slots__ = ("content_key", "identity", "width", "height", "warnings", "source", "prepare_ms", "source_frames")
    CONTENT_KEY_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    PREPARE_MS_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FRAMES_FIELD_NUMBER: _ClassVar[int]
    content_key: str
    identity: _types_pb2.FaceIdentity
    width: int
    height: int
    warnings: _containers.RepeatedScalarFieldContainer[str]
    source: str
    prepare_ms: float
    source_frames: int
    def __init__(self, content_key: _Optional[str] = ..., identity: _Optional[_Union[_types_pb2.FaceIdentity, _Mapping]] = ..., width: _Optional[int] = ..., height: _Optional[int] = ..., warnings: _Optional[_Iterable[str]] = ..., source: _Optional[str] = ..., prepare_ms: _Optional[float] = ..., source_frames: _Optional[int] = ...) -> None: ...

class PrepareVideoRequest(_message.Message):
    __slots__ = ("video",)
    VIDEO_FIELD_NUMBER: _ClassVar[int]
    video: bytes
    def __init__(self, video: _Optional[bytes] = ...) -> None: ...

class PrepareVideoResponse(_message.Message):
    __slots__ = ("progress", "prepared")
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    PREPARED_FIELD_NUMBER: _ClassVar[int]
    progress: _types_pb2.PrepareProgress
    prepared: PreparePortraitResponse
    def __init__(self, progress: _Optional[_Union[_types_pb2.PrepareProgress, _Mapping]] = ..., prepared: _Optional[_Union[PreparePortraitResponse, _Mapping]] = ...) -> None: ...

class DropPortraitRequest(_message.Message):
    __slots__ = ("content_key",)
    CONTENT_KEY_FIELD_NUMBER: _ClassVar[int]
    content_key: str
    def __init__(self, content_key: _Optional[str] = ...) -> None: ...

class DropPortraitResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RenderRequest(_message.Message):
    __slots__ = ("config", "portrait", "motion", "side_divisor")
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    PORTRAIT_FIELD_NUMBER: _ClassVar[int]
    MOTION_FIELD_NUMBER: _ClassVar[int]
    SIDE_DIVISOR_FIELD_NUMBER: _ClassVar[int]
    config: RenderConfig
    portrait: bytes
    motion: _types_pb2.FrameBlock
    side_divisor: int
    def __init__(self, config: _Optional[_Union[RenderConfig, _Mapping]] = ..., portrait: _Optional[bytes] = ..., motion: _Optional[_Union[_types_pb2.FrameBlock, _Mapping]] = ..., side_divisor: _Optional[int] = ...) -> None: ...

class RenderConfig(_message.Message):
    __slots__ = ("call_id", "content_key", "video_format", "view", "moved", "is_realtime")
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    CONTENT_KEY_FIELD_NUMBER: _ClassVar[int]
    VIDEO_FORMAT_FIELD_NUMBER: _ClassVar[int]
    VIEW_FIELD_NUMBER: _ClassVar[int]
    MOVED_FIELD_NUMBER: _ClassVar[int]
    IS_REALTIME_FIELD_NUMBER: _ClassVar[int]
    call_id: str
    content_key: str
    video_format: _types_pb2.VideoFormat
    view: _types_pb2.View
    moved: bool
    is_realtime: bool
    def __init__(self, call_id: _Optional[str] = ..., content_key: _Optional[str] = ..., video_format: _Optional[_Union[_types_pb2.VideoFormat, _Mapping]] = ..., view: _Optional[_Union[_types_pb2.View, str]] = ..., moved: _Optional[bool] = ..., is_realtime: _Optional[bool] = ...) -> None: ...

class RenderResponse(_message.Message):
    __slots__ = ("accepted", "portrait_needed", "frame")
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    PORTRAIT_NEEDED_FIELD_NUMBER: _ClassVar[int]
    FRAME_FIELD_NUMBER: _ClassVar[int]
    accepted: RenderAccepted
    portrait_needed: PortraitNeeded
    frame: RenderedFrame
    def __init__(self, accepted: _Optional[_Union[RenderAccepted, _Mapping]] = ..., portrait_needed: _Optional[_Union[PortraitNeeded, _Mapping]] = ..., frame: _Optional[_Union[RenderedFrame, _Mapping]] = ...) -> None: ...

class RenderAccepted(_message.Message):
    __slots__ = ("session", "width", "height", "source", "source_frames")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FRAMES_FIELD_NUMBER: _ClassVar[int]
    session: _types_pb2.SessionAccepted
    width: int
    height: int
    source: str
    source_frames: int
    def __init__(self, session: _Optional[_Union[_types_pb2.SessionAccepted, _Mapping]] = ..., width: _Optional[int] = ..., height: _Optional[int] = ..., source: _Optional[str] = ..., source_frames: _Optional[int] = ...) -> None: ...

class PortraitNeeded(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RenderedFrame(_message.Message):
    __slots__ = ("index", "data", "keyframe", "timing", "width", "height")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    KEYFRAME_FIELD_NUMBER: _ClassVar[int]
    TIMING_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    index: int
    data: bytes
    keyframe: bool
    timing: _types_pb2.StepTiming
    width: int
    height: int
    def __init__(self, index: _Optional[int] = ..., data: _Optional[bytes] = ..., keyframe: _Optional[bool] = ..., timing: _Optional[_Union[_types_pb2.StepTiming, _Mapping]] = ..., width: _Optional[int] = ..., height: _Optional[int] = ...) -> None: ...
