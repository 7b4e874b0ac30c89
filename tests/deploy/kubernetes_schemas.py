"""Strict validation of objects against the schemas of several Kubernetes versions, and of KEDA and
cert-manager."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import jsonschema
import kubernetes_validate

from tests.deploy.kustomize import Object

VERSIONS = ("1.31", "1.34", "1.37")
"""The oldest that is supported here, one between, and the newest that the validator knows."""
_OTHERS = {
    "keda.sh/v1alpha1": json.loads(Path(__file__).with_name("keda_scaled_object.json").read_text()),
    "cert-manager.io/v1": json.loads(Path(__file__).with_name("cert_manager.json").read_text()),
}

InvalidError = (kubernetes_validate.ValidationError, jsonschema.ValidationError)
"""Raised for an object that does not fit its schema."""


def validate(found: Object) -> None:
    """Raise one of `InvalidError` when a version refuses an object or does not know a field."""
    _validate_text(json.dumps(found, sort_keys=True))


@cache
def _validate_text(text: str) -> None:
    found = json.loads(text)
    if schema := _OTHERS.get(found["apiVersion"]):
        jsonschema.validate(found, schema)
        return
    for version in VERSIONS:
        kubernetes_validate.validate(found, version, strict=True)
