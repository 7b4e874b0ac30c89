"""Sentences to speak: endless, phonetically rich, made from our own word lists (`words.yaml`)."""

from __future__ import annotations

import random
from functools import cache
from importlib.resources import files
from typing import Any

import yaml


@cache
def _words() -> dict[str, Any]:
    text = files(__package__).joinpath("words.yaml").read_text("utf-8")
    return dict(yaml.safe_load(text))


def languages() -> tuple[str, ...]:
    """espeak-ng's names of the languages besides English."""
    return tuple(_words()["foreign"])


def english(rng: random.Random) -> str:
    """One English sentence of 3 to 20 words, or 4 to 10 words in any order."""
    kind = rng.random()
    if kind < 0.15:
        return str(rng.choice(_words()["phrases"]))
    if kind < 0.3:
        return " ".join(rng.choice(words) for words in _words()["commands"]) + "."
    if kind < 0.6:
        return " ".join(rng.choices(_words()["plain"].split(), k=rng.randint(4, 10))) + "."
    clause = _clause(rng)
    if rng.random() < 0.7:
        clause += f" {rng.choice(_words()['tails'])}"
    if rng.random() < 0.3:
        joint = rng.choice((", but", ", and", ", so", " while"))
        clause += f"{joint} {_clause(rng)}"
    return clause[0].upper() + clause[1:] + rng.choice("..?!")


def foreign(language: str, rng: random.Random) -> str:
    """4 to 10 words of another language in any order: its sounds, not its grammar."""
    words = _words()["foreign"][language].split()
    return " ".join(rng.choices(words, k=rng.randint(4, 10))) + "."


def _clause(rng: random.Random) -> str:
    return " ".join(rng.choice(_words()[part]) for part in ("people", "verbs", "things"))
