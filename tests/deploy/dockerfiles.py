"""The Dockerfiles as the tests read them: their stages, what they copy, what they set."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILES = {
    "audio-encoder": ROOT / "services/audio_encoder/Dockerfile",
    "motion-dit": ROOT / "services/motion_dit/Dockerfile",
    "renderer": ROOT / "services/renderer/Dockerfile",
    "gateway": ROOT / "gateway/Dockerfile",
}
"""By name of the image."""


@dataclass(frozen=True)
class Instruction:
    """One instruction and its words."""

    name: str
    rest: str

    @property
    def words(self) -> list[str]:
        """Its arguments, in either notation."""
        return json.loads(self.rest) if self.rest.startswith("[") else shlex.split(self.rest)


def stages(file: Path) -> list[list[Instruction]]:
    """Instructions by stage, each stage beginning with its FROM."""
    text = re.sub(r"^#.*\n", "", file.read_text(), flags=re.M).replace("\\\n", " ")
    found: list[list[Instruction]] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        name, _, rest = line.partition(" ")
        if name == "FROM":
            found.append([])
        if found:
            found[-1].append(Instruction(name, rest.strip()))
    return found


def of(stage: list[Instruction], name: str) -> list[Instruction]:
    """The instructions of one kind."""
    return [each for each in stage if each.name == name]


def variables(stage: list[Instruction]) -> dict[str, str]:
    """What a stage sets in the environment."""
    return dict(word.split("=", 1) for each in of(stage, "ENV") for word in each.words)


def image_environment(image: str) -> dict[str, str]:
    """The environment that an image brings, where it is one of ours."""
    repository, _, name = image.partition(":")[0].rpartition("/")
    return variables(stages(DOCKERFILES[name])[-1]) if repository == "ditto-cluster" else {}
