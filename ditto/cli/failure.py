"""One line for a person about anything that can go wrong, with the mend."""

from __future__ import annotations

import errno

import grpc

from ditto.errors import AtCapacityError, DittoError, StageUnavailableError

_EXTRA_PACKAGES = frozenset({"matplotlib", "onnxscript", "scipy", "tensorboard", "torch"})


def explain(error: Exception) -> str:
    """What happened and what to do about it, without a traceback."""
    if isinstance(error, StageUnavailableError):
        return f"{error}; is the cluster up? `ditto up` starts one here, --server names another"
    if isinstance(error, AtCapacityError):
        return f"{error}; try again in {error.retry_after_ms / 1000:.1f} s"
    if isinstance(error, DittoError):
        return str(error)
    if isinstance(error, grpc.RpcError):
        return _explain_rpc(error)
    if isinstance(error, OSError):
        return _explain_os(error)
    if isinstance(error, ModuleNotFoundError):
        package = (error.name or "").partition(".")[0]
        if package in _EXTRA_PACKAGES:
            return (
                f"{package} is not installed; pip install 'ditto-cluster[train]' to train and "
                "judge, 'ditto-cluster[gpu]' for the ditto pack"
            )
    kind = type(error).__name__
    return f"unexpected {kind}: {error}; `ditto --verbose ...` shows where, please report it"


def _explain_rpc(error: grpc.RpcError) -> str:
    code, details = getattr(error, "code", None), getattr(error, "details", None)
    name = code().name if callable(code) else "gRPC error"
    return f"the server answered {name}: {details() if callable(details) else error}"


def _explain_os(error: OSError) -> str:
    place = error.filename or "the disk"
    if error.errno == errno.ENOSPC:
        return f"{place}: the disk is full; free some space or write elsewhere"
    if isinstance(error, FileNotFoundError):
        return f"{place}: no such file"
    if isinstance(error, PermissionError):
        return f"{place}: permission denied; choose a place that you may write or read"
    return f"{place}: {error.strerror or error}"
