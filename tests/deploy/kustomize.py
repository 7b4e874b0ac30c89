"""Kustomize as a cluster operator runs it: `kubectl kustomize`, from the pinned wheel."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import yaml

Object = dict[str, Any]
K8S = Path(__file__).resolve().parents[2] / "deploy" / "k8s"
OVERLAYS = sorted(path.name for path in (K8S / "overlays").iterdir())
COMPONENTS = sorted(path.name for path in (K8S / "components").iterdir())
_KUBECTL = Path(sys.executable).with_name("kubectl")


def render(folder: Path) -> list[Object]:
    """All objects of a kustomization. Fails with kustomize's own words."""
    command = [str(_KUBECTL), "kustomize", str(folder)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    return list(yaml.load_all(found.stdout, yaml.CSafeLoader))


@cache
def overlay(name: str) -> list[Object]:
    """All objects of one overlay."""
    return render(K8S / "overlays" / name)


def combined(folder: Path, base: str, components: tuple[str, ...]) -> list[Object]:
    """Objects of a kustomization with some components, written to `folder` first."""
    here = folder.resolve()
    content = {
        "resources": [os.path.relpath(K8S / base, here)],
        "components": [os.path.relpath(K8S / "components" / name, here) for name in components],
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(content))
    return render(folder)


def of_kind(objects: list[Object], kind: str) -> dict[str, Object]:
    """The objects of one kind, by name."""
    return {each["metadata"]["name"]: each for each in objects if each["kind"] == kind}


def pod_specs(objects: list[Object]) -> dict[str, Object]:
    """The pod specification of every Deployment, by name."""
    deployments = of_kind(objects, "Deployment").items()
    return {name: each["spec"]["template"]["spec"] for name, each in deployments}
