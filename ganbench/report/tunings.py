"""Tunings as a report shows them: their folder, their group of final runs, and tables of trials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ganbench.report import columns
from ganbench.report.comparison.statistics import Estimate, estimate
from ganbench.report.tables import csv_text
from ganbench.tuning.record import DEFAULT, TUNED

if TYPE_CHECKING:
    from pathlib import Path

    from ganbench.report.gather import Results
    from ganbench.report.groups import Group
    from ganbench.tuning.record import Tuning

__all__ = ["ShownTuning", "curve_csv", "shown_tunings", "trials_csv"]


@dataclass(frozen=True)
class ShownTuning:
    """A tuning whose trials have ended.

    Attributes:
        path: Its folder.
        tuning: What it stored.
        title: Its heading, as that of the group of its final runs.
        slug: A short name for files, unlike that of any other.
        labels: What its variants are called in the tables, tuned or default.
        group: Its final runs.
    """

    path: Path
    tuning: Tuning
    title: str
    slug: str
    labels: tuple[str, ...]
    group: Group

    def label(self, variant: str) -> str:
        """What a variant's best recipe is called."""
        label = f"{variant} ({TUNED})"
        return label if label in self.labels else f"{variant} ({DEFAULT})"

    @property
    def heading(self) -> str:
        """The name of the primary score, with the backbone where that matters."""
        return columns.column(self.tuning.primary).heading(self.group.backbone)

    def default(self, variant: str) -> Estimate | None:
        """The score of a default recipe under the conditions of trials, over its seeds."""
        return estimate(trial.score for trial in self.tuning.of(variant, is_default=True))


def shown_tunings(results: Results) -> list[ShownTuning]:
    """The tunings among the folders of a report."""
    shown: list[ShownTuning] = []
    for source in results.sources:
        tuning, own = source.tuning, {entry.label for entry in results.of_source(source)}
        if tuning is None or not tuning.results or not own:
            continue
        group = next(g for g in results.groups if own & set(g.all_labels))
        labels = tuple(label for label in group.all_labels if label in own)
        slug = f"{group.slug}--{len(shown) + 1}" if shown else group.slug
        shown.append(ShownTuning(source.path, tuning, group.title, slug, labels, group))
    return shown


def trials_csv(tunings: list[ShownTuning]) -> str | None:
    """One row per trial, with a column for each number that was searched; None without trials."""
    if not tunings:
        return None
    numbers = list(
        dict.fromkeys(
            key for one in tunings for own in one.tuning.space.values() for key in own
        )  # in the order of the recipes
    )
    heads = ["variant", "trial", "recipe", "seed", "status", "score_name", "score", "budget"]
    rows = [
        [
            trial.variant, trial.trial, DEFAULT if trial.is_default else "drawn", trial.seed,
            trial.status, one.tuning.primary, trial.score, trial.budget,
            *(trial.numbers.get(key) for key in numbers), trial.run_id, trial.reason,
        ]
        for one in tunings
        for trial in one.tuning.results
    ]  # fmt: skip
    return csv_text([*heads, *numbers, "run_id", "reason"], rows)


def curve_csv(tunings: list[ShownTuning]) -> str | None:
    """The best score over the number of trials: one row per variant and number."""
    if not tunings:
        return None
    heads = [
        "variant", "score_name", "trials", "mean", "median", "better", "worse", "default_mean",
        "default_std", "default_n",
    ]  # fmt: skip
    rows = []
    for one in tunings:
        for variant in one.tuning.variants:
            default = one.default(variant)
            beside = [default.mean, default.std, default.n] if default else [None] * 3
            rows += [
                [
                    variant,
                    one.tuning.primary,
                    p.trials,
                    p.mean,
                    p.median,
                    p.better,
                    p.worse,
                    *beside,
                ]
                for p in one.tuning.curve(variant)
            ]
    return csv_text(heads, rows)
