"""Every process of the cluster answers the standard questions."""

from __future__ import annotations

import urllib.request

import grpc
import pytest
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)

from ditto.local_cluster import LocalCluster
from ditto.local_cluster.health import is_serving
from ditto.v1 import animation_pb2 as pb
from tests.e2e import speech
from tests.e2e.calling import animate, config, speak, stub

SERVICES = {
    "gateway": "ditto.v1.AnimationService",
    "audio_encoder-0": "ditto.v1.AudioEncoderService",
    "motion_dit-0": "ditto.v1.MotionDitService",
    "renderer-0": "ditto.v1.RendererService",
}


@pytest.mark.parametrize("name", SERVICES)
def test_health_and_reflection(cluster: LocalCluster, name: str) -> None:
    address = cluster.servers[name].address
    assert is_serving(address)
    assert is_serving(address, SERVICES[name])
    assert not is_serving(address, "nobody.Service")
    with grpc.insecure_channel(address) as channel:
        listed = ProtoReflectionDescriptorDatabase(channel).get_services()
    assert {SERVICES[name], "grpc.health.v1.Health"} <= set(listed)


@pytest.mark.parametrize("name", SERVICES)
def test_metrics_count_a_call(cluster: LocalCluster, name: str) -> None:
    counter, expected = (
        ("ditto_first_frame_delay_seconds_count", 1)
        if name == "gateway"
        else (f'ditto_frames_total{{module="{name.removesuffix("-0")}"}}', 10)
    )

    def counted() -> float:
        url = f"http://{cluster.servers[name].metrics_address}/metrics"
        lines = urllib.request.urlopen(url, timeout=5).read().decode().splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith(counter))

    before = counted()
    animate(cluster.address, speak(config(), speech.part(1, 1.4)))
    assert counted() - before == expected


def test_server_info_states_packs_and_limits(cluster: LocalCluster) -> None:
    info = stub(cluster.address).GetServerInfo(pb.GetServerInfoRequest(), timeout=5)
    assert [(pack.name, pack.frame_rate, pack.head_size) for pack in info.packs] == [
        ("starter", 25, 512)
    ]
    assert info.limits.portrait_bytes >= 8 << 20
    assert info.limits.message_bytes == 32 << 20


def test_usage_of_every_process_is_known(cluster: LocalCluster) -> None:
    usage = cluster.usage()
    assert set(usage) == {*SERVICES, "redis"}
    assert all(each.peak_memory_bytes > 5e6 for each in usage.values())
