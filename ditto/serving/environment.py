"""Settings that libraries read only once, when they are first imported."""

from __future__ import annotations

import os


def prepare_environment() -> None:
    """Call before numpy or grpc is imported: one thread a library, and no log lines but ours.

    A process computes in threads of its own; library threads beside them would fight for the cores.
    """
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
