"""Notes above the tables: seeds, runs that did not complete, budgets, moving averages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganbench.experiment.conditions import MATTERING, conditions_of
from ganbench.report.scale import listed

if TYPE_CHECKING:
    from ganbench.report.groups import Group

__all__ = ["reading_note"]


def reading_note(group: Group) -> str:
    """How to read a group's tables, in sentences."""
    notes = (_seeds_note, _completed_note, _budget_note, _conditions_note, _average_note)
    return " ".join(filter(None, (note(group) for note in notes)))


def _seeds_note(group: Group) -> str:
    if not group.labels:
        return "No run completed, so there is nothing to compare."
    if group.seeds == 1:
        return "One seed: no interval. A difference may be chance."
    return (
        "Mean ± standard deviation over the seeds that completed, and the mean's 95% interval in "
        "brackets (Student's t). A variant with one seed has no interval."
    )


def _completed_note(group: Group) -> str:
    """That some variants stand on fewer seeds than were started."""
    counts = {label: group.completed(label) for label in group.all_labels}
    partly = [
        f"{label} completed {completed} of {started}"
        for label, (completed, started) in counts.items()
        if completed < started
    ]
    if not partly:
        return ""
    return (
        f"Not all runs completed ({listed(partly)} seeds): means are of those that did, which "
        "favours whoever fails; rankings put the larger share of completed runs first."
    )


def _budget_note(group: Group) -> str:
    """Which variants were trained with which budget, where budgets differ."""
    if len(group.by_budget) < 2:  # noqa: PLR2004 - one budget is no difference
        return ""
    differing = "; ".join(f"{one} for {listed(some)}" for one, some in group.by_budget.items())
    return (
        f"Budgets differ: {differing}. More training alone may explain a better score, so rankings "
        "and verdicts are only made between variants of equal budget."
    )


def _conditions_note(group: Group) -> str:
    """That runs differ in their threads or versions, on which their last digits depend."""
    made = [(entry.label, conditions_of(entry.result)) for entry in group.finished]
    differing = []
    for name in MATTERING:
        labels: dict[str, dict[str, None]] = {}  # by value, in the order of the table
        for label, one in made:
            labels.setdefault(one.get(name, "unknown"), {})[label] = None
        if len(labels) > 1:
            texts = (f"{value} for {listed(list(some))}" for value, some in labels.items())
            differing.append(f"{name} {', '.join(texts)}")
    if not differing:
        return ""
    return (
        f"Conditions differ: {'; '.join(differing)}. Equal seeds give equal numbers only under "
        "equal conditions."
    )


def _average_note(group: Group) -> str:
    """That images were drawn by the moving average of the generator; a column says for whom."""
    if group.averages_differ:
        return (
            "Where a generator keeps a moving average of its weights, that is what draws the "
            "images; the column says which do."
        )
    averaged = any(entry.result.ema for entry in group.finished)
    return "Images are drawn by the moving average of each generator." if averaged else ""
