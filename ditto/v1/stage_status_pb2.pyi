from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class GetStageStatusRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetStageStatusResponse(_message.Message):
    __slots__ = ("module", "replica", "pack", "pack_version", "pack_hash", "live_sessions", "free_slots", "draining", "frame_rate", "head_size", "first_frame_audio_ms", "hop_ms", "realtime_sessions", "session_load")
    MODULE_FIELD_NUMBER: _ClassVar[int]
    REPLICA_FIELD_NUMBER: _ClassVar[int]
    PACK_FIELD_NUMBER: _ClassVar[int]
    PACK_VERSION_FIELD_NUMBER: _ClassVar[int]
    PACK_HASH_FIELD_NUMBER: _ClassVar[int]
    LIVE_SESSIONS_FIELD_NUMBER: _ClassVar[int]
    FREE_SLOTS_FIELD_NUMBER: _ClassVar[int]
    DRAINING_FIELD_NUMBER: _ClassVar[int]
    FRAME_RATE_FIELD_NUMBER: _ClassVar[int]
    HEAD_SIZE_FIELD_NUMBER: _ClassVar[int]
    FIRST_FRAME_AUDIO_MS_FIELD_NUMBER: _ClassVar[int]
    HOP_MS_FIELD_NUMBER: _ClassVar[int]
    REALTIME_SESSIONS_FIELD_NUMBER: _ClassVar[int]
    SESSION_LOAD_FIELD_NUMBER: _ClassVar[int]
    module: str
    replica: str
    pack: str
    pack_version: str
    pack_hash: str
    live_sessions: int
    free_slots: int
    draining: bool
    frame_rate: int
    head_size: int
    first_frame_audio_ms: float
    hop_ms: float
    realtime_sessions: int
    session_load: float
    def __init__(self, module: _Optional[str] = ..., replica: _Optional[str] = ..., pack: _Optional[str] = ..., pack_version: _Optional[str] = ..., pack_hash: _Optional[str] = ..., live_sessions: _Optional[int] = ..., free_slots: _Optional[int] = ..., draining: _Optional[bool] = ..., frame_rate: _Optional[int] = ..., head_size: _Optional[int] = ..., first_frame_audio_ms: _Optional[float] = ..., hop_ms: _Optional[float] = ..., realtime_sessions: _Optional[int] = ..., session_load: _Optional[float] = ...) -> None: ...
