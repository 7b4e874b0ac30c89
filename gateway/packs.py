"""Which packs the cluster offers now, from what the stages say."""

from __future__ import annotations

from ditto.v1 import animation_pb2 as pb
from gateway.stages.call_stages import StagePools


def offered_packs(pools: StagePools, default: str) -> list[pb.PackInfo]:
    """Packs that every stage serves, the default first."""
    served = [{replica.status.pack for replica in pool.healthy()} for pool in pools]
    names = sorted(set.intersection(*served), key=lambda name: (name != default, name))
    return [_info(pools, name) for name in names]


def frame_rates(pools: StagePools, default: str) -> dict[str, int]:
    """Frame rates of the packs that a call may name: the default always, others while served."""
    known = {pack.name: pack.frame_rate for pack in offered_packs(pools, default)}
    return {default: _DEFAULT_FRAME_RATE, **known}


_DEFAULT_FRAME_RATE = 25
"""Of the present packs; a default pack that nobody serves now is refused later, as unavailable."""


def _info(pools: StagePools, name: str) -> pb.PackInfo:
    status = pools.renderer.healthy(name)[0].status
    return pb.PackInfo(
        name=name,
        version=status.pack_version,
        frame_rate=status.frame_rate,
        head_size=status.head_size,
    )
