"""The content of README.md and report.html, as plain records for templates."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ganbench.report import columns
from ganbench.report.comparison.ranking import Ranking, rankings_of
from ganbench.report.facts import facts_of
from ganbench.report.formatting import interval, number, share_of, shown, spread
from ganbench.report.over_training import over_training_tables
from ganbench.report.tables import Cell, Table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ganbench.report.facts import Fact
    from ganbench.report.gather import Results
    from ganbench.report.groups import Entry, Group

__all__ = ["RANKING_NOTE", "Cell", "Content", "Failure", "Sample", "Section", "Table", "content_of"]


RANKING_NOTE = (
    "Pairs are compared seed by seed. A pair is resolved where the p-value, corrected by Holm's "
    "method for the number of pairs, is below 0.05; intervals are not corrected. The smallest "
    "detectable difference is the true difference that this number of seeds finds in four of five "
    "cases."
)


@dataclass(frozen=True)
class Sample:
    """An image of one variant's samples."""

    label: str
    caption: str
    path: Path


@dataclass(frozen=True)
class Failure:
    """A run that did not complete."""

    label: str
    dataset: str
    seed: int
    status: str
    reason: str
    run_id: str


@dataclass(frozen=True)
class Section:
    """All on one group of runs."""

    title: str
    slug: str
    protocol: str
    protocol_hash: str
    reading_note: str
    cautions: tuple[str, ...]
    tables: tuple[Table, ...]
    rankings: tuple[Ranking, ...]
    samples: tuple[Sample, ...]


@dataclass(frozen=True)
class Content:
    """The whole report, its charts apart."""

    title: str
    facts: tuple[Fact, ...]
    notes: str
    sections: tuple[Section, ...]
    failures: tuple[Failure, ...]
    legend: tuple[columns.Column, ...]

    @property
    def has_ranking(self) -> bool:
        """Whether seeds were repeated, so that pairs could be compared."""
        return any(section.rankings for section in self.sections)


def content_of(results: Results) -> Content:
    """Collect what is said about these results."""
    records = results.records
    main = [name for name in columns.MAIN if _is_present(results, name)]
    further = [name for name in columns.further_scores(records) if _is_present(results, name)]
    timed = (*columns.SPEED, *columns.PHASES, *columns.OUTSIDE)
    speed = [name for name in timed if _is_present(results, name)]
    over_training = [name for name in columns.OVER_TRAINING_SHOWN if _is_present(results, name)]
    return Content(
        title=_title(results),
        facts=tuple(fact for source in results.sources for fact in facts_of(results, source)),
        notes="\n\n".join(
            source.notes.strip() for source in results.sources if source.notes.strip()
        ),
        sections=tuple(_section(group, further) for group in results.groups),
        failures=tuple(_failure(entry) for entry in results.unfinished),
        legend=tuple(columns.column(name) for name in (*main, *further, *speed, *over_training)),
    )


def _is_present(results: Results, name: str) -> bool:
    return any(group.present([name]) for group in results.groups)


def _title(results: Results) -> str:
    titles = [str(source.plan.get("title") or source.path.name) for source in results.sources]
    return " + ".join(dict.fromkeys(titles)) or "Results"


def _section(group: Group, further: Sequence[str]) -> Section:
    tables = (
        _table(group, "Quality and diversity", columns.MAIN),
        _table(group, "Further scores", further),
        _table(group, "Speed and cost", (*columns.SPEED, *columns.SIZE)),
        _table(group, "Phases of a step", columns.PHASES),
        _table(group, "Outside the training clock", columns.OUTSIDE),
    )
    return Section(
        title=group.title,
        slug=group.slug,
        protocol=_protocol(group),
        protocol_hash=group.protocol,
        reading_note=f"{_seeds_note(group)} {_budget_note(group)}".strip(),
        cautions=_cautions(group),
        tables=(*(table for table in tables if table is not None), *over_training_tables(group)),
        rankings=tuple(rankings_of(group)),
        samples=tuple(sample for label in group.labels for sample in _samples(group, label)),
    )


