"""Every metric of every process, with help text and units, in one place.

Labels are bounded: a module, a tier, a status; never a call, an avatar or an address.
"""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

from ditto.serving.step_time import StepTime

_SECONDS = (0.0005, 0.001, 0.002, 0.004, 0.008, 0.015, 0.03, 0.06, 0.125, 0.25, 0.5, 1, 2, 4)
_DELAY_SECONDS = (0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.385, 0.5, 0.7, 1, 1.5, 2.5, 5)
_SKEW_SECONDS = (-0.2, -0.08, -0.04, -0.02, -0.005, 0.005, 0.02, 0.04, 0.08, 0.2)
_RTF = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.5, 2, 4)
_BATCH_SESSIONS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)

STEP_COMPUTE = Histogram(
    "ditto_step_compute_seconds",
    "Time that one step of a module computes, in seconds",
    ["module"],
    buckets=_SECONDS,
)
STEP_QUEUE = Histogram(
    "ditto_step_queue_seconds",
    "Time that one step of a module waits for a compute thread, in seconds",
    ["module"],
    buckets=_SECONDS,
)
RTF = Histogram(
    "ditto_rtf",
    "Real-time factor of a step: compute time over duration of the valid frames it yields (ratio)",
    ["module"],
    buckets=_RTF,
)
BATCH_SIZE = Histogram(
    "ditto_batch_size",
    "Sessions that one step of a module computes together (count)",
    ["module"],
    buckets=_BATCH_SESSIONS,
)
BUSY = Counter(
    "ditto_busy_seconds_total",
    "Time that the threads of a module computed, a batch counted once, in seconds",
    ["module"],
)
FRAMES = Counter("ditto_frames_total", "Frames that a module put out", ["module"])
SESSIONS_LIVE = Gauge("ditto_sessions_live", "Sessions that run now", ["module"])
SLOTS_FREE = Gauge("ditto_slots_free", "Sessions that may still start", ["module"])
CALLS = Counter("ditto_calls_total", "Calls that ended, by gRPC status", ["status"])
BUILD_INFO = Gauge(
    "ditto_build_info", "Always 1; the labels say what runs", ["version", "pack", "pack_hash"]
)
SERVING = Gauge("ditto_serving", "1 while health reports SERVING, else 0")

FIRST_FRAME_DELAY = Histogram(
    "ditto_first_frame_delay_seconds",
    "From the first speech byte received to the first frame sent that it shaped, in seconds",
    buckets=_DELAY_SECONDS,
)
FIRST_FRAME_DELAY_COMPUTE = Histogram(
    "ditto_first_frame_delay_compute_seconds",
    "First-frame delay without the speech that the method must wait for, in seconds",
    buckets=_DELAY_SECONDS,
)
AV_SKEW = Histogram(
    "ditto_av_skew_seconds",
    "Presentation time of a frame minus that of the speech that shaped it, signed, in seconds",
    buckets=_SKEW_SECONDS,
)
UNDERRUNS = Counter(
    "ditto_underruns_total", "Frames sent later than their presentation time in REALTIME pacing"
)
ADMISSIONS_REFUSED = Counter(
    "ditto_admissions_refused_total", "Sessions refused, by reason", ["reason"]
)
FAILOVERS = Counter(
    "ditto_failovers_total",
    "Live sessions moved to another replica, by stage and reason: reset, hang, polls, not_serving, "
    "drain",
    ["module", "reason"],
)
FAILOVER_GAP = Histogram(
    "ditto_failover_gap_seconds",
    "Time in which a stage gave a session nothing while it moved, in seconds",
    ["module"],
    buckets=_DELAY_SECONDS,
)
DEGRADED_CALLS = Gauge("ditto_degraded_calls", "Calls whose quality is lowered for now")
DEGRADATIONS = Counter(
    "ditto_degradations_total", "Steps by which the quality of a call was lowered"
)
RESUMED = Counter("ditto_calls_resumed_total", "Calls that went on here after another gateway")
INTERRUPTS = Counter("ditto_interrupts_total", "Interrupts of speech that callers sent")
AVATARS = Gauge("ditto_avatars", "Portraits that the gateway's store keeps")

CACHE_REQUESTS = Counter(
    "ditto_cache_requests_total",
    "Look-ups in a cache tier: hit, miss, error, corrupt, or skipped while the tier is given up",
    ["tier", "result"],
)
CACHE_BYTES = Gauge("ditto_cache_bytes", "Size of what a cache tier holds, in bytes", ["tier"])
CACHE_EVICTIONS = Counter(
    "ditto_cache_evictions_total", "Entries that a cache tier dropped to stay in bounds", ["tier"]
)
REDIS_UP = Gauge(
    "ditto_redis_up",
    "1 while Redis answers in time, else 0; only where a process uses one",
    ["tier"],
)
REDIS_ERRORS = Counter("ditto_redis_errors_total", "Redis requests that failed or timed out")
PREPARE = Histogram(
    "ditto_prepare_seconds",
    "Time to find the face of a portrait and extract its appearance, in seconds",
    buckets=_DELAY_SECONDS,
)

CERTIFICATE_EXPIRY = Gauge(
    "ditto_certificate_expiry_timestamp_seconds",
    "When a certificate file in use expires, by its key, in seconds since 1970",
    ["file"],
)
RELOAD_ERRORS = Counter(
    "ditto_reload_errors_total",
    "Looks at changed certificate or token files that could not be used",
    ["file"],
)
DENIED = Counter(
    "ditto_denied_total", "Requests that a token or a tenant's limits did not allow", ["reason"]
)


def observe_step(module: str, took: StepTime, frames: int, frame_rate: int) -> None:
    """Record one step of a session; its real-time factor only where it gave frames."""
    BATCH_SIZE.labels(module).observe(took.batch_size)
    STEP_COMPUTE.labels(module).observe(took.compute_s)
    STEP_QUEUE.labels(module).observe(took.queue_s)
    BUSY.labels(module).inc(took.share_s)
    if frames:
        RTF.labels(module).observe(took.compute_s * frame_rate / frames)
        FRAMES.labels(module).inc(frames)
