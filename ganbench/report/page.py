"""report.html: the whole report in one file, pictures included, without anything from outside."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup
from PIL import Image

from ganbench.report.content import RANKING_NOTE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ganbench.report.charts import Drawn
    from ganbench.report.content import Content

__all__ = ["page"]

_SAMPLE_PIXELS = 1100
_WEBP_QUALITY = 85


def page(content: Content, charts: Sequence[Drawn]) -> str:
    """Write the report as one HTML page that needs no other file and no network."""
    environment = Environment(
        loader=PackageLoader("ganbench", "report"),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["embedded"] = _embedded
    environment.filters["embedded_image"] = _embedded_image
    environment.filters["markdown"] = _markdown
    return environment.get_template("report.html.jinja").render(
        content=content, charts=charts, ranking_note=RANKING_NOTE
    )


def _embedded(data: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def _embedded_image(path: Path) -> str:
    """An image of samples as a data URI, no wider than the page; an unreadable one is left out."""
    small = io.BytesIO()
    try:
        with Image.open(path) as image:
            picture = image.convert("RGB")
    except OSError:
        return ""
    picture.thumbnail((_SAMPLE_PIXELS, _SAMPLE_PIXELS))
    picture.save(small, format="webp", quality=_WEBP_QUALITY, method=4)
    return _embedded(small.getvalue(), "image/webp")


def _markdown(text: str) -> Markup:
    """Hand-written Markdown as HTML; raw HTML is shown as text, and images are left out."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    return Markup(parser.render(text))  # noqa: S704 - raw HTML is off