def _table(group: Group, caption: str, names: Sequence[str]) -> Table | None:
    shown_names = group.present(names)
    if not shown_names:
        return None
    shown_columns = [columns.column(name) for name in shown_names]
    heads = [f"{column.heading(group.backbone)} {column.arrow}".strip() for column in shown_columns]
    rows = [
        (
            label,
            len(group.of(label)),
            sum(entry.label == label for entry in group.entries),
            tuple(_cell(group, label, column) for column in shown_columns),
        )
        for label in group.labels
    ]
    note = group.timing_note if set(shown_names) & set(columns.TIMED) else ""
    return Table(caption, tuple(heads), tuple(rows), note)


def _cell(group: Group, label: str, column: columns.Column) -> Cell:
    estimate = group.estimate(label, column.name)
    if estimate is None:
        return Cell()
    text = shown(estimate.mean, column)
    if column.name.startswith("modes_covered"):
        text = share_of(estimate.mean, group.modes_total)
    if group.is_shared(label, column.name):
        text = f"{text} {columns.SHARED_MARK}"
    if estimate.std == 0 and column.name in columns.COUNTS:
        return Cell(text)
    return Cell(text, spread(estimate, column), interval(estimate, column))


def _seeds_note(group: Group) -> str:
    if not group.labels:
        return "No run completed, so there is nothing to compare."
    if group.seeds == 1:
        return "One seed: no interval. A difference may be chance."
    methods = {
        estimate.method
        for label in group.labels
        if (estimate := group.estimate(label, "images_per_second")) and estimate.method != "none"
    }
    names = {"t": "Student's t", "bootstrap BCa": "BCa bootstrap"}
    how = " or ".join(names[method] for method in sorted(methods))
    return (
        "Mean ± standard deviation over seeds, and the mean's 95% interval in brackets"
        f"{f' ({how})' if how else ''}. A variant with one seed has no interval."
    )


def _budget_note(group: Group) -> str:
    """Which variants were trained with which budget, where budgets differ."""
    budgets: dict[str, list[str]] = defaultdict(list)
    for label in group.labels:
        for budget in dict.fromkeys(entry.result.budget for entry in group.of(label)):
            budgets[budget or "unknown"].append(label)
    if len(budgets) < 2:  # noqa: PLR2004 - one budget is no difference
        return ""
    differing = "; ".join(f"{budget} for {', '.join(labels)}" for budget, labels in budgets.items())
    return f"Budgets differ: {differing}. More training alone may explain a better score."


def _cautions(group: Group) -> tuple[str, ...]:
    """Where scores of a variant do not mean what they seem to, with the seed."""
    return tuple(
        f"{entry.label}, seed {entry.result.seed}: {note}."
        for label in group.labels
        for entry in group.of(label)
        for note in entry.result.notes
    )


def _protocol(group: Group) -> str:
    fields = group.protocol_fields
    if not fields:
        return ""
    size, accuracy = fields.get("resolution"), fields.get("classifier_accuracy")
    generated, real = (number(fields.get(f"{kind}_count", 0)) for kind in ("fake", "real"))
    parts = [
        f"{generated} generated images against {real} real ones ({fields.get('real_split')} split)",
        f"at {size}×{size} pixels" if size else "",
        f"features by {fields.get('backbone')}",
        f"classes named by a classifier that is right for {accuracy:.1%} of the test split"
        if isinstance(accuracy, float)
        else "",
        "moving average of the generator" if fields.get("ema") else "",
    ]
    return ", ".join(filter(None, parts)) + "."


def _samples(group: Group, label: str) -> list[Sample]:
    """The images at the end of the first seed that left any: real beside generated, or a grid."""
    for entry in group.of(label):
        both = entry.run.path / "samples" / "real-and-fake.png"
        if both.exists():
            return [Sample(label, f"{label}, seed {entry.result.seed}: real, generated", both)]
        if entry.run.samples:
            last = entry.run.samples[-1]
            return [Sample(label, f"{label}, seed {entry.result.seed}: generated", last)]
    return []


def _failure(entry: Entry) -> Failure:
    result = entry.result
    return Failure(
        entry.label,
        result.dataset,
        result.seed,
        result.status,
        " ".join(result.reason.split()) or "no reason was given",
        result.run_id,
    )
