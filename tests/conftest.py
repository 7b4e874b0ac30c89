"""What tests of several packages share: one real cluster, started when the first test asks."""

from __future__ import annotations

from ditto.serving.environment import prepare_environment

prepare_environment()  # sums come out as in the services only with as many threads as they have

import signal  # noqa: E402
from collections.abc import Iterator  # noqa: E402

import pytest  # noqa: E402

from ditto.local_cluster import ClusterPlan, LocalCluster  # noqa: E402

# A shell that runs the tests in the background has them, and all that they start, ignore Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def cluster() -> Iterator[LocalCluster]:
    """Redis, three stages and a gateway of the starter pack, as `ditto up` starts them."""
    with LocalCluster(ClusterPlan(settings={"gateway": ["idle_seconds=5"]})) as running:
        yield running
