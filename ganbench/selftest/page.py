"""report.html of a self-test: its README as one page that holds its charts."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt
from markupsafe import Markup

from ganbench.report.templates import template

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["page"]


def page(title: str, readme: str, charts: Mapping[str, bytes]) -> str:
    """Write the README as an HTML page that needs no other file.

    Args:
        title: Title of the page.
        readme: Markdown; raw HTML in it is shown as text.
        charts: PNGs, by the paths under which the README links them.
    """
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    body = parser.render(readme)
    for path, png in charts.items():
        data = base64.b64encode(png).decode()
        body = body.replace(f'src="{path}"', f'src="data:image/png;base64,{data}"')
    page = template("selftest", "page.html.jinja")
    return page.render(title=title, body=Markup(body))  # noqa: S704 - raw HTML is off
