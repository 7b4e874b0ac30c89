"""Writes the recipe's weights in the released layout: files to test and measure with."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

from ditto.models.checkpoint import LAYOUTS, write_state
from ditto.models.hubert_export import export_streaming
from ditto.packs.ditto.weights import GRAPH_FOLDER, TORCH_FOLDER, Weights
from ditto.packs.fetch import file_sha256
from ditto.packs.hub import HubListing, write_listing
from ditto.packs.hub_listing import HubFile

REPOSITORY = "generated/recipe"


def generate(folder: Path, note: Callable[[str], None]) -> None:
    """Write the six checkpoints and the speech encoder's graph (2 GB), and list them.

    They have the names, shapes and types of the released files and say nothing: a face driven by
    them moves at random.
    """
    weights = Weights(None)
    written: list[Path] = []
    for name, layout in LAYOUTS.items():
        target = folder / TORCH_FOLDER / layout.file_name
        note(target.name)
        state = weights.network(name).state_dict()
        _write(target, partial(write_state, name, state))
        written.append(target)
    target = folder / GRAPH_FOLDER / "hubert.onnx"
    note(f"{target.name} (some minutes)")
    _write(target, partial(export_streaming, weights.hubert()))
    written.append(target)
    files = tuple(_entry(folder, path) for path in sorted(written))
    write_listing(folder, HubListing(repository=REPOSITORY, revision=weights.tag, files=files))


def _write(target: Path, write: Callable[[Path], None]) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    write(part)
    part.replace(target)


def _entry(folder: Path, path: Path) -> HubFile:
    name, sha256 = str(path.relative_to(folder)), file_sha256(path)
    pointer = hashlib.sha1(sha256.encode(), usedforsecurity=False).hexdigest()
    return HubFile(path=name, size=path.stat().st_size, sha256=sha256, git_sha1=pointer)
