"""HuBERT against the published implementation, and its streaming form against one long pass."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from ditto.errors import CorruptDataError
from ditto.models.folding import fold
from ditto.models.generated_weights import load_generated
from ditto.models.hubert import Hubert
from ditto.models.hubert_checkpoint import load_published
from ditto.models.hubert_streaming import StreamingHubert, window_mask
from ditto.models.recipe_inputs import drawn
from ditto.packs.ditto.sizes import TINY

SMALL = TINY.hubert
PUBLISHED = [
    *(0.50115699, 0.47804806, 1.36520875, -0.62553746, 0.57644820, 1.02598619, 0.81020176),
    *(-0.13131134, 0.98147821, -2.99385405, -1.06446588, 0.63406050, -1.07155180, 0.19548896),
]
"""Every 97th output of transformers' HubertModel with these sizes, weights and samples."""

WINDOWS, SAMPLES, TOKENS = 4, 6480, 20


@pytest.fixture(autouse=True)
def _inference() -> Iterator[None]:
    with torch.inference_mode():
        yield


@pytest.fixture(scope="module")
def hubert() -> Hubert:
    return load_generated(Hubert(SMALL))


@pytest.fixture(scope="module")
def windows() -> torch.Tensor:
    return torch.from_numpy(drawn("input:hubert:windows", (WINDOWS, SAMPLES), scale=0.1))


@pytest.fixture(scope="module")
def corpus() -> torch.Tensor:
    return torch.from_numpy(drawn("input:hubert:corpus", (16_000,), scale=0.1))


def test_equals_the_published_network(hubert: Hubert) -> None:
    samples = torch.from_numpy(drawn("input:hubert:samples", (2, SAMPLES), scale=0.1))
    tokens = hubert(samples)
    assert tokens.shape == (2, TOKENS, SMALL.width)
    assert SMALL.tokens_of(SAMPLES) == TOKENS
    assert torch.allclose(tokens.reshape(-1)[::97], torch.tensor(PUBLISHED), atol=1e-5)
    assert torch.allclose(fold(hubert)(samples), tokens, atol=1e-5)


def test_large_has_the_published_size() -> None:
    with torch.device("meta"):
        large = Hubert()
    assert sum(weight.numel() for weight in large.parameters()) == 315_437_696
    assert large.encoder.pos_conv_embed.conv.weight_v.shape == (1024, 64, 128)


@pytest.mark.parametrize("prefix", ["", "hubert."])
@pytest.mark.parametrize("newer", [False, True])
def test_published_names_load(hubert: Hubert, prefix: str, newer: bool) -> None:
    norm = "conv.parametrizations.weight.original" if newer else "conv.weight_"
    names = {"conv.weight_g": f"{norm}{'0' if newer else 'g'}"}
    names["conv.weight_v"] = f"{norm}{'1' if newer else 'v'}"
    state = {"masked_spec_embed": torch.zeros(32), "lm_head.weight": torch.zeros(1)}
    for key, value in hubert.state_dict().items():
        for own, published in names.items():
            key = key.replace(own, published)
        state[prefix + key] = value
    loaded = load_published(Hubert(SMALL), state)
    samples = torch.from_numpy(drawn("input:hubert:samples", (2, SAMPLES), scale=0.1))
    assert torch.equal(loaded(samples), hubert(samples))


def test_other_checkpoints_are_refused(hubert: Hubert) -> None:
    state = hubert.state_dict()
    bias = state.pop("encoder.layer_norm.bias")
    with pytest.raises(CorruptDataError, match=r"lacks encoder\.layer_norm\.bias"):
        load_published(Hubert(SMALL), state)
    with pytest.raises(CorruptDataError, match="has adapter"):
        load_published(Hubert(SMALL), {**state, "encoder.layer_norm.bias": bias, "adapter": bias})
    with pytest.raises(CorruptDataError, match=r"of shape \(3,\) instead of \(32,\)"):
        load_published(Hubert(SMALL), {**state, "encoder.layer_norm.bias": bias[:3]})


def test_step_by_step_equals_one_pass_under_the_same_mask(
    hubert: Hubert, windows: torch.Tensor, corpus: torch.Tensor
) -> None:
    for prefix in (corpus, None):
        streaming = StreamingHubert(hubert, prefix)
        steps = torch.cat([streaming(window[None]) for window in windows])
        assert steps.shape == (WINDOWS, TOKENS, SMALL.width)
        assert torch.allclose(streaming.one_pass(windows), steps, atol=1e-5)
        assert torch.allclose(streaming(windows), steps, atol=1e-5)


def test_the_prefix_is_the_corpus_seen_before_the_window(
    hubert: Hubert, windows: torch.Tensor, corpus: torch.Tensor
) -> None:
    """One pass over corpus and window together, under the mask that the step stands for."""
    streaming = StreamingHubert(hubert, corpus)
    placed = torch.cat((hubert.place(corpus[None]), hubert.place(windows[:1])), dim=1)
    prefix = streaming.prefix_tokens
    assert prefix == SMALL.tokens_of(16_000) == 49
    mask = torch.zeros(prefix + TOKENS, prefix + TOKENS, dtype=torch.bool)
    mask[:prefix, :prefix] = True
    mask[prefix:] = window_mask(1, TOKENS, prefix, mask.device)
    together = hubert.encoder(placed, mask, None)[0]
    assert torch.allclose(together[:, prefix:], streaming(windows[:1]), atol=1e-5)


def test_the_prefix_changes_every_token_and_depends_on_the_corpus(
    hubert: Hubert, windows: torch.Tensor, corpus: torch.Tensor
) -> None:
    outputs = [StreamingHubert(hubert, c)(windows) for c in (None, corpus, corpus.flip(0))]
    for one, other in ((0, 1), (1, 2)):
        changes = (outputs[one] - outputs[other]).abs().amax(dim=2)
        assert changes.min() > 1e-3
    assert torch.equal(StreamingHubert(hubert, corpus)(windows), outputs[1])


def test_attention_is_causal_within_a_window(
    hubert: Hubert, windows: torch.Tensor, corpus: torch.Tensor
) -> None:
    streaming = StreamingHubert(hubert, corpus)
    placed = hubert.place(windows[:1])
    changed = placed.clone()
    changed[:, 12, ::2] += 1
    mask = window_mask(1, TOKENS, streaming.prefix_tokens, placed.device)
    before, after = (hubert.encoder(x, mask, streaming._prefix())[0] for x in (placed, changed))
    assert torch.equal(before[:, :12], after[:, :12])
    assert (before[:, 12:] - after[:, 12:]).abs().amax(dim=2).min() > 1e-4
