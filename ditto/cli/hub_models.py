"""The part of `ditto models` that deals with released weights in a folder."""

from __future__ import annotations

import argparse
from pathlib import Path

from ditto import packs
from ditto.packs import hub
from ditto.packs.manifest import HubSource, Manifest


def describe(manifest: Manifest) -> None:
    """Print a pack's repository and what of it is here; nothing is hashed."""
    if manifest.hub is None:
        return
    folder = hub.default_folder(manifest.hub)
    state = "not pulled"
    if (folder / hub.LISTING).is_file():
        files = hub.read_listing(folder).files
        state = f"{len(files)} files, {sum(file.size for file in files) / 1e9:.2f} GB in {folder}"
    print(f"  {manifest.hub.repository}: {state}; {manifest.hub.license}")


def pull(name: str, options: argparse.Namespace) -> int:
    """Fetch what the folder lacks, and convert the configurations."""
    from ditto.packs.ditto.convert import convert

    source, folder = _source(name), _folder(name, options)
    files = hub.pull(hub.selected(source, options.folder), folder, options.revision)
    print(f"{folder}: {len(files)} files of {source.repository}, all intact")
    convert(folder, "json", options.device, print)
    return 0


def verify(name: str, options: argparse.Namespace) -> int:
    """Hash every listed file; 1 when one is missing or damaged."""
    folder = _folder(name, options)
    found = hub.status(folder)
    wrong = [file for file in found if not file.intact]
    for file in wrong:
        print(f"{file.path}: {'fails its checksum' if file.present else 'missing'}")
    again = f"run `ditto models pull {name} --dir {folder}`"
    print(f"{folder}: {again}" if wrong else f"{folder}: {len(found)} files are intact")
    return 1 if wrong else 0


def generate(name: str, options: argparse.Namespace) -> int:
    """Write the recipe's weights."""
    from ditto.packs.ditto.generate import generate as write

    folder = options.dir or hub.default_folder(_source(name)).with_name("ditto-generated")
    write(folder, print)
    print(f"{folder}: use it with `ditto up --pack {name} --weights {folder}`")
    return 0


def convert(name: str, options: argparse.Namespace) -> int:
    """Make another format of the folder's files."""
    from ditto.packs.ditto.convert import convert as make

    make(_folder(name, options), options.to, options.device, print)
    return 0


def _source(name: str) -> HubSource:
    source = packs.load(name).manifest.hub
    assert source is not None, "only packs with released weights come here"
    return source


def _folder(name: str, options: argparse.Namespace) -> Path:
    folder: Path | None = options.dir
    return folder or hub.default_folder(_source(name))
