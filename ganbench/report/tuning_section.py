"""What a report says of a tuning: what was searched, the best trials, and tuned beside default."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ganbench.report import columns
from ganbench.report.comparison.ranking import contrasts_of
from ganbench.report.comparison.sentences import sentence_of
from ganbench.report.formatting import shown, spread
from ganbench.report.group_names import budget_words
from ganbench.report.scale import listed
from ganbench.report.tunings import ShownTuning, shown_tunings
from ganbench.tuning.record import DEFAULT, TUNED

if TYPE_CHECKING:
    from ganbench.report.comparison.statistics import Estimate
    from ganbench.report.gather import Results

__all__ = ["TuningSection", "TuningTable", "tuning_sections"]

_SAMPLERS = {
    "random": "drawn at random before any was trained",
    "tpe": "drawn by TPE, which learns from earlier ones",
}
_HALF = "on half of the evaluation noise"


@dataclass(frozen=True)
class TuningTable:
    """Texts in rows; the first column names the variant."""

    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


@dataclass(frozen=True)
class TuningSection:
    """All on one tuning.

    Attributes:
        title: Dataset, device and budget.
        slug: Of its chart.
        about: How it was done, in sentences.
        findings: Tuned beside default of each variant, in sentences.
        tables: The outcome, and what was searched.
    """

    title: str
    slug: str
    about: tuple[str, ...]
    findings: tuple[str, ...]
    tables: tuple[TuningTable, ...]


def tuning_sections(results: Results, primary: str) -> tuple[TuningSection, ...]:
    """What is said of the tunings among a report's folders.

    Args:
        results: The runs.
        primary: The score that pairs are tested on by itself.
    """
    return tuple(
        TuningSection(
            one.title, one.slug, _about(one), _findings(one, primary), (_outcome(one), _space(one))
        )
        for one in shown_tunings(results)
    )


def _about(one: ShownTuning) -> tuple[str, ...]:
    tuning = one.tuning
    count, budget = len(tuning.variants), budget_words(tuning.budget)
    of_each = f"Each of {count} variants" if count > 1 else "The variant"
    drawn = f"{_SAMPLERS[tuning.sampler]} (search seed {tuning.search_seed})"
    sentences = [
        f"{of_each} had {tuning.trials} trials of {budget}, {drawn}.",
        f"They were scored by {one.heading} {_HALF}; one that failed or diverged is the worst.",
        f"The best recipe was trained afresh on seeds {listed(tuning.seeds)}, which no trial had.",
        "Beside it stands the default recipe with the same seeds.",
        "These runs are scored on all of their noise, of which no trial has seen any.",
    ]
    if tuning.is_pruned:
        rungs = " and ".join(map(budget_words, tuning.rungs[:-1]))
        sentences.append(
            f"After {rungs}, the worse half of each variant's trials was stopped; in the curve a "
            "stopped trial counts with the score that it was stopped at, so that the curve of "
            "fewer trials is a bound."
        )
    return tuple(sentences)


def _findings(one: ShownTuning, primary: str) -> tuple[str, ...]:
    """The tuned recipe of each variant against its default one, on new seeds."""
    contrasts = {
        frozenset((item.side_a.name, item.side_b.name)): item
        for item in contrasts_of(one.group, primary)
        if item.score == one.tuning.primary
    }
    findings = []
    for variant in one.tuning.variants:
        tuned, default = (f"{variant} ({name})" for name in (TUNED, DEFAULT))
        winner = one.tuning.winner(variant)
        if winner is None:
            findings.append(f"{variant}: no trial has a score, so that it has no tuned recipe.")
        elif tuned not in one.labels:
            findings.append(f"{variant}: the best trial has the default recipe's numbers.")
        elif (item := contrasts.get(frozenset((tuned, default)))) is not None:
            findings.append(f"{sentence_of(item)}.")
    return tuple(findings)


def _outcome(one: ShownTuning) -> TuningTable:
    heads = (
        "Variant", "Trials scored", "Best trial", "Best trial, half the noise",
        "Default, half the noise", "Tuned, new seeds", "Default, new seeds",
    )  # fmt: skip
    rows = []
    for variant in one.tuning.variants:
        winner, trials = one.tuning.winner(variant), one.tuning.of(variant)
        final = [
            _text(one, one.group.estimate(f"{variant} ({recipe})", one.tuning.primary))
            for recipe in (TUNED, DEFAULT)
        ]
        rows.append((
            variant,
            f"{sum(trial.score is not None for trial in trials)} of {len(trials)}",
            str(winner.trial) if winner else "",
            _score(one, winner.score if winner else None),
            _text(one, one.default(variant)),
            *final,
        ))  # fmt: skip
    note = (
        "The best trial's score is the best of many and so better than its recipe is; that on new "
        "seeds is not. Scores on half of the noise are of fewer images, and not comparable with "
        "those on all of it. ± is the standard deviation over seeds."
    )
    return TuningTable(f"Tuned and default: {one.heading}", heads, tuple(rows), note)


def _space(one: ShownTuning) -> TuningTable:
    rows = []
    for variant in one.tuning.variants:
        winner = one.tuning.winner(variant)
        default = _recipe(one, f"{variant} ({DEFAULT})")
        tuned = _recipe(one, f"{variant} ({TUNED})") or default
        for key, searched in one.tuning.space.get(variant, {}).items():
            best = "" if winner is None else str(tuned.get(key, winner.numbers.get(key, "")))
            rows.append((variant, key, searched, str(default.get(key, "")), best))
    heads = ("Variant", "Number", "Searched", "Default", "Best trial")
    note = "LOW:HIGH is a range, on a logarithmic scale with :log; a|b|c are values."
    return TuningTable("What was searched", heads, tuple(rows), note)


def _recipe(one: ShownTuning, label: str) -> dict[str, object]:
    """The recipe of a row's first run; empty where it has none."""
    return next((entry.result.recipe for entry in one.group.started(label)), {})


def _text(one: ShownTuning, value: Estimate | None) -> str:
    if value is None:
        return ""
    column = columns.column(one.tuning.primary)
    return " ".join(filter(None, (shown(value.mean, column), spread(value, column))))


def _score(one: ShownTuning, value: float | None) -> str:
    return "" if value is None else shown(value, columns.column(one.tuning.primary))
