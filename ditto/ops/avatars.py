"""Portraits: how many are kept, and how well the renderers' cache answers."""

from __future__ import annotations

from ditto.ops.page import Page
from ditto.ops.source import Replica, Source, pages_of
from ditto.ops.table import format_table, percent

_HEADS = ("RENDERER", "LOCAL MiB", "LOCAL HITS", "REDIS HITS", "EVICTED", "PREPARED")


def avatars_report(source: Source) -> str:
    """What the gateways keep, and one line a renderer."""
    replicas = source.replicas()
    kept = max((page.avatars for page in pages_of(replicas, "gateway")), default=0)
    rows = [_row(each) for each in replicas if each.service == "renderer" and each.page]
    return f"{kept} registered portraits\n\n{format_table(_HEADS, rows)}"


def _row(replica: Replica) -> tuple[str, ...]:
    page = replica.page
    assert page is not None
    return (
        replica.name,
        f"{page.cache_bytes / 2**20:.0f}",
        percent(_hits(page, "local")),
        percent(_hits(page, "redis")),
        str(page.cache_evictions),
        str(page.portraits_prepared),
    )


def _hits(page: Page, tier: str) -> float | None:
    """Share of a tier's look-ups that it answered; None where it was never asked."""
    asked = sum(count for (where, _), count in page.cache_requests.items() if where == tier)
    return page.cache_requests.get((tier, "hit"), 0) / asked if asked else None
