"""A comparison that has been run, as data frames, charts and a table for notebooks."""

from __future__ import annotations

import io
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from ganbench.api.arguments import path
from ganbench.api.panels import Panels
from ganbench.errors import UsageError, unknown
from ganbench.report import columns
from ganbench.report.charts.all_charts import CHARTS
from ganbench.report.charts.style import LIGHT, ChartStyle
from ganbench.report.comparison.families import PRIMARY
from ganbench.report.comparison.ranking import ranking_csv
from ganbench.report.damaged import with_damaged_tables
from ganbench.report.formatting import share_of, shown, spread
from ganbench.report.gather import gather
from ganbench.report.recorded import read_history, read_scores
from ganbench.report.references import references_csv
from ganbench.report.tables import summary_csv

if TYPE_CHECKING:
    from collections.abc import Callable

    from ganbench.report.gather import Results
    from ganbench.report.groups import Group

__all__ = ["Comparison", "load"]

_SHOWN = ("images_per_second", *columns.MAIN)


class Comparison:
    """One or several results folders, read.

    Args:
        folders: Results folders, as `ganbench run` writes them.

    Raises:
        UsageError: A folder holds no finished run, or cannot be read.
    """

    def __init__(self, *folders: str | Path) -> None:
        self.folders = tuple(path("folders", folder) for folder in folders)
        self._results: Results = with_damaged_tables(gather(self.folders))

    def __repr__(self) -> str:
        names = ", ".join(map(str, self.folders))
        return f"<Comparison of {len(self._results.entries)} runs in {names}>"

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out because it is damaged or there twice, in sentences."""
        return self._results.notes

    @property
    def variants(self) -> list[str]:
        """The rows of the tables, each once."""
        return list(self._results.labels)

    @property
    def groups(self) -> list[str]:
        """Titles of the groups of runs that may share a table: one dataset, device, protocol."""
        return [group.title for group in self._results.groups]

    @cached_property
    def runs(self) -> pd.DataFrame:
        """One row per run, with the columns of runs.csv; what does not apply is missing."""
        records = self._results.records
        names = columns.run_columns(records)
        rows = [[columns.value(record, name) for name in names] for record in records]
        return pd.DataFrame(rows, columns=names).infer_objects()

    @cached_property
    def summary(self) -> pd.DataFrame:
        """One row per variant, dataset, device and protocol: means, spreads and 95% intervals."""
        return _frame(summary_csv(self._results))

    @cached_property
    def ranking(self) -> pd.DataFrame:
        """One row per pair of variants and score; empty where no variant has a second seed."""
        return _frame(ranking_csv(self._results, PRIMARY))

    @cached_property
    def references(self) -> pd.DataFrame:
        """What held-out real images, an untrained generator and noise score."""
        return _frame(references_csv(self._results))

    @cached_property
    def history(self) -> pd.DataFrame:
        """Losses and the discriminator's outputs: one row per run and recorded step."""
        return self._of_runs("history", read_history)

    @cached_property
    def scores_over_training(self) -> pd.DataFrame:
        """One row per run and evaluation during training; empty where none was asked for."""
        return self._of_runs("scores", read_scores)

    def _of_runs(self, file: str, read: Callable[[Path], pd.DataFrame | None]) -> pd.DataFrame:
        frames = []
        for entry in self._results.entries:
            frame = read(getattr(entry.run, file))
            if frame is not None:
                keys: dict[str, str | int] = {
                    "variant": entry.label,
                    "seed": entry.result.seed,
                    "run_id": entry.result.run_id,
                }
                frames.append(frame.assign(**keys)[[*keys, *frame.columns]])
        empty = pd.DataFrame(columns=["variant", "seed", "run_id", "step"])
        return pd.concat(frames, ignore_index=True) if frames else empty

    # --- Charts

    def plot(self, name: str, group: str | None = None) -> Panels:
        """Draw a chart of the report.

        Args:
            name: `quality`, `tradeoff`, `throughput`, `over-training`, `phases`, `losses`,
                `scalars`, `classes` or `samples`.
            group: Title of a group, of `groups`; the first if left out.

        Returns:
            The chart's axes, a list that Jupyter shows as the picture; `figure` is their figure.

        Raises:
            UsageError: There is no such chart or group, or the runs hold nothing for it.
        """
        charts = {chart.name: chart for chart in CHARTS}
        if name not in charts:
            raise unknown("chart", name, charts)
        chosen = self._group(group)
        style = ChartStyle(LIGHT, tuple(self._results.labels))
        with style.applied():
            figure = charts[name].draw(chosen, style)
        if figure is None:
            raise UsageError(f"the runs on {chosen.title} hold nothing for the chart {name!r}")
        return Panels(figure, style, has_images=charts[name].has_images)

    def plot_quality(self, group: str | None = None) -> Panels:
        """Scores of quality and diversity by variant; as `plot`."""
        return self.plot("quality", group)

    def plot_tradeoff(self, group: str | None = None) -> Panels:
        """FID against training speed; as `plot`."""
        return self.plot("tradeoff", group)

    def plot_throughput(self, group: str | None = None) -> Panels:
        """Images per second by variant; as `plot`."""
        return self.plot("throughput", group)

    def plot_over_training(self, group: str | None = None) -> Panels:
        """Scores against images, steps and seconds of training; as `plot`."""
        return self.plot("over-training", group)

    def plot_losses(self, group: str | None = None) -> Panels:
        """Losses and the discriminator's outputs over the steps; as `plot`."""
        return self.plot("losses", group)

    def plot_classes(self, group: str | None = None) -> Panels:
        """Share of each class among generated and real images; as `plot`."""
        return self.plot("classes", group)

    def plot_samples(self, group: str | None = None) -> Panels:
        """Samples of the same latents as training goes on; as `plot`."""
        return self.plot("samples", group)

    def _group(self, title: str | None) -> Group:
        groups = self._results.groups
        if title is None:
            return groups[0]
        by_title = {group.title: group for group in groups}
        if title not in by_title:
            raise unknown("group", title, by_title)
        return by_title[title]

    # --- Notebooks

    def _repr_html_(self) -> str:
        """The main scores by variant, as Jupyter shows them."""
        return "".join(
            f"<h4>{_escaped(group.title)}</h4>{_main_table(group).to_html(escape=True)}"
            for group in self._results.groups
        )


def load(*folders: str | Path) -> Comparison:
    """Read one or several results folders of `ganbench run`.

    Args:
        folders: Results folders; runs that are in two of them count once.

    Raises:
        UsageError: None was given, or one holds no finished run or cannot be read.
    """
    return Comparison(*folders)


def _frame(csv: str | None) -> pd.DataFrame:
    return pd.DataFrame() if csv is None else pd.read_csv(io.StringIO(csv))


def _main_table(group: Group) -> pd.DataFrame:
    """Means over seeds of speed and the main scores, as texts."""
    table: dict[str, list[str]] = {}
    for name in group.present(_SHOWN):
        column = columns.column(name)
        cells = []
        for label in group.all_labels:
            estimate = group.estimate(label, name)
            if estimate is None:
                cells.append("")
            elif name == "modes_covered":
                cells.append(share_of(estimate.mean, group.modes_total))
            else:
                cells.append(f"{shown(estimate.mean, column)} {spread(estimate, column)}".strip())
        table[f"{column.heading(group.backbone)} {column.arrow}".strip()] = cells
    return pd.DataFrame(table, index=group.all_labels)


def _escaped(text: str) -> str:
    from markupsafe import escape

    return str(escape(text))
