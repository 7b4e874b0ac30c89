"""The error tree on the wire: each class as a gRPC status with trailers, and back again."""

from __future__ import annotations

from typing import Any

import grpc
from grpc.aio import AioRpcError, Metadata

from ditto import errors
from ditto.errors import AtCapacityError, DittoError, InvalidInputError

RETRY_AFTER = "retry-after-ms"
"""Trailer of RESOURCE_EXHAUSTED: when asking again makes sense, in milliseconds."""
KIND = "ditto-error"
"""Trailer with the class name, since several classes share a status."""
FIELD = "ditto-error-field"
"""Trailer of INVALID_ARGUMENT: the field that cannot be used."""

_FIELD_CHARACTERS = 100

_STATUS: dict[type[DittoError], grpc.StatusCode] = {
    errors.InvalidInputError: grpc.StatusCode.INVALID_ARGUMENT,
    errors.FaceError: grpc.StatusCode.FAILED_PRECONDITION,
    errors.AvatarNotFoundError: grpc.StatusCode.NOT_FOUND,
    errors.UnauthenticatedError: grpc.StatusCode.UNAUTHENTICATED,
    errors.PermissionDeniedError: grpc.StatusCode.PERMISSION_DENIED,
    errors.ProtocolError: grpc.StatusCode.FAILED_PRECONDITION,
    errors.ResumeError: grpc.StatusCode.FAILED_PRECONDITION,
    errors.AtCapacityError: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.QuotaError: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.CallLimitError: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.StageUnavailableError: grpc.StatusCode.UNAVAILABLE,
    errors.UnsupportedError: grpc.StatusCode.UNIMPLEMENTED,
    errors.CorruptDataError: grpc.StatusCode.DATA_LOSS,
}
_KINDS = {kind.__name__: kind for kind in _STATUS}
_GONE = (
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.UNKNOWN,
)


def status_of(error: DittoError) -> grpc.StatusCode:
    """The status of an error: that of its nearest base in the tree; INTERNAL outside it."""
    for kind in type(error).__mro__:
        if kind in _STATUS:
            return _STATUS[kind]
    return grpc.StatusCode.INTERNAL


def trailers_of(error: DittoError) -> tuple[tuple[str, str], ...]:
    """The trailers that let a caller act on an error without reading its text."""
    kind = next((base for base in type(error).__mro__ if base in _STATUS), DittoError)
    trailers = [(KIND, kind.__name__)]
    if isinstance(error, AtCapacityError):
        trailers.append((RETRY_AFTER, str(error.retry_after_ms)))
    if isinstance(error, InvalidInputError):
        field = error.field.encode("ascii", "replace").decode()
        trailers.append((FIELD, shortened(field, _FIELD_CHARACTERS)))
    return tuple(trailers)


def shortened(text: str, characters: int = 1000) -> str:
    """A text that fits into trailers, whatever a caller made part of it."""
    return text if len(text) <= characters else f"{text[: characters - 3]}..."


def error_from_rpc(error: AioRpcError, peer: str) -> DittoError:
    """What a failed call to ``peer`` means to the caller: the error that the peer raised.

    A peer that is gone gives `StageUnavailableError`; one that failed inside, a bare `DittoError`.
    """
    metadata: Any = error.trailing_metadata() or Metadata()
    trailers = {key: str(value) for key, value in metadata}
    details = error.details() or error.code().name
    kind = _KINDS.get(trailers.get(KIND, ""))
    if kind is not None and issubclass(kind, AtCapacityError):
        return kind(details, _milliseconds(trailers.get(RETRY_AFTER, "")))
    if kind is InvalidInputError:
        field = trailers.get(FIELD, "request")
        return InvalidInputError(field, details.removeprefix(f"{field}: "))
    if kind is not None:
        return kind(details)
    if error.code() in _GONE:
        return errors.StageUnavailableError(f"{peer}: {details}")
    return DittoError(f"{peer}: {details}")


def _milliseconds(text: str) -> int:
    return int(text) if text.isdigit() else 1000
