"""Makes further formats of the files in a folder of weights: what each backend reads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from ditto.errors import SetupError
from ditto.models.checkpoint import LAYOUTS
from ditto.packs.ditto.config_pickle import convert_config_pickle
from ditto.packs.ditto.options import DittoOptions
from ditto.packs.ditto.weights import CONFIG_FOLDER, GRAPH_FOLDER, HUBERT_INT8, Weights

Format = Literal["json", "onnx", "int8", "tensorrt"]
FORMATS: tuple[Format, ...] = ("json", "onnx", "int8", "tensorrt")
Note = Callable[[str], None]


def convert(folder: Path, target: Format, device: str, note: Note) -> None:
    """Make one format; what is there already stays. Raises `SetupError`, `CorruptDataError`.

    json: configuration pickles. onnx: graphs of the torch checkpoints. int8: the speech encoder.
    tensorrt: engines for the GPU `device`, which a start would otherwise build.
    """
    if not folder.is_dir():
        raise SetupError(f"{folder} is no folder; `ditto models pull ditto` makes one")
    {
        "json": lambda: _configurations(folder, note),
        "onnx": lambda: _graphs(folder, note),
        "int8": lambda: _quantised(folder, note),
        "tensorrt": lambda: _engines(folder, device, note),
    }[target]()


def _configurations(folder: Path, note: Note) -> None:
    for path in sorted((folder / CONFIG_FOLDER).glob("*.pkl")):
        note(str(convert_config_pickle(path)))


def _graphs(folder: Path, note: Note) -> None:
    from ditto.models.export import export_network

    weights = Weights(folder)
    for name, layout in LAYOUTS.items():
        target = (folder / GRAPH_FOLDER / layout.file_name).with_suffix(".onnx")
        if target.is_file():
            note(f"{target} is there")
            continue
        target.parent.mkdir(exist_ok=True)
        part = target.with_suffix(".part")
        export_network(name, weights.network(name), part)
        part.replace(target)
        note(str(target))


def _quantised(folder: Path, note: Note) -> None:
    from ditto.models.hubert_graph import quantise

    target = folder / HUBERT_INT8
    part = target.with_suffix(".part")
    quantise(Weights(folder).hubert_graph(quantised=False), part)
    part.replace(target)
    note(str(target))


def _engines(folder: Path, device: str, note: Note) -> None:
    from ditto.packs.ditto.backends import load_graph, load_hubert

    options = DittoOptions(weights=str(folder), device=device, backend="tensorrt")
    weights = Weights(folder)
    for name in LAYOUTS:
        load_graph(name, options, weights)
        note(f"engine of {name}")
    load_hubert(options, weights)
    note("engine of hubert")
