"""Writing a report: everything from the files, in one go."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ganbench.errors import UsageError
from ganbench.report.charts import CHARTS, draw_all
from ganbench.report.content import content_of
from ganbench.report.gather import gather
from ganbench.report.page import page
from ganbench.report.ranking import ranking_csv
from ganbench.report.readme import readme
from ganbench.report.tables import runs_csv, summary_csv
from ganbench.store import write_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ganbench.report.charts import Drawn

__all__ = ["write_report"]


def write_report(directories: Sequence[Path], out: Path | None) -> Path:
    """Do what `ganbench.report.build` says."""
    folders = [Path(directory) for directory in directories]
    if out is None and len(folders) > 1:
        raise UsageError("several folders are joined into a new one: say where with --out")
    results = gather(folders)
    target = Path(out) if out is not None else folders[0]
    try:
        write_text(target / "runs.csv", runs_csv(results))
        write_text(target / "summary.csv", summary_csv(results))
        _write_or_remove(target / "ranking.csv", ranking_csv(results))
        charts, content = draw_all(results), content_of(results)
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
    folder.mkdir(parents=True, exist_ok=True)
    for chart in charts:
        (folder / chart.file).write_bytes(chart.png)
    written = {chart.file for chart in charts}
    for kind in CHARTS:
        for file in folder.glob(f"{kind.name}-*.png"):
            if file.name not in written:
                file.unlink()
