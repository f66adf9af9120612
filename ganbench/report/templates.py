"""Loading the templates of Markdown and HTML pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

if TYPE_CHECKING:
    from jinja2 import Template

__all__ = ["template"]


def template(room: str, name: str, **filters: object) -> Template:
    """Load a template; one with `.html` in its name escapes what is put into it.

    Args:
        room: The room of ganbench that holds it, for example `"report"`.
        name: Name of its file.
        filters: Filters, by the names that the template uses.
    """
    is_html = ".html" in name
    environment = Environment(
        loader=PackageLoader("ganbench", room),
        undefined=StrictUndefined,
        autoescape=is_html,  # noqa: S701 - Markdown has escapes of its own
        trim_blocks=is_html,
        lstrip_blocks=is_html,
        keep_trailing_newline=not is_html,
    )
    environment.filters.update(filters)
    return environment.get_template(name)
