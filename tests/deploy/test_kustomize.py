"""Every kustomization renders, and every object fits the schemas of three Kubernetes versions."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable
from itertools import chain, product
from pathlib import Path

import pytest
import yaml

from ditto import __version__
from tests.deploy.kubernetes_schemas import InvalidError, validate
from tests.deploy.kustomize import (
    COMPONENTS,
    K8S,
    OVERLAYS,
    Object,
    of_kind,
    overlay,
    pod_specs,
    render,
)

Combination = tuple[str, ...]
_ADDITIONS = ("monitoring", "network-policies", "ingress-grpc", "ops-rbac")
"""Components that add objects and change none."""
_CHANGES: list[list[Combination]] = [
    [(), ("canary",)],
    [(), ("cpu",), ("gpu-sharing",), ("ditto-pack",), ("gpu-sharing", "ditto-pack")],
    [(), ("keda",), ("hpa",)],
    [(), ("tls",)],
]
"""Those that change others. cpu excludes both that are about GPUs, keda excludes hpa."""


def render_each(folder: Path, chosen: list[Combination]) -> dict[Combination, list[Object]]:
    """The base with each combination, all in one run, in namespaces of their own."""
    for number, components in enumerate(chosen):
        here = (folder / f"c{number}").resolve()
        here.mkdir(parents=True)
        content = {
            "namespace": f"c{number}",
            "resources": [os.path.relpath(K8S / "base", here)],
            "components": [os.path.relpath(K8S / "components" / name, here) for name in components],
        }
        (here / "kustomization.yaml").write_text(yaml.safe_dump(content))
    names = [f"c{number}" for number in range(len(chosen))]
    (folder / "kustomization.yaml").write_text(yaml.safe_dump({"resources": names}))
    found: dict[str, list[Object]] = {name: [] for name in names}
    for each in render(folder):
        found[each["metadata"].pop("namespace")].append(each)
    return dict(zip(chosen, found.values(), strict=True))


def check(objects: list[Object]) -> None:
    """Every object is valid and named once; subjects' namespaces differ and are left out."""
    names = [(each["kind"], each["metadata"]["name"]) for each in objects]
    assert len(set(names)) == len(names)
    for each in objects:
        for subject in each.get("subjects", ()):
            subject.pop("namespace", None)
        validate(each)


@pytest.mark.parametrize("name", OVERLAYS)
def test_an_overlay_is_valid(name: str) -> None:
    check(copy.deepcopy(overlay(name)))


@pytest.mark.slow
def test_each_component_is_valid_on_its_own(tmp_path: Path) -> None:
    alone: list[Combination] = [(), *((name,) for name in COMPONENTS)]
    for components, objects in render_each(tmp_path, alone).items():
        check(objects)
        assert len(of_kind(objects, "Deployment")) >= 5, components


@pytest.mark.slow
@pytest.mark.parametrize("canary", _CHANGES[0], ids=["stable", "canary"])
def test_every_combination_is_valid(tmp_path: Path, canary: Combination) -> None:
    """Each set of changes is rendered with no addition and with all of them.

    As additions leave the other objects as they are, which is checked, every combination between
    the two consists of objects that were checked, each named once.
    """
    changes = [(*canary, *chain.from_iterable(each)) for each in product(*_CHANGES[1:])]
    bare = render_each(tmp_path / "bare", changes)
    full = render_each(tmp_path / "full", [(*each, *_ADDITIONS) for each in changes])
    for without, together in zip(bare.values(), full.values(), strict=True):
        check(without)
        check(together)
        assert all(each in together for each in without)
    chosen = {name for components in full for name in components}
    assert chosen | {"canary"} == set(COMPONENTS)


def _typo_in_probe(found: Object) -> None:
    container = found["spec"]["template"]["spec"]["containers"][0]
    container["readinessProbe"]["htpGet"] = container["readinessProbe"].pop("httpGet")


def _number_for_text(found: Object) -> None:
    found["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"] = 7


def _typo_in_policy(found: Object) -> None:
    found["spec"]["podSelektor"] = found["spec"].pop("podSelector")


def _typo_in_trigger(found: Object) -> None:
    found["spec"]["triggers"][0]["metadata"]["treshold"] = "1"


def _typo_in_certificate(found: Object) -> None:
    found["spec"]["dnsName"] = found["spec"].pop("dnsNames")


def _typo_in_budget(found: Object) -> None:
    found["spec"]["maxUnavailabe"] = 1


@pytest.mark.parametrize(
    ("kind", "name", "spoil"),
    [
        ("Deployment", "renderer", _typo_in_probe),
        ("Deployment", "renderer", _number_for_text),
        ("NetworkPolicy", "gateway", _typo_in_policy),
        ("ScaledObject", "renderer", _typo_in_trigger),
        ("PodDisruptionBudget", "gateway", _typo_in_budget),
        ("Certificate", "stage", _typo_in_certificate),
    ],
)
def test_a_typo_is_caught(kind: str, name: str, spoil: Callable[[Object], None]) -> None:
    found = copy.deepcopy(of_kind(overlay("prod"), kind)[name])
    validate(found)
    spoil(found)
    with pytest.raises(InvalidError):
        validate(found)


@pytest.mark.parametrize("name", COMPONENTS)
def test_a_component_says_what_it_is_for(name: str) -> None:
    text = (K8S / "components" / name / "README.md").read_text()
    assert text.startswith(f"# {name}\n")
    assert len(text) > 200


@pytest.mark.parametrize("name", OVERLAYS)
def test_images_are_pinned(name: str) -> None:
    for specification in pod_specs(overlay(name)).values():
        for container in specification["containers"]:
            image, _, tag = container["image"].partition(":")
            assert tag, image
            if image.startswith("ditto-cluster/"):
                assert tag.removesuffix("-cuda") == __version__
            else:
                assert tag.removeprefix("v")[0].isdigit(), f"{image}:{tag}"
