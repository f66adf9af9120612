"""The content of README.md and report.html, as plain records for templates."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ganbench.report import columns
from ganbench.report.comparison.ranking import Rankings, best_of, rankings_of
from ganbench.report.facts import Fact, facts_of, notes_of
from ganbench.report.formatting import number
from ganbench.report.hyperparameters import Hyperparameters, hyperparameters_of
from ganbench.report.leading import Leading, leading_of
from ganbench.report.notes import cautions_of, reading_note
from ganbench.report.number_tables import number_tables
from ganbench.report.scale import (
    MANY_RUNS,
    MOST_CHARTED,
    MOST_FOLDERS,
    MOST_GROUPS_IN_FULL,
    MOST_LISTED,
    MOST_OF_MANY,
    MOST_ROWS,
    MOST_ROWS_OF_MANY,
    MOST_SECTIONS,
    listed,
    quoted,
)
from ganbench.report.strips import Strips, strips_of
from ganbench.report.tables import Cell, Table
from ganbench.report.tuning_section import TuningSection, tuning_sections
from ganbench.scoring.protocol import MODES_BY_SHARE
from ganbench.visible import visible

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ganbench.report.gather import Results
    from ganbench.report.groups import Group
    from ganbench.report.rows import Entry

__all__ = ["RANKING_NOTE", "Cell", "Content", "Failure", "Sample", "Section", "Table", "content_of"]


RANKING_NOTE = (
    "Pairs are compared seed by seed, by a paired t-test. Tests of one family are corrected "
    "together by Holm's method, and a pair is resolved where its corrected p-value is below 0.05. "
    "The interval beside it is at the level that the method asks of this pair, so that it excludes "
    "0 exactly where the pair is resolved. The smallest detectable difference is the true "
    "difference that this number of seeds finds in four of five cases. Seeds that would be needed "
    "are a range that holds their number with a confidence of 80%."
)


@dataclass(frozen=True)
class Sample:
    """An image of one variant's samples."""

    label: str
    caption: str
    path: Path


@dataclass(frozen=True)
class Failure:
    """A run that did not complete; of very many, all seeds that ended alike, with one's id."""

    label: str
    dataset: str
    seed: int | str
    status: str
    reason: str
    run_id: str


@dataclass(frozen=True)
class Section:
    """All on one group of runs.

    Attributes:
        title: Dataset, device and budget.
        slug: Names the section in addresses and the group's charts.
        leading: Who leads, for each budget.
        protocol: How scores were computed, in words.
        protocol_hash: The protocol's hash.
        protocol_fields: The protocol, field by field.
        reading_note: How to read the tables.
        cautions: Where scores do not mean what they seem to.
        tables: Numbers by variant; those on the running of the code last.
        hyperparameters: What was set for each variant; None where that is not known.
        ranked: Rankings of pairs.
        samples: The pictures at the end, one per variant.
        strips: Pictures from the whole training.
    """

    title: str
    slug: str
    protocol: str
    protocol_hash: str
    reading_note: str
    cautions: tuple[str, ...]
    tables: tuple[Table, ...]
    ranked: Rankings
    samples: tuple[Sample, ...]
    leading: tuple[Leading, ...] = ()
    hyperparameters: Hyperparameters | None = None
    protocol_fields: tuple[tuple[str, str], ...] = ()
    strips: Strips = field(default_factory=Strips)


@dataclass(frozen=True)
class Content:
    """The whole report, its charts apart."""

    title: str
    facts: tuple[Fact, ...]
    notes: str
    sections: tuple[Section, ...]
    failures: tuple[Failure, ...]
    legend: tuple[columns.Column, ...]
    failures_note: str = ""
    labels: tuple[str, ...] = ()
    tunings: tuple[TuningSection, ...] = ()

    @property
    def has_references(self) -> bool:
        """Whether any table has reference rows."""
        return any(table.references for section in self.sections for table in section.tables)

    @property
    def has_ranking(self) -> bool:
        """Whether seeds were repeated, so that pairs could be compared."""
        return any(section.ranked.rankings for section in self.sections)


def content_of(results: Results, primary: str) -> Content:
    """Collect what is said about these results, whose `primary` score is tested by itself."""
    records = results.records
    main = [name for name in columns.MAIN if _is_present(results, name)]
    further = [name for name in columns.further_scores(records) if _is_present(results, name)]
    timed = (*columns.SPEED, *columns.PHASES, *columns.OUTSIDE)
    speed = [name for name in timed if _is_present(results, name)]
    over_training = [name for name in columns.OVER_TRAINING_SHOWN if _is_present(results, name)]
    is_large = len(records) > MANY_RUNS
    failures, failures_note = _failures(results.unfinished)
    return Content(
        title=_title(results),
        facts=_facts(results, is_large=is_large),
        notes="\n\n".join(
            source.notes.strip() for source in results.sources if source.notes.strip()
        ),
        sections=tuple(
            _section(
                group,
                further,
                primary,
                samples_of=_samples_of(place, is_large=is_large),
                rows_of=MOST_ROWS_OF_MANY
                if is_large and place >= MOST_GROUPS_IN_FULL
                else MOST_ROWS,
                lists_seeds=not is_large,
            )
            for place, group in enumerate(results.groups[: MOST_SECTIONS if is_large else None])
        ),
        failures=failures,
        legend=tuple(columns.column(name) for name in (*main, *further, *speed, *over_training)),
        failures_note=failures_note,
        labels=tuple(results.labels[:MOST_ROWS]),
        tunings=tuning_sections(results, primary),
    )


