"""What tests of several packages share: one real cluster, started when the first test asks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ditto.local_cluster import ClusterPlan, LocalCluster


@pytest.fixture(scope="session")
def cluster() -> Iterator[LocalCluster]:
    """Redis, three stages and a gateway of the starter pack, as `ditto up` starts them."""
    with LocalCluster(ClusterPlan(settings={"gateway": ["idle_seconds=5"]})) as running:
        yield running
