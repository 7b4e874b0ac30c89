"""One line a service: how many replicas, how busy, how fast."""

from __future__ import annotations

import time
from dataclasses import dataclass

from ditto.ops.buckets import added, quantile, since
from ditto.ops.page import Buckets
from ditto.ops.source import Replica, Source, pages_of
from ditto.ops.table import format_table, percent

_HEADS = ("SERVICE", "READY", "LIVE", "FREE", "HEADROOM", "RTF p95", "VERSION", "PACK")
_ORDER = ("gateway", "audio_encoder", "motion_dit", "renderer")
_P95 = 0.95


@dataclass(frozen=True)
class ServiceStatus:
    """The replicas of one service together."""

    service: str
    ready: int
    wanted: int
    live_sessions: int
    free_slots: int | None
    rtf_p95: float | None
    versions: tuple[str, ...]
    packs: tuple[str, ...]

    @property
    def headroom(self) -> float | None:
        """Free slots over all slots; None for a service without any."""
        if self.free_slots is None or not self.free_slots + self.live_sessions:
            return None
        return self.free_slots / (self.free_slots + self.live_sessions)


def look(source: Source, seconds: float = 0) -> list[ServiceStatus]:
    """The state now; real-time factors of the last `seconds`, 0 for those since the start."""
    before: dict[str, Buckets] = {}
    if seconds:
        before = {each.name: each.page.rtf for each in source.replicas() if each.page}
        time.sleep(seconds)
    replicas, wanted = source.replicas(), source.wanted()
    services = {each.service for each in replicas} | set(wanted)
    return [
        _summarise(service, replicas, wanted.get(service), before)
        for service in sorted(services, key=_place)
    ]


def _place(service: str) -> tuple[int, str]:
    return (_ORDER.index(service) if service in _ORDER else len(_ORDER), service)


def _summarise(
    service: str, replicas: list[Replica], wanted: int | None, before: dict[str, Buckets]
) -> ServiceStatus:
    own = [each for each in replicas if each.service == service]
    pages = pages_of(own, service)
    slots = [page.free_slots for page in pages if page.free_slots is not None]
    rtf = added(since(each.page.rtf, before.get(each.name, {})) for each in own if each.page)
    return ServiceStatus(
        service=service,
        ready=sum(each.is_ready for each in own),
        wanted=len(own) if wanted is None else wanted,
        live_sessions=sum(page.live_sessions for page in pages),
        free_slots=sum(slots) if slots else None,
        rtf_p95=quantile(_P95, rtf),
        versions=tuple(sorted({page.version for page in pages if page.version})),
        packs=tuple(sorted({page.pack for page in pages if page.pack})),
    )


def status_table(services: list[ServiceStatus]) -> str:
    """All services in one table."""
    return format_table(_HEADS, [_row(each) for each in services])


def _row(status: ServiceStatus) -> tuple[str, ...]:
    return (
        status.service,
        f"{status.ready}/{status.wanted}",
        str(status.live_sessions),
        "-" if status.free_slots is None else str(status.free_slots),
        percent(status.headroom),
        "-" if status.rtf_p95 is None else f"{status.rtf_p95:.2f}",
        ", ".join(status.versions) or "-",
        ", ".join(status.packs) or "-",
    )
