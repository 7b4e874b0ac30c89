"""The one error tree. A servicer's interceptor maps each class to its gRPC status.

DittoError
├── InvalidInputError      INVALID_ARGUMENT      what was sent cannot be used; names the field
├── FaceError              FAILED_PRECONDITION   the image is fine but not the face in it
├── AvatarNotFoundError    NOT_FOUND
├── UnauthenticatedError   UNAUTHENTICATED       no token, or one that is not known or has expired
├── PermissionDeniedError  PERMISSION_DENIED     known, and not allowed to
├── ProtocolError          FAILED_PRECONDITION   messages in an order that the contract forbids
├── ResumeError            FAILED_PRECONDITION   a call that cannot go on from where its token says
├── AtCapacityError        RESOURCE_EXHAUSTED    full for now; carries when to try again
│   ├── NoHeadroomError    RESOURCE_EXHAUSTED    slots are free, but frames would be late
│   └── QuotaError         RESOURCE_EXHAUSTED    the tenant's share is used up for now
├── CallLimitError         RESOURCE_EXHAUSTED    the call itself reached one of its limits
├── StageUnavailableError  UNAVAILABLE           a service that the call needs is gone
├── UnsupportedError       UNIMPLEMENTED         understood, and not offered by this server or pack
├── CorruptDataError       DATA_LOSS             cached or downloaded bytes fail their check
└── SetupError             (start-up only)       a missing file, tool or device; says the mend
"""

from __future__ import annotations


class DittoError(Exception):
    """Base of every error that this project raises on purpose."""


class InvalidInputError(DittoError):
    """A field that cannot be used. The message says why and what is allowed."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


class FaceError(DittoError):
    """No usable face: none, several, too small, or turned too far. Says what was found."""


class AvatarNotFoundError(DittoError):
    """No avatar is registered under this id."""


class UnauthenticatedError(DittoError):
    """A caller that the server does not know: no token, an unknown one, or an expired one."""


class PermissionDeniedError(DittoError):
    """A caller that the server knows and refuses."""


class ProtocolError(DittoError):
    """A message that is not allowed at this point of the call."""


class ResumeError(DittoError):
    """A resume token that is genuine and of no use: too old, or of another version of the pack."""


class AtCapacityError(DittoError):
    """No free session slot. `retry_after_ms` says when asking again makes sense."""

    def __init__(self, message: str, retry_after_ms: int = 1000) -> None:
        super().__init__(message)
        self.retry_after_ms = retry_after_ms


class NoHeadroomError(AtCapacityError):
    """One more call in real time would make frames late."""


class QuotaError(AtCapacityError):
    """The share of the caller's tenant is used up; `retry_after_ms` is when it is renewed."""


class CallLimitError(DittoError):
    """A call that idled, lasted or spoke too long, or whose reader fell behind. Names the limit."""


class StageUnavailableError(DittoError):
    """A stage service cannot be reached, or died and could not be replaced."""


class UnsupportedError(DittoError):
    """The request is well formed, but this server or pack does not offer what it asks for."""


class CorruptDataError(DittoError):
    """Bytes that fail their checksum or cannot be decoded."""


class SetupError(DittoError):
    """Start-up cannot go on. The message names the cause and the mend."""
