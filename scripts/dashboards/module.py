"""One stage, replica by replica: which one is slow, and at what?"""

from __future__ import annotations

from scripts.dashboards.grafana import Dashboard, Panel, Query, Row, Variable

_RATE = "[$__rate_interval]"


def _quantile(quantile: float, metric: str) -> str:
    buckets = f'{metric}_bucket{{module="$module"}}{_RATE}'
    return f"histogram_quantile({quantile}, sum by (replica, le) (rate({buckets})))"


def _per_replica(metric: str) -> str:
    return f'sum by (replica) ({metric}{{module="$module"}})'


_SPEED = Row(
    "Speed",
    (
        Panel(
            "Real-time factor, p95",
            "Time that a step computes over the duration of the frames it gives. One replica above "
            "the others: its machine is slow or shared. All of them: too many sessions a replica.",
            "short",
            (Query(_quantile(0.95, "ditto_rtf"), "{{replica}}"),),
            warn_at=0.9,
        ),
        Panel(
            "Compute time of a step",
            "Half of the steps and nineteen in twenty are done within these times.",
            "s",
            (
                Query(_quantile(0.5, "ditto_step_compute_seconds"), "{{replica}} p50"),
                Query(_quantile(0.95, "ditto_step_compute_seconds"), "{{replica}} p95"),
            ),
        ),
        Panel(
            "Queue time of a step, p95",
            "Wait for the compute thread before the step starts. It grows while sessions share a "
            "thread that has no time left.",
            "s",
            (Query(_quantile(0.95, "ditto_step_queue_seconds"), "{{replica}}"),),
        ),
        Panel(
            "Distribution of the real-time factor",
            "All steps of the module. Two bands: two kinds of work or of machine.",
            "short",
            (Query(f'sum by (le) (rate(ditto_rtf_bucket{{module="$module"}}{_RATE}))', "{{le}}"),),
            kind="heatmap",
        ),
        Panel(
            "Frames out",
            "Frames a second by replica; 25 for each REALTIME session.",
            "suffix: frames/s",
            (
                Query(
                    f'sum by (replica) (rate(ditto_frames_total{{module="$module"}}{_RATE}))',
                    "{{replica}}",
                ),
            ),
        ),
        Panel(
            "Sessions computed together",
            "Mean size of a batch. 1: nothing is batched, or only one session is live.",
            "short",
            (
                Query(
                    f'sum by (replica) (rate(ditto_batch_size_sum{{module="$module"}}{_RATE})) / '
                    f'sum by (replica) (rate(ditto_batch_size_count{{module="$module"}}{_RATE}))',
                    "{{replica}}",
                ),
            ),
        ),
    ),
)

_LOAD = Row(
    "Load",
    (
        Panel(
            "Busy",
            "Share of the time in which the compute thread computes. Sessions begin to wait for "
            "each other from about 0.7 on.",
            "percentunit",
            (Query('ditto:busy:ratio{module="$module"}', "{{replica}}"),),
            warn_at=0.85,
            top=1,
        ),
        Panel(
            "Live sessions",
            "Sessions by replica. The gateway fills the replica with the most free slots first, so "
            "they should be even.",
            "short",
            (Query(_per_replica("ditto_sessions_live"), "{{replica}}"),),
        ),
        Panel(
            "Free slots",
            "Sessions that may still start, by replica. Zero with few live sessions: it drains.",
            "short",
            (Query(_per_replica("ditto_slots_free"), "{{replica}}"),),
        ),
    ),
)

_PROCESS = Row(
    "Process",
    (
        Panel(
            "Processor",
            "Cores that each process uses, all its threads together.",
            "suffix: cores",
            (
                Query(
                    "sum by (replica) "
                    f'(rate(process_cpu_seconds_total{{service="$module"}}{_RATE}))',
                    "{{replica}}",
                ),
            ),
        ),
        Panel(
            "Memory",
            "Resident memory by process. A slope that goes on while sessions do not is a leak.",
            "bytes",
            (
                Query(
                    'sum by (replica) (process_resident_memory_bytes{service="$module"})',
                    "{{replica}}",
                ),
            ),
        ),
        Panel(
            "Open files",
            "File descriptors by process; sockets count. It should return to its level after a "
            "busy time.",
            "short",
            (Query('sum by (replica) (process_open_fds{service="$module"})', "{{replica}}"),),
        ),
    ),
)

MODULE = Dashboard(
    "ditto-module",
    "Ditto: one module",
    "One stage, replica by replica: which one is slow, and at what?",
    (_SPEED, _LOAD, _PROCESS),
    (Variable("module", "ditto_slots_free"),),
)
