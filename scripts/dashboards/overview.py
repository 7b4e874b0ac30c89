"""Is everybody served, in time, and what is in the way?"""

from __future__ import annotations

from scripts.dashboards.grafana import Dashboard, Panel, Query, Row

_NOW = Row(
    "Now",
    (
        Panel(
            "Replicas serving",
            "Processes whose health says SERVING. Fewer than were started: one loads, drains or "
            "is gone, and DittoReplicaNotReady will say which.",
            "short",
            (Query("sum by (service) (ditto_serving)", "{{service}}"),),
            kind="stat",
        ),
        Panel(
            "Live sessions",
            "Calls at the gateway, and sessions in each stage. A stage with fewer than the gateway "
            "for long means calls without a stage behind them.",
            "short",
            (Query("sum by (module) (ditto_sessions_live)", "{{module}}"),),
            kind="stat",
        ),
        Panel(
            "Headroom",
            "Share of each stage that is free: the scarcer of session slots and computing time. "
            "Red: scale that stage out.",
            "percentunit",
            (Query("ditto:headroom:ratio", "{{module}}"),),
            kind="stat",
            warn_at=0.15,
            is_low_bad=True,
        ),
    ),
)

_LATENCY = Row(
    "In time",
    (
        Panel(
            "Real-time factor, p95",
            "Time that a step computes over the duration of the frames it gives, by stage. At 1 "
            "the stage falls behind; DittoRtfHigh fires at 0.9.",
            "short",
            (Query("ditto:rtf:p95", "{{module}}"),),
            warn_at=0.9,
        ),
        Panel(
            "First-frame delay",
            "From the first speech byte to the first frame that it shaped. Compute leaves out the "
            "speech that the method must wait for; its alert fires above 385 ms.",
            "s",
            (
                Query("ditto:first_frame_delay_seconds:p50", "p50"),
                Query("ditto:first_frame_delay_seconds:p95", "p95"),
                Query("ditto:first_frame_delay_compute_seconds:p95", "p95 compute"),
            ),
            warn_at=0.385,
        ),
        Panel(
            "Queue time of a step, p95",
            "How long a step waits for a compute thread, by stage. The stage whose queue grows "
            "first is the one that is short of replicas.",
            "s",
            (Query("ditto:queue_seconds:p95", "{{module}}"),),
        ),
        Panel(
            "Late frames",
            "Share of the frames that leave after the moment at which they should be shown "
            "(REALTIME calls). Viewers see a stall.",
            "percentunit",
            (
                Query(
                    "sum(rate(ditto_underruns_total[$__rate_interval])) "
                    '/ sum(rate(ditto_frames_total{module="renderer"}[$__rate_interval]))',
                    "late",
                ),
            ),
            warn_at=0.01,
        ),
        Panel(
            "Frames out",
            "Frames a second that renderers put out; 25 for each live REALTIME call.",
            "suffix: frames/s",
            (
                Query(
                    'sum(rate(ditto_frames_total{module="renderer"}[$__rate_interval]))', "frames"
                ),
            ),
        ),
        Panel(
            "Out of sync by more than 80 ms",
            "Share of the calls whose picture and sound are further apart than two frames. "
            "Anything but zero is a defect.",
            "percentunit",
            (
                Query(
                    '1 - (sum(rate(ditto_av_skew_seconds_bucket{le="0.08"}[$__rate_interval])) '
                    '- sum(rate(ditto_av_skew_seconds_bucket{le="-0.08"}[$__rate_interval]))) '
                    "/ sum(rate(ditto_av_skew_seconds_count[$__rate_interval]))",
                    "out of sync",
                ),
            ),
            warn_at=0.05,
        ),
    ),
)

