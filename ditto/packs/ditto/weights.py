"""Where the pack's networks come from: a folder of the released layout, or the recipe.

Torch is imported where it is needed: the released speech encoder runs without it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ditto.errors import SetupError
from ditto.packs.ditto.options import GENERATED_TINY, DittoOptions
from ditto.packs.hub import content_tag

if TYPE_CHECKING:
    from torch import nn

    from ditto.models.hubert_streaming import StreamingHubert
    from ditto.packs.ditto.sizes import Sizes

TORCH_FOLDER = "ditto_pytorch/models"
GRAPH_FOLDER = "ditto_onnx"
CONFIG_FOLDER = "ditto_cfg"
_HUBERT_GRAPHS = (
    f"{GRAPH_FOLDER}/hubert.onnx",
    "ditto_pytorch/aux_models/hubert_streaming_fix_kv.onnx",
)
HUBERT_INT8 = f"{GRAPH_FOLDER}/hubert_int8.onnx"


@dataclass(frozen=True)
class Weights:
    """One set of weights."""

    folder: Path | None
    """None for weights that are made in memory."""
    tiny: bool = False
    """Of the recipe: small networks of the same code."""

    @cached_property
    def sizes(self) -> Sizes:
        """What the recipe makes."""
        from ditto.packs.ditto.sizes import FULL, TINY

        return TINY if self.tiny else FULL

    @cached_property
    def tag(self) -> str:
        """Names the content: equal weights have equal tags, wherever they lie."""
        if self.folder is None:
            return hashlib.sha256(repr(self.sizes).encode()).hexdigest()[:16]
        return content_tag(self.folder)

    def network(self, name: str) -> nn.Module:
        """One of the six networks with checkpoints, in eval mode. Raises `SetupError`."""
        from ditto.models.checkpoint import LAYOUTS, load_network
        from ditto.models.generated_weights import load_generated

        if self.folder is None:
            return load_generated(self.sizes.builders()[name]())
        path = self.folder / TORCH_FOLDER / LAYOUTS[name].file_name
        self._require(path)
        return load_network(name, path)

    def graph(self, name: str) -> Path:
        """The ONNX file of one of the six. Raises `SetupError` when it is missing."""
        from ditto.models.checkpoint import LAYOUTS

        return self._file(f"{GRAPH_FOLDER}/{Path(LAYOUTS[name].file_name).stem}.onnx")

    def hubert_graph(self, quantised: bool) -> Path:
        """The speech encoder's ONNX file. Raises `SetupError` when it is missing."""
        return self._file(*((HUBERT_INT8,) if quantised else _HUBERT_GRAPHS))

    def hubert(self) -> StreamingHubert:
        """The speech encoder with the recipe's weights, behind a corpus of noise."""
        import torch

        from ditto.models.folding import fold
        from ditto.models.generated_weights import load_generated
        from ditto.models.hubert import Hubert
        from ditto.models.hubert_streaming import StreamingHubert
        from ditto.models.recipe_inputs import drawn

        hubert = fold(load_generated(Hubert(self.sizes.hubert)))
        assert isinstance(hubert, Hubert)
        corpus = drawn("input:hubert:corpus", (self.sizes.corpus_samples,), scale=0.1)
        return StreamingHubert(hubert, torch.from_numpy(corpus)).eval()

    def _file(self, *names: str) -> Path:
        assert self.folder is not None, "weights in memory have no files"
        candidates = [self.folder / name for name in names]
        found = next((path for path in candidates if path.is_file()), candidates[0])
        self._require(found)
        return found

    def _require(self, path: Path) -> None:
        if not path.is_file():
            raise SetupError(
                f"{path} is missing. `ditto models pull ditto --dir {self.folder}` fetches the "
                f"released files, `ditto models convert ditto --dir {self.folder}` makes further "
                "formats of them, and weights: generated runs without any"
            )


def choose_weights(options: DittoOptions, default_folder: Path) -> Weights:
    """The weights that the options name. Raises `SetupError` when their folder is missing."""
    if options.is_generated:
        return Weights(None, tiny=options.weights == GENERATED_TINY)
    folder = options.folder(default_folder)
    if not folder.is_dir():
        raise SetupError(
            f"no weights of the ditto pack in {folder}. `ditto models pull ditto --dir {folder}` "
            "fetches the released files; weights: generated runs without any"
        )
    return Weights(folder)
