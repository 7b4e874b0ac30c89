"""The metrics page of one process, as numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from ditto.errors import CorruptDataError

_RTF_BUCKET = "ditto_rtf_bucket"
Buckets = dict[float, float]
"""Observations up to each bound, by bound."""


@dataclass(frozen=True)
class Page:
    """What one process tells of itself."""

    module: str | None
    """audio_encoder, motion_dit, renderer or gateway; None while it loads."""
    is_serving: bool
    live_sessions: int
    free_slots: int | None
    """None for a gateway, which has none."""
    version: str
    pack: str
    rtf: Buckets
    """Real-time factors of its steps since it started."""
    avatars: int
    cache_bytes: int
    """Of the local tier."""
    cache_requests: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """Look-ups by (tier, result)."""
    cache_evictions: int = 0
    portraits_prepared: int = 0


def read_page(text: str) -> Page:
    """Parse a page. Raises `CorruptDataError` when it is none of ours."""
    try:
        samples = [s for family in text_string_to_metric_families(text) for s in family.samples]
    except (ValueError, IndexError) as error:
        raise CorruptDataError(f"not a metrics page: {error}") from None
    by_name: dict[str, list[Sample]] = {}
    for sample in samples:
        by_name.setdefault(sample.name, []).append(sample)
    if "ditto_serving" not in by_name:
        raise CorruptDataError("not the metrics page of a ditto process")
    return _page(by_name)


def _page(by_name: Mapping[str, list[Sample]]) -> Page:
    def total(name: str) -> int:
        return int(sum(sample.value for sample in by_name.get(name, ())))

    live = by_name.get("ditto_sessions_live", [])
    build = next((s.labels for s in by_name.get("ditto_build_info", ())), {})
    return Page(
        module=live[0].labels["module"] if live else None,
        is_serving=bool(total("ditto_serving")),
        live_sessions=total("ditto_sessions_live"),
        free_slots=total("ditto_slots_free") if "ditto_slots_free" in by_name else None,
        version=build.get("version", ""),
        pack=build.get("pack", ""),
        rtf=_buckets(by_name.get(_RTF_BUCKET, ())),
        avatars=total("ditto_avatars"),
        cache_bytes=total("ditto_cache_bytes"),
        cache_requests={
            (s.labels["tier"], s.labels["result"]): int(s.value)
            for s in by_name.get("ditto_cache_requests_total", ())
        },
        cache_evictions=total("ditto_cache_evictions_total"),
        portraits_prepared=total("ditto_prepare_seconds_count"),
    )


def _buckets(samples: Iterable[Sample]) -> Buckets:
    return {float(sample.labels["le"]): sample.value for sample in samples}