_TROUBLE = Row(
    "Calls",
    (
        Panel(
            "Requests ended, by status",
            "gRPC requests at the gateway by how they ended. INTERNAL, UNKNOWN, DATA_LOSS and "
            "UNAVAILABLE are never the caller's fault.",
            "reqps",
            (
                Query(
                    "sum by (status) "
                    '(rate(ditto_calls_total{service="gateway"}[$__rate_interval]))',
                    "{{status}}",
                ),
            ),
        ),
        Panel(
            "Refused, failed over, interrupted",
            "Calls turned away by reason, sessions moved to another replica by stage and reason, "
            "and speech that callers cut off.",
            "suffix: /s",
            (
                Query(
                    "sum by (reason) (rate(ditto_admissions_refused_total"
                    '{service="gateway"}[$__rate_interval])) or vector(0)',
                    "refused {{reason}}",
                ),
                Query(
                    "sum by (module, reason) (rate(ditto_failovers_total[$__rate_interval]))",
                    "moved {{module}}, {{reason}}",
                ),
                Query("sum(rate(ditto_interrupts_total[$__rate_interval]))", "interrupted"),
            ),
        ),
        Panel(
            "Standstill while sessions moved",
            "Time in which a stage gave a session nothing because its replica was replaced, added "
            "up over the sessions. Hundredths of a second a move are usual; seconds mean that "
            "replicas hang, or that the others have no room.",
            "s",
            (
                Query(
                    "sum by (module) (increase(ditto_failover_gap_seconds_sum[$__rate_interval]))",
                    "{{module}}",
                ),
            ),
        ),
        Panel(
            "Lowered quality",
            "REALTIME calls that get fewer denoising steps or smaller pictures for now, since a "
            "stage has little headroom. Scale it out before calls are refused.",
            "short",
            (
                Query("sum(ditto_degraded_calls)", "calls"),
                Query(
                    "sum(rate(ditto_degradations_total[$__rate_interval]))", "steps down a second"
                ),
            ),
            warn_at=1,
        ),
        Panel(
            "What runs",
            "Version and pack of every process. Two rows for one service: an upgrade or a canary "
            "is under way.",
            "short",
            (Query("count by (service, version, pack, pack_hash) (ditto_build_info)"),),
            kind="table",
        ),
    ),
)

_CACHE = Row(
    "Portraits",
    (
        Panel(
            "Cache hits",
            "Share of the look-ups that a tier answers. Low in both: portraits are prepared again "
            "and again.",
            "percentunit",
            (Query("ditto:cache_hit:ratio", "{{tier}}"),),
            top=1,
        ),
        Panel(
            "Time to prepare a portrait, p95",
            "Face detection and appearance of a portrait that no tier had. It delays the start of "
            "a call, not its frames.",
            "s",
            (
                Query(
                    "histogram_quantile(0.95, "
                    "sum by (le) (rate(ditto_prepare_seconds_bucket[$__rate_interval])))",
                    "p95",
                ),
            ),
        ),
        Panel(
            "Cache size",
            "Bytes in the local tier of all renderers. It grows to its bound and stays there.",
            "bytes",
            (Query("sum by (tier) (ditto_cache_bytes)", "{{tier}}"),),
        ),
        Panel(
            "Avatars",
            "Registered portraits in the store that the gateways share.",
            "short",
            (Query("max(ditto_avatars)", "avatars"),),
            kind="stat",
        ),
        Panel(
            "Evictions and Redis errors",
            "Entries that a tier dropped for want of room, and requests that Redis failed or did "
            "not answer in half a second.",
            "suffix: /s",
            (
                Query(
                    "sum by (tier) (rate(ditto_cache_evictions_total[$__rate_interval])) "
                    "or vector(0)",
                    "evicted {{tier}}",
                ),
                Query("sum(rate(ditto_redis_errors_total[$__rate_interval]))", "redis errors"),
            ),
        ),
    ),
)

OVERVIEW = Dashboard(
    "ditto-overview",
    "Ditto: overview",
    "Is everybody served, in time, and what is in the way? Start here.",
    (_NOW, _LATENCY, _TROUBLE, _CACHE),
)
