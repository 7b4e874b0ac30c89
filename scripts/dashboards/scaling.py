"""Which service needs more replicas, which has too many, and by how much?"""

from __future__ import annotations

from scripts.dashboards.grafana import Dashboard, Panel, Query, Row

_DECISION = Row(
    "Decision",
    (
        Panel(
            "Replicas to add",
            "Replicas that the present load asks for minus those that serve, by stage. Above zero: "
            "scale out by so many. Below zero for an hour: scale in.",
            "short",
            (
                Query(
                    "ceil((ditto:replicas_wanted:slots > ditto:replicas_wanted:compute) "
                    "or ditto:replicas_wanted:compute or ditto:replicas_wanted:slots) "
                    "- ditto:replicas",
                    "{{module}}",
                ),
            ),
            kind="stat",
            warn_at=1,
        ),
        Panel(
            "Headroom",
            "Share of each stage that is free: the scarcer of the two pictures below it.",
            "percentunit",
            (Query("ditto:headroom:ratio", "{{module}}"),),
            kind="stat",
            warn_at=0.15,
            is_low_bad=True,
        ),
        Panel(
            "Calls refused",
            "Calls a second that were turned away. Anything but zero means that scaling came late.",
            "suffix: /s",
            (
                Query(
                    "sum(rate(ditto_admissions_refused_total"
                    '{service="gateway"}[$__rate_interval])) or vector(0)',
                    "refused",
                ),
            ),
            kind="stat",
            warn_at=0.001,
        ),
    ),
)

_WHY = Row(
    "Why",
    (
        Panel(
            "Free by slots",
            "Free session slots over all slots. The renderer usually runs out of these first.",
            "percentunit",
            (Query("ditto:slot_headroom:ratio", "{{module}}"),),
            warn_at=0.15,
            is_low_bad=True,
            top=1,
        ),
        Panel(
            "Free by computing",
            "Share of the time in which the compute threads rest. Less than the slots say: lower "
            "`slots` of this module, its replicas promise more than they can do.",
            "percentunit",
            (Query("ditto:compute_headroom:ratio", "{{module}}"),),
            warn_at=0.15,
            is_low_bad=True,
            top=1,
        ),
        Panel(
            "Queue time of a step, p95",
            "Waiting before a step. It rises while headroom still looks fair: the earliest sign.",
            "s",
            (Query("ditto:queue_seconds:p95", "{{module}}"),),
        ),
    ),
)

_COUNTS = Row(
    "Counts",
    (
        Panel(
            "Replicas that serve",
            "By stage; with the two pictures beside it, this is what the autoscaler compares.",
            "short",
            (Query("ditto:replicas", "{{module}}"),),
        ),
        Panel(
            "Replicas wanted by slots",
            "Live sessions over the slots of a replica, at three quarters full.",
            "short",
            (Query("ditto:replicas_wanted:slots", "{{module}}"),),
        ),
        Panel(
            "Replicas wanted by computing",
            "Compute threads that are busy, at 70 % of the time each.",
            "short",
            (Query("ditto:replicas_wanted:compute", "{{module}}"),),
        ),
        Panel(
            "Most live sessions within the hour",
            "Do not scale in below what the last hour needed.",
            "short",
            (Query("max_over_time(sum by (module) (ditto_sessions_live)[1h:10s])", "{{module}}"),),
        ),
        Panel(
            "Gateway: processor of each replica",
            "A gateway has no slots. Add one before a replica uses most of a core.",
            "suffix: cores",
            (
                Query(
                    "sum by (replica) (rate(process_cpu_seconds_total"
                    '{service="gateway"}[$__rate_interval]))',
                    "{{replica}}",
                ),
            ),
            warn_at=0.7,
        ),
        Panel(
            "Real-time factor, p95",
            "Scaling out lowers it only where sessions share a thread; else a faster machine does.",
            "short",
            (Query("ditto:rtf:p95", "{{module}}"),),
            warn_at=0.9,
        ),
    ),
)

SCALING = Dashboard(
    "ditto-scaling",
    "Ditto: scaling",
    "Which service needs more replicas, which has too many, and by how much?",
    (_DECISION, _WHY, _COUNTS),
)
