"""Model packs by name: a pack is a folder here with a `manifest.yaml` and a `factories.py`."""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from ditto.errors import SetupError
from ditto.packs.manifest import Manifest, read_manifest
from ditto.packs.store import ensure
from ditto.stages import AudioEncoder, MotionGenerator, Renderer

_ROOT = Path(__file__).parent
_OPTIONAL_PACKAGES = ("onnxscript", "torch")


def names() -> list[str]:
    """The packs that this installation has."""
    return sorted(path.parent.name for path in _ROOT.glob("*/manifest.yaml"))


def load(name: str, options: Mapping[str, Any] | None = None) -> Pack:
    """The pack called `name`; no network is read yet.

    `options` are what its manifest offers to choose. Raises `SetupError` for an unknown name.
    """
    if name not in names():
        raise SetupError(f"no model pack is called {name!r}; there are: {', '.join(names())}")
    manifest = read_manifest(_ROOT / name / "manifest.yaml")
    if unknown := sorted((options or {}).keys() - manifest.options.keys()):
        known = ", ".join(manifest.options) or "none"
        raise SetupError(f"the {name} pack has no option {', '.join(unknown)}; it has: {known}")
    return Pack(_ROOT / name, manifest, dict(options or {}))


@dataclass(frozen=True)
class Pack:
    """One model pack. Each stage is imported, fetched and loaded only when it is asked for."""

    folder: Path
    manifest: Manifest
    options: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def hash(self) -> str:
        """16 hex digits over manifest and weights: tags checkpoints and caches."""
        digest = hashlib.sha256()
        digest.update(self._make("weights_tag", lambda _: "").encode())
        weights = sorted(p for p in self.folder.glob("weights/*") if p.suffix != ".md")
        for path in (self.folder / "manifest.yaml", *weights):
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
        return digest.hexdigest()[:16]

    @property
    def motion_delay_frames(self) -> int:
        """Feature frames beyond a unit's own that the motion stage waits for at first."""
        return int(self._make("motion_delay_frames", lambda _: 0))

    def asset(self, key: str) -> Path:
        """The checked file of the manifest's asset `key`, fetched first where needed."""
        return ensure(self.manifest.assets[key])

    def weights(self, file: str) -> Path:
        """A weights file that is committed with the pack. Raises `SetupError` if it is missing."""
        path = self.folder / "weights" / file
        if not path.is_file():
            raise SetupError(f"{path} is missing; reinstall ditto-cluster")
        return path

    def audio_encoder(self) -> AudioEncoder[Any]:
        """Load the speech stage."""
        stage: AudioEncoder[Any] = self._make("audio_encoder")
        return stage

    def motion_generator(self) -> MotionGenerator[Any]:
        """Load the motion stage."""
        stage: MotionGenerator[Any] = self._make("motion_generator")
        return stage

    def renderer(self) -> Renderer[Any]:
        """Load the picture stage."""
        stage: Renderer[Any] = self._make("renderer")
        return stage

    def _make(self, name: str, default: Callable[[Pack], Any] | None = None) -> Any:
        factories = importlib.import_module(f"ditto.packs.{self.manifest.name}.factories")
        factory: Any = getattr(factories, name, default)
        try:
            return factory(self)
        except ModuleNotFoundError as error:
            if error.name not in _OPTIONAL_PACKAGES:
                raise
            raise SetupError(
                f"the {self.manifest.name} pack needs {error.name}; "
                "pip install 'ditto-cluster[gpu]'"
            ) from error
