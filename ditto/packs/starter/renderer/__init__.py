"""The starter pack's renderer: fields on the face mesh, a dense warp, painted mouth and lids."""

from ditto.packs.starter.renderer.starter_renderer import StarterRenderer

__all__ = ["StarterRenderer"]
