"""README.md of a results folder."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined

from ganbench.report.content import RANKING_NOTE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ganbench.report.charts import Drawn
    from ganbench.report.content import Content

__all__ = ["readme"]


def readme(content: Content, charts: Sequence[Drawn], out: Path) -> str:
    """Write the report as Markdown, with pictures by their paths relative to `out`."""
    environment = Environment(
        loader=PackageLoader("ganbench", "report"),
        undefined=StrictUndefined,
        trim_blocks=False,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - Markdown, not HTML
    )
    environment.filters["cell"] = _cell
    environment.filters["link"] = lambda path: _link(path, out)
    template = environment.get_template("readme.md.jinja")
    return template.render(content=content, charts=charts, ranking_note=RANKING_NOTE)


def _cell(text: str) -> str:
    """A text that does not end its cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")


def _link(path: Path, out: Path) -> str:
    return quote(os.path.relpath(path.resolve(), out.resolve()).replace(os.sep, "/"))
