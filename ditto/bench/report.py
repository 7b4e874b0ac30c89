"""The figures of a benchmark as text: one column a load, or two runs side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ditto.bench.figures import BenchResult, LoadFigures, Spread

_MISSING = "-"


def table(loads: Sequence[LoadFigures]) -> str:
    """All figures, one column a load."""
    return _aligned([_shown(load) for load in loads])


def comparison(old: BenchResult, new: BenchResult) -> str:
    """The loads that both ran, old -> new, with the ratio of each pair of numbers."""
    earlier = {load.calls: load for load in old.loads}
    columns = []
    for load in new.loads:
        if load.calls in earlier:
            was, now = _compared(earlier[load.calls]), _compared(load)
            changes = {name: _change(was.get(name), value) for name, value in now.items()}
            columns.append({"concurrent calls": str(load.calls), **changes})
    carried = f"calls carried on time: {old.carried} -> {new.carried}"
    return f"{_aligned(columns)}\n{carried}"


def _shown(load: LoadFigures) -> dict[str, str]:
    cells = {
        "concurrent calls": str(load.calls),
        "every frame on time": "yes" if load.is_on_time else "NO",
        "late frames": f"{load.late_frames} of {load.frames}",
        "failed calls": str(load.failed_calls),
        "FFD ms, p50 p95 p99": _spread(load.ffd_ms),
        "FFD-compute ms": _spread(load.ffd_compute_ms),
    }
    for module, figures in load.modules.items():
        cells[f"RTF {module}"] = _number(figures.rtf)
        cells[f"  busy {module}"] = _number(figures.busy)
        cells[f"  batch {module}"] = _number(figures.batch_size)
    cells["CPU s per video s"] = _number(load.cpu)
    for process, cpu_s in load.cpu_s_per_video_s.items():
        cells[f"  {process}"] = _number(cpu_s)
    for process, loop_s in load.loop_cpu_s_per_video_s.items():
        cells[f"  event loop of {process}"] = _number(loop_s)
    cells["gateway and gRPC, share"] = _number(load.messaging_share)
    memory = load.peak_memory_bytes
    cells["peak memory, MiB"] = _number(None if memory is None else memory / 2**20, 0)
    cells["kB per video s"] = _number(load.received_bytes_per_s / 1000, 0)
    return cells


def _compared(load: LoadFigures) -> dict[str, float | None]:
    compute = load.ffd_compute_ms
    return {
        "late frames": load.late_frames,
        "FFD ms, p50": load.ffd_ms.p50 if load.ffd_ms else None,
        "FFD-compute ms, p50": compute.p50 if compute else None,
        "FFD-compute ms, p95": compute.p95 if compute else None,
        **{f"RTF {module}": figures.rtf for module, figures in load.modules.items()},
        "CPU s per video s": load.cpu,
        "gateway and gRPC, share": load.messaging_share,
    }


def _number(value: float | None, digits: int = 3) -> str:
    return _MISSING if value is None else f"{value:.{digits}f}"


def _spread(spread: Spread | None) -> str:
    return f"{spread.p50:.0f} {spread.p95:.0f} {spread.p99:.0f}" if spread else _MISSING


def _change(was: float | None, now: float | None) -> str:
    if was is None or now is None:
        return _MISSING
    ratio = f" (x{now / was:.2f})" if was else ""
    return f"{was:.4g} -> {now:.4g}{ratio}"


def _aligned(columns: Sequence[Mapping[str, str]]) -> str:
    names = list(dict.fromkeys(name for column in columns for name in column))
    first = max(map(len, names), default=0)
    widths = [max(map(len, column.values())) for column in columns]
    return "\n".join(
        "  ".join(
            [
                f"{name:{first}}",
                *(
                    f"{column.get(name, _MISSING):>{width}}"
                    for column, width in zip(columns, widths, strict=True)
                ),
            ]
        )
        for name in names
    )
