"""What the paper reports (arXiv 2411.19509), to stand beside a protocol's own result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Row = tuple[str, ...]


@dataclass(frozen=True)
class PublishedTable:
    """One table of the paper."""

    title: str
    columns: Row
    rows: tuple[Row, ...]


TALK9 = PublishedTable(
    "Table 1, Talk9",
    ("method", "FID", "FVD", "CSIM", "Sync-C", "Sync-D", "RTF"),
    (
        ("real video", "-", "-", "-", "8.044", "6.943", "-"),
        ("MuseTalk", "21.445", "436.862", "0.807", "5.586", "8.400", "2.248"),
        ("EchoMimic", "42.554", "395.754", "0.840", "5.733", "9.204", "35.528"),
        ("Hallo", "22.996", "271.680", "0.812", "7.652", "7.590", "53.082"),
        ("Hallo2", "22.899", "245.236", "0.806", "7.737", "7.608", "56.838"),
        ("Ditto, 50 steps", "17.254", "219.368", "0.864", "8.069", "7.114", "2.121"),
        ("Ditto, 10 steps", "17.060", "231.182", "0.861", "8.111", "7.291", "0.635"),
    ),
)
HDTF = PublishedTable(
    "Table 2, HDTF100",
    ("method", "FID", "FVD", "Sync-C", "Sync-D"),
    (
        ("EchoMimic, from the Hallo2 paper", "47.331", "532.733", "5.930", "9.143"),
        ("Hallo, likewise", "16.748", "366.066", "7.268", "7.714"),
        ("Hallo2, likewise", "16.616", "239.517", "7.379", "7.697"),
        ("Ditto", "16.430", "134.640", "8.939", "6.913"),
    ),
)
ABLATION = PublishedTable(
    "Table 4, ablations",
    ("method", "FID", "FVD", "CSIM", "Sync-C", "Sync-D"),
    (
        ("full model", "17.254", "219.368", "0.864", "8.069", "7.114"),
        ("without canonical keypoints", "17.438", "261.693", "0.849", "6.932", "8.476"),
        ("without emotion label", "23.036", "324.078", "0.792", "6.310", "8.990"),
        ("without adaptive loss weights", "18.978", "588.821", "0.844", "0.289", "14.992"),
    ),
)
PROFILES = PublishedTable(
    "Table 6, inference",
    ("pipeline", "RTF", "FFD"),
    (
        ("talking-head offline", "0.635", "-"),
        ("talking-head online", "0.895", "385 ms"),
        ("full-body offline", "0.648", "-"),
        ("full-body online", "0.914", "392 ms"),
    ),
)


def with_ours(published: PublishedTable, found: Mapping[str, str]) -> tuple[Row, ...]:
    """The published rows, and one of our own below; what was not measured stays a dash."""
    ours = ("measured here", *(found.get(name, "-") for name in published.columns[1:]))
    return (*published.rows, ours)
