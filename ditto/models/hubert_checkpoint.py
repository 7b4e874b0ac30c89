"""State dicts of published HuBERT checkpoints, under the names that `Hubert` has."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from ditto.errors import CorruptDataError
from ditto.models.hubert import Hubert

_UNUSED = ("masked_spec_embed", "lm_head.", "final_proj.", "label_embs_concat")
"""Parts that serve training or recognition alone."""
_RENAMED = {
    "conv.parametrizations.weight.original0": "conv.weight_g",
    "conv.parametrizations.weight.original1": "conv.weight_v",
}
"""What newer versions of the publishing library call the weight norm."""


def load_published(hubert: Hubert, state: Mapping[str, Tensor]) -> Hubert:
    """Load a published state dict, also one of a model with a head; gives it in eval mode.

    Raises `CorruptDataError` naming the first key that is missing, unknown or of another shape.
    """
    own = hubert.state_dict()
    found = {_own_name(key): value for key, value in state.items() if not _is_unused(key)}
    for problem, keys in (("lacks", own.keys() - found.keys()), ("has", found.keys() - own.keys())):
        if keys:
            raise CorruptDataError(f"this HuBERT checkpoint {problem} {min(keys)}")
    for key, value in found.items():
        if value.shape != own[key].shape:
            shapes = f"{tuple(value.shape)} instead of {tuple(own[key].shape)}"
            raise CorruptDataError(f"this HuBERT checkpoint has {key} of shape {shapes}")
    hubert.load_state_dict(found, strict=True)
    return hubert.eval()


def _own_name(key: str) -> str:
    name = key.removeprefix("hubert.")
    for published, own in _RENAMED.items():
        name = name.replace(published, own)
    return name


def _is_unused(key: str) -> bool:
    return key.removeprefix("hubert.").startswith(_UNUSED)
