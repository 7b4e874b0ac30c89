"""The limits on portraits that a renderer's configuration sets."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from ditto.errors import InvalidInputError
from ditto.serving.stage import StageIdentity
from services.renderer.config import RendererConfig
from services.renderer.portraits import PortraitLibrary


class _NoRenderer:
    """Never asked: what is refused before costs nothing."""

    dump_appearance = load_appearance = prepare = None


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ({"portrait_pixels": 5_999}, "100x60 pixels; allowed: up to 5999"),
        ({"portrait_bytes": 50}, "allowed: up to 50"),
    ],
)
async def test_a_portrait_beyond_the_configured_limit_is_refused(
    limit: dict[str, Any], said: str
) -> None:
    file = io.BytesIO()
    Image.new("RGB", (100, 60)).save(file, "PNG")
    config = RendererConfig(listen="127.0.0.1:1", metrics_listen="127.0.0.1:1", **limit)
    identity = StageIdentity("renderer", "r", "starter", "1", "hash", 25)
    renderer: Any = _NoRenderer()
    library = PortraitLibrary(renderer, identity, config)
    with pytest.raises(InvalidInputError, match=said):
        await library.register(file.getvalue())
    await library.close()
