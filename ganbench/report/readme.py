"""Writing a report: tables, charts, README.md and report.html."""

from __future__ import annotations

import base64
import io
import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from markdown_it import MarkdownIt
from markupsafe import Markup
from PIL import Image

from ganbench.errors import UsageError
from ganbench.experiment.store import write_bytes, write_text
from ganbench.report.charts.all_charts import CHARTS, draw_all
from ganbench.report.comparison.families import PRIMARY, check_primary
from ganbench.report.comparison.ranking import ranking_csv
from ganbench.report.content import RANKING_NOTE, content_of
from ganbench.report.damaged import with_damaged_tables
from ganbench.report.gather import gather
from ganbench.report.markdown import cell, code, literal
from ganbench.report.references import references_csv
from ganbench.report.tables import runs_csv, summary_csv
from ganbench.report.templates import template

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ganbench.report.charts.all_charts import Drawn
    from ganbench.report.content import Content
    from ganbench.report.gather import Results

__all__ = ["page", "readme", "write_report", "write_results"]

_SAMPLE_PIXELS = 1100
_WEBP_QUALITY = 85


def write_report(
    directories: Sequence[Path],
    out: Path | None,
    primary: str = PRIMARY,
    report: Callable[[str, int, int], None] = lambda _text, _done, _total: None,
) -> Path:
    """Write all files of a report, as `ganbench.report.build` describes."""
    folders = [Path(directory) for directory in directories]
    if out is None and len(folders) > 1:
        raise UsageError("several folders are joined into a new one: say where with --out")
    results = with_damaged_tables(gather(folders))
    target = Path(out) if out is not None else folders[0]
    return write_results(results, target, primary, report)


def write_results(
    results: Results,
    target: Path,
    primary: str = PRIMARY,
    report: Callable[[str, int, int], None] = lambda _text, _done, _total: None,
) -> Path:
    """Write all files of a report of what was read before, and return their folder.

    Raises:
        UsageError: No run has the primary score, or the folder cannot be written.
    """
    check_primary(primary, results.records)
    try:
        write_text(target / "runs.csv", runs_csv(results))
        write_text(target / "summary.csv", summary_csv(results))
        _write_or_remove(target / "ranking.csv", ranking_csv(results, primary))
        _write_or_remove(target / "references.csv", references_csv(results))
        charts, content = draw_all(results, primary, report), content_of(results, primary)
        _write_charts(target / "charts", charts)
        write_text(target / "README.md", readme(content, charts, target))
        write_text(target / "report.html", page(content, charts))
    except OSError as error:
        raise UsageError(
            f"the report cannot be written to {target}: {error.strerror or error}; "
            "give a writable folder with --out"
        ) from error
    return target


def _write_or_remove(path: Path, text: str | None) -> None:
    """Write a file, or remove that of an earlier report where there is nothing to write."""
    if text is None:
        path.unlink(missing_ok=True)
    else:
        write_text(path, text)


def _write_charts(folder: Path, charts: Sequence[Drawn]) -> None:
    """Write the charts, and remove those of an earlier report that are not drawn any more."""
    if folder.is_symlink():
        raise UsageError(
            f"{folder} is a link to another folder, in which nothing is written or removed: "
            "remove the link, or give another folder with --out"
        )
    folder.mkdir(parents=True, exist_ok=True)
    for chart in charts:
        write_bytes(folder / chart.file, chart.png)  # replaces a link instead of following it
    written = {chart.file for chart in charts}
    for kind in CHARTS:
        for file in folder.glob(f"{kind.name}-*.png"):
            if file.name not in written:
                file.unlink()


# --- README.md


def readme(content: Content, charts: Sequence[Drawn], out: Path) -> str:
    """Write the report as Markdown, with pictures by their paths relative to `out`."""
    page = template(
        "report",
        "readme.md.jinja",
        cell=cell,
        code=code,
        literal=literal,
        link=lambda path: _link(path, out),
    )
    return page.render(content=content, charts=charts, ranking_note=RANKING_NOTE)


def _link(path: Path, out: Path) -> str:
    return quote(os.path.relpath(path.resolve(), out.resolve()).replace(os.sep, "/"))


# --- report.html


def page(content: Content, charts: Sequence[Drawn]) -> str:
    """Write the report as one HTML page that needs no other file and no network."""
    html = template(
        "report",
        "report.html.jinja",
        embedded=_embedded,
        embedded_image=_embedded_image,
        markdown=_markdown,
    )
    return html.render(content=content, charts=charts, ranking_note=RANKING_NOTE)


def _embedded(data: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def _embedded_image(path: Path) -> str:
    """An image of samples as a data URI, no wider than the page; an unreadable one is left out."""
    small = io.BytesIO()
    try:
        with Image.open(path) as image:
            picture = image.convert("RGB")
    except Exception:  # noqa: BLE001 - whatever a damaged picture makes its decoder raise
        return ""
    picture.thumbnail((_SAMPLE_PIXELS, _SAMPLE_PIXELS))
    picture.save(small, format="webp", quality=_WEBP_QUALITY, method=4)
    return _embedded(small.getvalue(), "image/webp")


def _markdown(text: str) -> Markup:
    """Hand-written Markdown as HTML; raw HTML is shown as text, and images are left out."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    return Markup(parser.render(text))  # noqa: S704 - raw HTML is off
