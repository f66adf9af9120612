"""Who leads on the primary score, whether the seeds resolve it, and at what cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ganbench.report import columns
from ganbench.report.comparison.ranking import contrasts_of, order_of
from ganbench.report.comparison.sentences import seeds_text
from ganbench.report.formatting import in_unit, probability, share_of, shown, spread
from ganbench.report.group_names import budget_words
from ganbench.report.references import is_no_better_than_noise, noise_to_beat
from ganbench.report.scale import listed, quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ganbench.report.comparison.contrasts import Contrast
    from ganbench.report.groups import Group

__all__ = ["Leading", "leading_of"]

_ALONE = (
    "Nothing else was trained with an equal budget, and more training alone may explain a better "
    "score."
)
_ONE_SEED = "With one seed each, chance may explain the lead; several seeds (--seeds 3) would tell."
_NO_PAIR = (
    "The leader has no two completed seeds in common with any other, so chance may explain the "
    "lead; several seeds (--seeds 3) of each would tell."
)
_MOST_NAMED = 6
_MOST_COSTS = 3


@dataclass(frozen=True)
class Leading:
    """The answer of one table, for people who read nothing else.

    Attributes:
        headline: Who leads on which score, or why nobody does.
        sentences: Against whom the seeds resolve it, and what it cost.
        leader: Label of the variant that leads; empty where none does.
    """

    headline: str
    sentences: tuple[str, ...] = ()
    leader: str = ""


def leading_of(group: Group, primary: str) -> tuple[Leading, ...]:
    """Who leads on the primary score among the variants of each budget.

    Variants of unequal budgets are not ranked against each other; a budget of one variant alone
    has no leader.
    """
    if not group.labels:
        return (Leading("No run completed, so there is nothing to compare."),)
    heading = group.heading(primary)
    if not group.present([primary]):
        return (Leading(f"No run has {heading}, the primary score, so no variant leads."),)
    several = len(group.by_budget) > 1
    answers, alone = [], []
    for budget, labels in group.by_budget.items():
        order = order_of(group, labels, primary)
        if len(order) > 1:
            answers.append(_leading(group, order, primary, budget if several else ""))
        elif order:
            alone.append(order[0])
    if alone:
        answers.append(_alone(group, alone, primary, several=several))
    return tuple(answers)


def _alone(group: Group, labels: list[str], primary: str, *, several: bool) -> Leading:
    heading = group.heading(primary)
    if not several:
        return Leading(
            f"{quoted(labels[0])} has {heading} {_mean(group, labels[0], primary)}; "
            "no other variant was scored",
            (_cost(group, labels),),
        )
    named = listed(list(map(quoted, labels)), _MOST_NAMED)
    return Leading(
        f"Not ranked: {named}",
        (_ALONE,),
    )


def _leading(group: Group, order: list[str], primary: str, budget: str) -> Leading:
    leader, column = order[0], columns.column(primary)
    way = {"lower": "lower is better", "higher": "higher is better", "one": "1 is best", "": ""}
    after = f" after {budget_words(budget)}" if budget else ""
    estimate = group.estimate(leader, primary)
    noise = noise_to_beat(group)
    sentences = [
        *_resolution(group, order, primary),
        _cost(group, order),
        f"It is no better than noise ({shown(noise[primary], column)})."
        if estimate and is_no_better_than_noise(estimate.mean, primary, noise)
        else "",
        _completion(group, order),
    ]
    headline = (
        f"{quoted(leader)} leads on {group.heading(primary)}{after} with "
        f"{_mean(group, leader, primary)} ({way[column.direction]})"
    )
    return Leading(headline, tuple(filter(None, sentences)), leader)


def _mean(group: Group, label: str, name: str, *, with_spread: bool = True) -> str:
    estimate, column = group.estimate(label, name), columns.column(name)
    if estimate is None:
        return "n/a"
    text = shown(estimate.mean, column)
    if name.startswith("modes_covered"):
        text = share_of(estimate.mean, group.modes_total)
    return " ".join(filter(None, (text, spread(estimate, column) if with_spread else "")))


def _resolution(group: Group, order: list[str], primary: str) -> list[str]:
    """Against whom the lead is resolved, and against whom chance may explain it."""
    by_rival = _contrasts_with(group, order[0], primary)
    tested = {rival: item for rival, item in by_rival.items() if item.paired.std is not None}
    rivals = order[1:]
    if not tested:
        next_one = f"{quoted(rivals[0])} ({_mean(group, rivals[0], primary, with_spread=False)})"
        is_alone = all(len(group.of(label)) == 1 for label in order)
        return [f"Next is {next_one}. {_ONE_SEED if is_alone else _NO_PAIR}"]
    leads = [rival for rival in rivals if _is_resolved(tested.get(rival), order[0])]
    ahead = [r for r in rivals if r in tested and tested[r].verdict != "not resolved"]
    ahead = [rival for rival in ahead if rival not in leads]
    open_ones = [rival for rival in rivals if rival not in (*leads, *ahead)]
    texts = []
    if leads:
        whole = "The lead is resolved against" if not open_ones else "Resolved against"
        largest = max(tested[rival].p_holm or 0.0 for rival in leads)
        p = probability(largest, sign=True)
        bound = p.replace("=", "at most") if len(leads) > 1 else p
        corrected = "corrected p" if len(tested) > 1 else "p"
        texts.append(f"{whole} {_named(group, leads, primary)} ({corrected} {bound}).")
    if open_ones:
        texts.append(
            f"Not resolved against {_named(group, open_ones, primary)}: chance may explain the "
            f"difference{_needed(tested.get(open_ones[0]), open_ones)}."
        )
    if ahead:
        texts.append(
            f"{_named(group, ahead, primary)} scored better, but completed a smaller share of runs."
        )
    return texts


def _needed(first: Contrast | None, rivals: Sequence[str]) -> str:
    """How many seeds would be needed against the first of those that are not resolved."""
    if first is None or not first.can_need_seeds:
        return ""
    which = f" against {quoted(rivals[0])}" if len(rivals) > 1 else ""
    return f"; {seeds_text(first)} would be needed{which}"


def _contrasts_with(group: Group, leader: str, primary: str) -> dict[str, Contrast]:
    found = {}
    for item in contrasts_of(group, primary):
        names = [item.side_a.name, item.side_b.name]
        if item.score == primary and leader in names:
            names.remove(leader)
            found[names[0]] = item
    return found


def _is_resolved(item: Contrast | None, leader: str) -> bool:
    """Whether the leader is better, by the test."""
    if item is None:
        return False
    return item.verdict == ("better" if item.side_a.name == leader else "worse")


def _named(group: Group, labels: Sequence[str], primary: str) -> str:
    """Names with their means; of many, the first ones."""
    means = [
        f"{quoted(label)} ({_mean(group, label, primary, with_spread=False)})" for label in labels
    ]
    return listed(means, _MOST_NAMED)


def _cost(group: Group, order: list[str]) -> str:
    """The training time of the leader, and of those that follow it."""
    times = {label: one.mean for label in order if (one := group.estimate(label, "train_seconds"))}
    if order[0] not in times:
        return ""
    texts = {label: in_unit(seconds, "s") for label, seconds in times.items()}
    if len(times) == len(order) > 1 and len(set(texts.values())) == 1:
        return f"Each run trained for {texts[order[0]]}."
    others = [f"{quoted(label)} {texts[label]}" for label in order[1:] if label in times]
    beside = f" ({listed(others, _MOST_COSTS)})" if others else ""
    return f"It cost {texts[order[0]]} of training per run{beside}."


def _completion(group: Group, order: list[str]) -> str:
    partly = [
        f"{quoted(label)} {completed} of {started}"
        for label in order
        for completed, started in [group.completed(label)]
        if completed < started
    ]
    return f"Not all runs completed: {listed(partly, _MOST_NAMED)}." if partly else ""
