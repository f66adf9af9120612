"""Facts of a run as rows and as a table of Markdown, for trackers that show text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganbench.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    from ganbench.trackers.tracker import TrackedRun

__all__ = ["environment_rows", "markdown_table"]


def environment_rows(run: TrackedRun) -> list[tuple[str, str]]:
    """The environment of a run by dotted names, as text: `versions.torch`, `threads`."""
    return [(name, str(value)) for name, value in _flat(run.environment)]


def _flat(values: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        elif value is not None:
            yield f"{before}{name}", value


def markdown_table(rows: Iterable[tuple[str, object]]) -> str:
    """A table of two columns without a heading; rows without a value are left out."""
    lines = [f"| {_cell(name)} | {_cell(value)} |" for name, value in rows if value != ""]
    return "\n".join(["| | |", "|---|---|", *lines])


def _cell(value: object) -> str:
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return visible(text).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