def _facts(results: Results, *, is_large: bool) -> tuple[Fact, ...]:
    """The head; of very many folders or groups, how many are left out of it or of the page."""
    folders = results.sources[:MOST_FOLDERS]
    by_folder = [facts_of(results, source) for source in folders]
    shared = [fact for fact in by_folder[0] if all(fact in some for some in by_folder)]
    facts = [*shared, *(fact for some in by_folder for fact in some if fact not in shared)]
    if len(results.sources) > MOST_FOLDERS:
        facts.append(Fact("Folders", f"and {len(results.sources) - MOST_FOLDERS:,} more"))
    facts += notes_of("Left out", results.notes)
    if is_large and len(results.groups) > MOST_SECTIONS:
        hidden = [group.title for group in results.groups[MOST_SECTIONS:]]
        facts.append(Fact("Not on this page", f"{listed(hidden)}; summary.csv has all of them"))
    return tuple(facts)


def _samples_of(place: int, *, is_large: bool) -> int:
    """Of how many variants the group at a place shows samples."""
    if not is_large:
        return MOST_CHARTED
    return MOST_OF_MANY if place < MOST_GROUPS_IN_FULL else 0


def _is_present(results: Results, name: str) -> bool:
    return any(group.present([name]) for group in results.groups)


def _title(results: Results) -> str:
    titles = [
        str(source.plan.get("title") or visible(source.path.name)) for source in results.sources
    ]
    different = list(dict.fromkeys(titles))
    more = len(different) - MOST_FOLDERS
    text = " + ".join(different[:MOST_FOLDERS]) or "Results"
    return f"{text} and {more:,} more" if more > 0 else text


def _section(
    group: Group,
    further: Sequence[str],
    primary: str,
    *,
    samples_of: int = MOST_CHARTED,
    rows_of: int = MOST_ROWS,
    lists_seeds: bool = True,
) -> Section:
    rows = best_of(group, rows_of, primary)
    note = f"Rows are those of {rows.title}; summary.csv has all." if rows is not group else ""
    shown = best_of(group, samples_of, primary).labels if samples_of else []
    return Section(
        title=group.title,
        slug=group.slug,
        protocol=_protocol(group),
        protocol_hash=group.protocol,
        reading_note=" ".join(filter(None, (reading_note(group), note))),
        cautions=_cautions(group),
        tables=number_tables(group, rows, further, primary, lists_seeds=lists_seeds),
        ranked=rankings_of(group, primary),
        samples=tuple(sample for label in shown for sample in _samples(group, label)),
        leading=leading_of(group, primary),
        hyperparameters=hyperparameters_of(rows),
        protocol_fields=tuple((name, str(value)) for name, value in group.protocol_fields.items()),
        strips=strips_of(group, shown),
    )


def _cautions(group: Group) -> tuple[str, ...]:
    """The cautions on a group's scores; of very many, the first ones, and the rest is counted."""
    texts = cautions_of(group)
    if len(texts) > MOST_LISTED:
        more = f"And {len(texts) - MOST_LISTED:,} further notes, which the runs' files hold."
        texts = [*texts[:MOST_LISTED], more]
    return tuple(texts)


def _protocol(group: Group) -> str:
    fields = group.protocol_fields
    if not fields:
        return ""
    size, accuracy = fields.get("resolution"), fields.get("classifier_accuracy")
    rule = fields.get("modes_rule", MODES_BY_SHARE)
    generated, real = (number(fields.get(f"{kind}_count") or 0) for kind in ("fake", "real"))
    parts = [
        f"{generated} generated images against {real} real ones ({fields.get('real_split')} split)",
        f"at {size}×{size} pixels" if size else "",
        f"features by {fields.get('backbone')}",
        f"classes named by a classifier that is right for {accuracy:.1%} of the test split"
        if isinstance(accuracy, float)
        else "",
        f"modes by {rule}" if rule != MODES_BY_SHARE else "",
    ]
    if group.is_of_points:
        parts = [
            f"{generated} generated points against {real} of the {fields.get('real_split')} split",
            "scored as they are, each under the mode whose centre is nearest",
        ]
    return ", ".join(filter(None, parts)) + "."


def _samples(group: Group, label: str) -> list[Sample]:
    """The images at the end of the first seed that left any: real beside generated, or a grid."""
    for entry in group.of(label):
        both, whose = entry.run.real_and_fake, f"{quoted(label)}, seed {entry.result.seed}"
        if both is not None:
            return [Sample(label, f"{whose}: real, generated", both)]
        if entry.run.samples:
            return [Sample(label, f"{whose}: generated", entry.run.samples[-1])]
    return []


def _failures(entries: Sequence[Entry]) -> tuple[tuple[Failure, ...], str]:
    """The runs that did not complete, and how they are put together where there are very many."""
    if len(entries) <= MOST_LISTED:
        return tuple(_failure(entry) for entry in entries), ""
    alike: dict[tuple[str, str, str, str], list[Failure]] = defaultdict(list)
    for failure in map(_failure, entries):
        key = (failure.label, failure.dataset, failure.status, failure.reason)
        alike[key].append(failure)
    rows = [
        replace(some[0], seed=listed([failure.seed for failure in some]))
        for some in list(alike.values())[:MOST_LISTED]
    ]
    note = f"{len(entries):,} runs did not complete; seeds that ended alike are one row."
    if len(alike) > MOST_LISTED:
        note += f" {len(alike) - MOST_LISTED:,} further rows are left out; runs.csv has every run."
    return tuple(rows), note


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
