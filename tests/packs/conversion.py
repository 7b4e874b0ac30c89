"""A conversion for the tests: the bytes backwards."""

from pathlib import Path


def reverse(source: Path, target: Path) -> None:
    target.write_bytes(source.read_bytes()[::-1])
