"""README.md of a sweep's folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ganbench.report.facts import software_line
from ganbench.report.markdown import cell, code, literal
from ganbench.report.templates import template
from ganbench.throughput.table import HEADS, cells_of, prefixed
from ganbench.visible import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ganbench.throughput.curve import Row

__all__ = ["readme"]


def readme(rows: Sequence[Row], document: dict[str, Any], *, has_chart: bool) -> str:
    """Write the sweep as Markdown: conditions, chart, table, and how to read them.

    Args:
        rows: The points beside their limits.
        document: As throughput.json holds it.
        has_chart: Whether charts/throughput.png was written.
    """
    page = template(
        "throughput",
        "readme.md.jinja",
        cell=lambda text: cell(visible(text)),
        code=lambda text: code(visible(text)),
        literal=lambda text: literal(visible(text)),
        cells=cells_of,
        prefixed=prefixed,
    )
    values = {**document, "knee_share": f"{document['knee_share']:.0%}"}
    return page.render(
        **values,
        rows=rows,
        heads=HEADS,
        has_chart=has_chart,
        software=software_line([document["environment"]]),
        unmeasured=[row.point for row in rows if row.point.status not in ("ok", "skipped")],
    )
