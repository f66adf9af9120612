"""The folder of a self-test: tables, charts and README."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from ganbench.errors import UsageError
from ganbench.experiment.store import write_text
from ganbench.machine.whole_files import write_whole
from ganbench.report.charts.style import LIGHT, ChartStyle, draw, encode
from ganbench.report.markdown import code, literal
from ganbench.report.templates import template
from ganbench.selftest import charts
from ganbench.selftest.page import page
from ganbench.selftest.text import OutcomeText
from ganbench.visible import visible

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from matplotlib.figure import Figure

    from ganbench.selftest.outcome import Outcome, Verdict

__all__ = ["RECORD_FILE", "publish", "verdicts_csv"]

RECORD_FILE = "selftest.json"
_SANITY_FILE = "sanity.csv"
_NOTES_FILE = "notes.md"
_CHARTS = {"charts/answers.png": charts.heat_map, "charts/responses.png": charts.responses}


def publish(outcome: Outcome, folder: Path) -> None:
    """Write everything into a folder; what an earlier self-test left there is replaced.

    Raises:
        UsageError: The folder cannot be written.
    """
    try:
        write_text(folder / RECORD_FILE, json.dumps(outcome.record, indent=1) + "\n")
        responses = outcome.responses.to_csv(index=False, lineterminator="\n")
        write_text(folder / "responses.csv", responses)
        write_text(folder / "verdicts.csv", verdicts_csv(outcome))
        if outcome.sanity is None:
            (folder / _SANITY_FILE).unlink(missing_ok=True)
        else:
            write_text(folder / _SANITY_FILE, outcome.sanity.csv())
        (folder / "charts").mkdir(exist_ok=True)
        drawn = {name: _drawn(chart, outcome) for name, chart in _CHARTS.items()}
        for name, png in drawn.items():
            write_whole(folder / name, png)
        notes = folder / _NOTES_FILE
        is_own = notes.is_file() and not notes.is_symlink()  # a link may lead to a private file
        findings = notes.read_text(encoding="utf-8").strip() if is_own else ""
        readme = _readme(outcome, findings)
        write_text(folder / "README.md", readme)
        write_text(folder / "report.html", page(str(outcome.record["title"]), readme, drawn))
    except OSError as error:
        raise UsageError(
            f"the self-test cannot be written to {folder}: {error.strerror or error}; "
            "give a writable folder with --out"
        ) from error


def verdicts_csv(outcome: Outcome) -> str:
    """One row per metric and fault; its verdict is that at the strongest strength.

    `strength` is that strongest strength. `standardised` is in standard deviations of the control,
    positive where the metric got worse. `sees_from` is the weakest strength from which on the
    metric sees the fault, `misled_at` lists those at which it got better; both may be empty.
    """
    rows = [_row(verdict) for verdict in outcome.verdicts]
    return str(pd.DataFrame(rows, dtype=object).to_csv(index=False, lineterminator="\n"))


def _row(verdict: Verdict) -> dict[str, object]:
    last, seen = verdict.answers[-1], verdict.sees_from
    return {
        "metric": verdict.metric.name,
        "better": verdict.metric.direction,
        "generator": verdict.fault,
        "verdict": verdict.detection,
        "strength": last.strength,
        "mean": last.mean,
        "control_mean": verdict.control,
        "control_std": verdict.deviation,
        "standardised": last.standardised,
        "sees_from": None if seen is None else seen.strength,
        "misled_at": " ".join(f"{answer.strength:g}" for answer in verdict.misled_at),
    }


def _drawn(chart: Callable[[Outcome, ChartStyle], Figure], outcome: Outcome) -> bytes:
    """A chart as a PNG that keeps the colours of small marks."""
    image = draw(partial(chart, outcome), ChartStyle(LIGHT, ()))
    return b"" if image is None else encode(image, "exact")


def _readme(outcome: Outcome, notes: str) -> str:
    page = template(
        "selftest",
        "readme.md.jinja",
        literal=lambda text: literal(visible(text)),
        code=lambda text: code(visible(text)),
    )
    return page.render(outcome=outcome, text=OutcomeText(outcome), notes=notes)
