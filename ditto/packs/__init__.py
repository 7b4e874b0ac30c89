"""Model packs: their manifests, the cache of their assets, and loading by name."""

from ditto.packs.inventory import AssetStatus, pull, status, verify
from ditto.packs.pack import Pack, load, names

__all__ = ["AssetStatus", "Pack", "load", "names", "pull", "status", "verify"]
