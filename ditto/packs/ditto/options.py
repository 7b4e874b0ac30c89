"""What a process may choose when it loads this pack."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from ditto.errors import SetupError
from ditto.runtime.backend import parse_device

GENERATED = "generated"
GENERATED_TINY = "generated-tiny"


class DittoOptions(BaseModel):
    """The options of the manifest, with their types and limits."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    weights: str | None = None
    device: str = "cpu"
    backend: Literal["torch", "onnxruntime", "tensorrt"] = "torch"
    face: Literal["released", "mesh"] | None = None
    half: bool | None = None
    quantised: bool = False
    overlap: int = Field(default=70, ge=40, le=75)
    threads: int = Field(default=1, ge=1, le=256)

    @field_validator("device")
    @classmethod
    def _is_device(cls, device: str) -> str:
        parse_device(device)
        return device

    @property
    def is_generated(self) -> bool:
        """Weights come from the recipe and not from files."""
        return self.weights in (GENERATED, GENERATED_TINY)

    @property
    def is_half(self) -> bool:
        """The renderer's products are in float16: on a GPU, unless somebody says otherwise."""
        return self.device != "cpu" if self.half is None else self.half

    def folder(self, default: Path) -> Path:
        """Where the released layout lies."""
        return Path(self.weights).expanduser() if self.weights else default


def read_options(options: Mapping[str, Any]) -> DittoOptions:
    """Check the options of a pack. Raises `SetupError` naming the one that cannot be used."""
    try:
        chosen = DittoOptions.model_validate(dict(options))
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise SetupError(f"option {name} of the ditto pack: {first['msg']}") from None
    if chosen.is_generated and chosen.backend != "torch":
        raise SetupError(
            f"weights: {chosen.weights} live in memory and run with backend: torch alone; for "
            f"{chosen.backend} run `ditto models generate ditto --dir D`, then `ditto models "
            "convert ditto --dir D`, and set weights: D"
        )
    if chosen.backend == "tensorrt" and chosen.device == "cpu":
        raise SetupError("backend: tensorrt needs device: cuda")
    return chosen
