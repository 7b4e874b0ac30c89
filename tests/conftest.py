"""What tests of several packages share: one real cluster, started when the first test asks."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from ditto.local_cluster import ClusterPlan, LocalCluster

# A shell that runs the tests in the background has them, and all that they start, ignore Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def cluster() -> Iterator[LocalCluster]:
    """Redis, three stages and a gateway of the starter pack, as `ditto up` starts them."""
    with LocalCluster(ClusterPlan(settings={"gateway": ["idle_seconds=5"]})) as running:
        yield running
