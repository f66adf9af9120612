"""report.html: the whole report as one page that needs no other file and no network."""

from __future__ import annotations

import base64
import io
import os
from importlib.resources import files
from typing import TYPE_CHECKING
from urllib.parse import quote

from markdown_it import MarkdownIt
from markupsafe import Markup
from PIL import Image

from ganbench.report.charts.vector import colour_variables
from ganbench.report.content import RANKING_NOTE
from ganbench.report.sample_images import first_cells, generated_panel, real_part
from ganbench.report.templates import template

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ganbench.report.charts.all_charts import Drawn
    from ganbench.report.content import Content
    from ganbench.report.moments import Moment
    from ganbench.report.strips import Strip, Strips

__all__ = ["MOST_CHART_BYTES", "page", "relative_link"]

MOST_CHART_BYTES = 1_900_000
"""So many bytes all charts of a page take; beyond, the largest are kept in one width, or as PNG."""
_MOST_DATA_BYTES = 400_000  # of a table that is put into the page for downloading
_GRID_PIXELS = 280  # of the images that a strip shows, before they are enlarged
_MOST_CELLS, _FEWEST_CELLS = 8, 2
_LOSSLESS_BYTES = 30_000
_WEBP_QUALITY = 88


def page(
    content: Content,
    charts: Sequence[Drawn],
    out: Path | None = None,
    tables: Mapping[str, str] | None = None,
) -> str:
    """Write the report as one HTML page that needs no other file and no network.

    Args:
        content: What it says.
        charts: Of all groups.
        out: Where the page is written, for links to the folders of runs; without it there are none.
        tables: Text of the tables for programs, by the names of their files; they are put into the
            page where they are small, and linked where they are not.
    """
    style = _packaged("page.css").replace("/* chart colours */", colour_variables())
    html = template(
        "report",
        "report.html.jinja",
        markdown=_markdown,
        link=lambda path: relative_link(path, out) if out is not None else "",
        picture=_picture,
        png=lambda data: _data_address(data, "image/png"),
        real_picture=_real_picture,
        svg=Markup,  # made by matplotlib, which escapes texts
        table_address=_table_address,
    )
    return html.render(
        content=content,
        charts=_within(charts, MOST_CHART_BYTES),
        ranking_note=RANKING_NOTE,
        tables=tables or {},
        style=Markup(style),  # noqa: S704 - our own file
        script=Markup(_packaged("page.js") + _packaged("page_charts.js")),  # noqa: S704 - our own
    )


def relative_link(path: Path, out: Path) -> str:
    """The address of a file or folder from a page in `out`."""
    return quote(os.path.relpath(path.resolve(), out.resolve()).replace(os.sep, "/"))


def _packaged(name: str) -> str:
    return files("ganbench").joinpath("report", name).read_text(encoding="utf-8")


def _within(charts: Sequence[Drawn], most: int) -> list[tuple[Drawn, str, str]]:
    """Each chart with its two drawings; the largest give up the narrow one, then both for a PNG.

    What a chart frees that becomes a PNG goes to the narrow drawings of the others.
    """
    kept = {place: [chart.wide, chart.narrow] for place, chart in enumerate(charts)}
    by_size = sorted(kept, key=lambda place: -len(charts[place].wide))

    def taken() -> int:
        return sum(len(text) for pair in kept.values() for text in pair)

    for drawing in (1, 0):
        for place in by_size:
            if taken() <= most:
                break
            kept[place][drawing] = ""
    for place in reversed(by_size):
        wide, narrow = kept[place]
        if wide and not narrow and taken() + len(charts[place].narrow) <= most:
            kept[place][1] = charts[place].narrow
    return [(chart, *kept[place]) for place, chart in enumerate(charts)]  # type: ignore[misc]  # pairs have two


def _data_address(data: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def _table_address(name: str, text: str) -> str:
    """Where a table is downloaded from: out of the page itself if it is small."""
    encoded = text.encode(errors="backslashreplace")
    return name if len(encoded) > _MOST_DATA_BYTES else _data_address(encoded, "text/csv")


def _picture(moment: Moment, strip: Strip) -> str:
    """The images of one moment as a data URI, pixel by pixel; an unreadable picture is left out."""
    try:
        with Image.open(moment.path) as image:
            part = generated_panel(image) if strip.is_points else _cells(image, strip)
    except Exception:  # noqa: BLE001 - whatever a damaged picture makes its decoder raise
        return ""
    return _encoded(part)


def _real_picture(strips: Strips) -> str:
    """Real samples, as many as the strips show of generated ones; empty where there are none."""
    if strips.real is None:
        return ""
    path, strip = strips.real
    try:
        with Image.open(path) as image, Image.open(strip.moments[-1].path) as grid:
            real = real_part(image, None if strip.is_points else grid.size)
            part = real if strip.is_points else _cells(real, strip)
    except Exception:  # noqa: BLE001 - whatever a damaged picture makes its decoder raise
        return ""
    return _encoded(part)


def _cells(image: Image.Image, strip: Strip) -> Image.Image:
    """As many images of a grid as a strip has room for."""
    size = strip.image_size
    fitting = _GRID_PIXELS // (size + 2) if size else _MOST_CELLS
    return first_cells(image, size, max(_FEWEST_CELLS, min(_MOST_CELLS, fitting)))


def _encoded(image: Image.Image) -> str:
    """Without loss if that is small, since the page enlarges single pixels."""
    picture = image.convert("RGB")
    picture.thumbnail((2 * _GRID_PIXELS, 2 * _GRID_PIXELS))
    for options in ({"lossless": True}, {"quality": _WEBP_QUALITY}):
        file = io.BytesIO()
        picture.save(file, format="webp", method=4, **options)
        if file.tell() <= _LOSSLESS_BYTES:
            break
    return _data_address(file.getvalue(), "image/webp")


def _markdown(text: str) -> Markup:
    """Hand-written Markdown as HTML; raw HTML is shown as text, and images are left out."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    return Markup(parser.render(text))  # noqa: S704 - raw HTML is off
