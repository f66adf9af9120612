"""Notes above the tables: seeds, runs that did not complete, budgets, moving averages."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from ganbench.experiment.conditions import MATTERING, conditions_of
from ganbench.report.scale import listed, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ganbench.report.groups import Group

__all__ = ["cautions_of", "grouped", "reading_note"]

_MOST_TOGETHER = 3  # names in a note; more of them are counted


def reading_note(group: Group) -> str:
    """How to read a group's tables, in sentences."""
    notes = (
        _seeds_note, _looks_note, _completed_note, _budget_note, _conditions_note, _average_note
    )  # fmt: skip
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


def _looks_note(group: Group) -> str:
    """That seeds were added as needed, and what the tests are then."""
    if not group.looks:
        return ""
    return (
        "Seeds were added as needed, with a look at the scores after each round. All p-values and "
        "intervals are those of a sequential paired t-test, which holds over all looks; a pair is "
        "equivalent where two one-sided sequential tests show that neither variant is worse by the "
        "margin. Runs that failed or diverged are not replaced."
    )


def _completed_note(group: Group) -> str:
    """That some variants stand on fewer seeds than were started."""
    counts = {label: group.completed(label) for label in group.all_labels}
    partly = [
        f"{quoted(label)} completed {completed} of {started}"
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
    differing = "; ".join(
        f"{one} for {listed(list(map(quoted, some)))}" for one, some in group.by_budget.items()
    )
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


def cautions_of(group: Group) -> list[str]:
    """Where scores of variants do not mean what they seem to, equal notes put together.

    Notes on the files of a dataset, the same for all runs on it, stand at the head of the report.
    Notes that differ only in the percentage with which they begin are one, with its range. Seeds
    are named where a note is not on all of a variant's runs.
    """
    seeds: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    shares: dict[str, set[int]] = defaultdict(set)
    for label in group.labels:
        for entry in group.of(label):
            for note in entry.result.notes:
                if note.startswith(f"{entry.result.dataset}: "):
                    continue
                share, text = _share_and_rest(note)
                shares[text] |= share
                seeds[text][label].append(entry.result.seed)
    texts = []
    for text, by_label in seeds.items():
        ends = [f"{end}%" for end in dict.fromkeys((min(shares[text]), max(shares[text])))
                ] if shares[text] else []  # fmt: skip
        whose = {label: _seeds_text(group, label, some) for label, some in by_label.items()}
        texts.append(f"{_whose(whose)}: {' to '.join(ends)}{text}.")
    return texts


def _share_and_rest(note: str) -> tuple[set[int], str]:
    """The percentage with which a note begins, where it does, and the text after it."""
    head, sign, rest = note.partition("%")
    return ({int(head)}, rest) if sign and head.isdecimal() else (set(), note)


def _seeds_text(group: Group, label: str, seeds: list[int]) -> str:
    """Which seeds of a variant are meant; empty where all of them are."""
    if len(seeds) == len(group.of(label)):
        return ""
    return f"seed{'' if len(seeds) == 1 else 's'} {listed(seeds)}"


def _whose(labels: Mapping[str, str]) -> str:
    """`mlp, dcgan (seed 1)`, or how many variants where there are many."""
    if len(labels) > _MOST_TOGETHER:
        return f"{len(labels)} variants ({listed(list(map(quoted, labels)))})"
    return ", ".join(
        f"{quoted(label)} ({which})" if which else quoted(label) for label, which in labels.items()
    )


def grouped(notes: Iterable[str], names: Iterable[str]) -> list[str]:
    """Notes that begin with the name of a variant, equal ones put together.

    `a: fitted` and `b: fitted` become `a, b: fitted`; of many variants, they are counted.
    """
    known = set(names)
    by_text: dict[str, list[str]] = defaultdict(list)
    for note in notes:
        name, colon, text = note.partition(": ")
        if colon and name in known:
            by_text[text].append(name)
        else:
            by_text[note].append("")
    texts = []
    for text, own in by_text.items():
        if own == [""] * len(own):
            texts.append(text)
        elif len(own) > _MOST_TOGETHER:
            texts.append(f"{len(own)} variants ({listed(own)}): {text}")
        else:
            texts.append(f"{', '.join(own)}: {text}")
    return texts
