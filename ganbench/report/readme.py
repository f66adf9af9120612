"""Writing a report: tables, charts, README.md and report.html."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ganbench.errors import UsageError
from ganbench.experiment.store import write_bytes, write_text
from ganbench.report.charts.all_charts import BEST_OVER_TRIALS, CHARTS, draw_all
from ganbench.report.charts.vector import VECTOR_FORMATS
from ganbench.report.comparison.families import PRIMARY, check_primary
from ganbench.report.comparison.ranking import ranking_csv
from ganbench.report.content import RANKING_NOTE, content_of
from ganbench.report.damaged import with_damaged_tables
from ganbench.report.gather import gather
from ganbench.report.latex import latex
from ganbench.report.markdown import cell, code, literal
from ganbench.report.page import page, relative_link
from ganbench.report.references import references_csv
from ganbench.report.scale import quoted
from ganbench.report.tables import runs_csv, summary_csv
from ganbench.report.templates import template
from ganbench.report.tunings import curve_csv, shown_tunings, trials_csv

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ganbench.report.charts.all_charts import Drawn, Over
    from ganbench.report.content import Content
    from ganbench.report.gather import Results

__all__ = ["page", "readme", "remove_report", "write_report", "write_results"]

_FILES = (
    "runs.csv", "summary.csv", "ranking.csv", "references.csv", "trials.csv",
    "best_over_trials.csv", "summary.tex", "README.md", "report.html",
)  # fmt: skip


def write_report(
    directories: Sequence[Path],
    out: Path | None,
    primary: str | None = None,
    report: Callable[[str, int, int], None] = lambda _text, _done, _total: None,
    over: Over = map,
) -> Path:
    """Write all files of a report, as `ganbench.report.build` describes."""
    folders = [Path(directory) for directory in directories]
    if out is None and len(folders) > 1:
        raise UsageError("several folders are joined into a new one: say where with --out")
    results = with_damaged_tables(gather(folders))
    target = Path(out) if out is not None else folders[0]
    return write_results(results, target, primary, report=report, over=over)


def write_results(
    results: Results,
    target: Path,
    primary: str | None = None,
    formats: Sequence[str] = (),
    report: Callable[[str, int, int], None] = lambda _text, _done, _total: None,
    over: Over = map,
) -> Path:
    """Write all files of a report of what was read before, and return their folder.

    Args:
        results: The runs.
        target: The folder.
        primary: The score that is tested by itself; None for the one by which seeds were added as
            needed, else FID.
        formats: Of charts for papers, besides PNG: `svg` and `pdf`.
        report: Called with what is done, how much of it, and of how much.
        over: `map`, or what does the same in several processes, in which charts are drawn.

    Raises:
        UsageError: No run has the primary score, or the folder cannot be written.
    """
    primary = primary or results.planned_primary or PRIMARY
    check_primary(primary, results.records)
    try:
        tables = {
            "runs.csv": runs_csv(results),
            "summary.csv": summary_csv(results),
            "ranking.csv": ranking_csv(results, primary),
            "references.csv": references_csv(results),
            "trials.csv": trials_csv(shown_tunings(results)),
            "best_over_trials.csv": curve_csv(shown_tunings(results)),
        }
        for name, text in tables.items():
            _write_or_remove(target / name, text)
        charts = draw_all(results, primary, formats, report, over)
        content = content_of(results, primary)
        _write_charts(target / "charts", charts)
        write_text(target / "summary.tex", latex(content))
        write_text(target / "README.md", readme(content, charts, target))
        shown = {name: text for name, text in tables.items() if text is not None}
        write_text(target / "report.html", page(content, charts, target, shown))
    except OSError as error:
        raise UsageError(
            f"the report cannot be written to {target}: {error.strerror or error}; "
            "give a writable folder with --out"
        ) from error
    return target


def remove_report(target: Path) -> None:
    """Remove all files that `write_results` may have written, as `ganbench.report.remove` does."""
    charts = target / "charts"
    try:
        for name in _FILES:
            (target / name).unlink(missing_ok=True)
        if charts.is_dir() and not charts.is_symlink():
            _write_charts(charts, [])
            if not any(charts.iterdir()):
                charts.rmdir()
    except OSError as error:
        raise UsageError(
            f"the report in {target} cannot be removed for --fresh: {error.strerror or error}"
        ) from error


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
        # Replaces a link instead of following it
        write_bytes(folder / chart.file, chart.png)
        for ending, data in chart.vectors:
            write_bytes(folder / _vector_file(chart, ending), data)
    written = {chart.file for chart in charts}
    written |= {_vector_file(chart, ending) for chart in charts for ending, _ in chart.vectors}
    for kind in (*CHARTS, BEST_OVER_TRIALS):
        for ending in ("png", *VECTOR_FORMATS):
            for file in folder.glob(f"{kind.name}-*.{ending}"):
                if file.name not in written:
                    file.unlink()


def _vector_file(chart: Drawn, ending: str) -> str:
    return f"{Path(chart.file).stem}.{ending}"


# --- README.md


def readme(content: Content, charts: Sequence[Drawn], out: Path) -> str:
    """Write the report as Markdown, with pictures by their paths relative to `out`."""
    page = template(
        "report",
        "readme.md.jinja",
        cell=cell,
        code=code,
        literal=literal,
        quoted=quoted,
        link=lambda path: relative_link(path, out),
    )
    return page.render(content=content, charts=charts, ranking_note=RANKING_NOTE)
