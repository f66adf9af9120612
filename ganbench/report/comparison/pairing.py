"""Pairing: which rows of two results may be compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ganbench.errors import UsageError, unknown
from ganbench.experiment.conditions import MATTERING, conditions_of, in_words
from ganbench.report import columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ganbench.report.gather import Results
    from ganbench.report.groups import Group

__all__ = [
    "Pair",
    "conditions_in_common",
    "conditions_that_differ",
    "has_equal_budgets",
    "pairs_of",
    "refuse_unequal_budgets",
    "shared_timing",
]


@dataclass(frozen=True)
class Pair:
    """Two rows that may be compared.

    Attributes:
        a: The group of A, and its label there.
        b: The group of B, and its label there.
        names: What to call the two.
    """

    a: tuple[Group, str]
    b: tuple[Group, str]
    names: tuple[str, str]


def pairs_of(a: Results, b: Results, variant_a: str | None, variant_b: str | None) -> list[Pair]:
    """Match the rows of two results by variant and dataset.

    Args:
        a: Results of A.
        b: Results of B.
        variant_a: Row of A; without it and `variant_b`, every row that both have.
        variant_b: Row of B; the same name as A's where left out.

    Raises:
        UsageError: A row is not there, or datasets, devices or protocols differ.
    """
    labels_a, labels_b = _finished(a), _finished(b)
    same = a.sources[0].path.resolve() == b.sources[0].path.resolve()
    if variant_a is None and variant_b is None:
        if same:
            raise UsageError(
                f"{a.sources[0].path} is given twice; name two variants of it: "
                f"{', '.join(labels_a)}"
            )
        wanted = [(label, label) for label in labels_a if label in labels_b]
        if not wanted and len(labels_a) == len(labels_b) == 1:
            wanted = [(labels_a[0], labels_b[0])]
        if not wanted:
            raise UsageError(
                f"the folders have no variant in common: {', '.join(labels_a)} against "
                f"{', '.join(labels_b)}; name one of each"
            )
    else:
        first, second = variant_a or variant_b or "", variant_b or variant_a or ""
        for label, labels, results in ((first, labels_a, a), (second, labels_b, b)):
            if label not in labels:
                raise unknown("variant", label, labels, f"as finished in {results.sources[0].path}")
        if same and first == second:
            raise UsageError(f"{first} is compared with itself; name two variants")
        wanted = [(first, second)]
    return [pair for first, second in wanted for pair in _matched(a, b, first, second)]


def _finished(results: Results) -> list[str]:
    labels = list(dict.fromkeys(label for group in results.groups for label in group.labels))
    if not labels:
        raise UsageError(f"no run in {results.sources[0].path} completed: nothing to compare")
    return labels


def _matched(a: Results, b: Results, label_a: str, label_b: str) -> list[Pair]:
    groups_a = [group for group in a.groups if label_a in group.labels]
    groups_b = [group for group in b.groups if label_b in group.labels]
    names = (label_a, label_b)
    if label_a == label_b:
        folders = [results.sources[0].path.resolve() for results in (a, b)]
        places = [folder.name for folder in folders]
        places = places if places[0] != places[1] else [str(folder) for folder in folders]
        names = (f"{label_a} in {places[0]}", f"{label_b} in {places[1]}")
    pairs = []
    for group in groups_a:
        there = [other for other in groups_b if other.dataset == group.dataset]
        equal = [other for other in there if not _differing(group, other)]
        if equal:
            pairs.append(Pair((group, label_a), (equal[0], label_b), names))
        elif there:
            raise UsageError(
                f"{names[0]} and {names[1]} cannot be compared on {group.dataset}: "
                f"{'; '.join(_differing(group, there[0]))}"
            )
    if not pairs:
        sets = [", ".join(sorted({g.dataset for g in some})) for some in (groups_a, groups_b)]
        raise UsageError(
            f"{names[0]} and {names[1]} cannot be compared: dataset is {sets[0]} against {sets[1]}"
        )
    return pairs


def _differing(a: Group, b: Group) -> list[str]:
    """Why two groups cannot be compared, field by field; empty where they can."""
    reasons = [
        f"{name} is {getattr(a, name)} against {getattr(b, name)}"
        for name in ("device", "device_name")
        if getattr(a, name) != getattr(b, name)
    ]
    if a.protocol != b.protocol:
        fields_a, fields_b = a.protocol_fields, b.protocol_fields
        fields = [
            f"protocol field {name} is {fields_a.get(name)} against {fields_b.get(name)}"
            for name in dict.fromkeys([*fields_a, *fields_b])
            if fields_a.get(name) != fields_b.get(name)
        ]
        reasons += fields or [f"protocol is {a.protocol or 'none'} against {b.protocol or 'none'}"]
    return reasons


def has_equal_budgets(pair: Pair) -> bool:
    """Whether both rows had the same budget, so that their scores may be compared."""
    (group_a, label_a), (group_b, label_b) = pair.a, pair.b
    return group_a.budget_of(label_a) == group_b.budget_of(label_b)


def refuse_unequal_budgets(pairs: Sequence[Pair]) -> None:
    """Refuse to compare scores after unequal budgets.

    Raises:
        UsageError: It names both budgets, and how speeds are compared.
    """
    for pair in pairs:
        if not has_equal_budgets(pair):
            (group_a, label_a), (group_b, label_b) = pair.a, pair.b
            raise UsageError(
                f"{pair.names[0]} and {pair.names[1]} had unequal budgets, "
                f"{group_a.budget_of(label_a)} against {group_b.budget_of(label_b)}, so that their "
                "scores cannot be compared; --metric images_per_second compares their speed"
            )


def conditions_that_differ(pairs: Sequence[Pair]) -> tuple[str, ...]:
    """What may explain a difference besides the variants, such as the threads or the versions."""
    notes: dict[str, None] = {}
    for pair in pairs:
        first, second = _conditions(*pair.a), _conditions(*pair.b)
        if first.pop("variant") != second.pop("variant"):  # unlike sources go without saying
            first.pop("source"), second.pop("source")
        for name in dict.fromkeys([*first, *second]):
            is_mixed = name in MATTERING and ", " in first.get(name, "")
            if first.get(name) != second.get(name) or is_mixed:
                both = " against ".join(one.get(name) or "unknown" for one in (first, second))
                notes[f"{name} of {pair.names[0]} and {pair.names[1]}: {both}"] = None
    return tuple(notes)


def conditions_in_common(pairs: Sequence[Pair]) -> tuple[str, ...]:
    """Under which conditions runs were made that all had the same ones, in one line."""
    records = [
        entry.result
        for pair in pairs
        for group, label in (pair.a, pair.b)
        for entry in group.of(label)
    ]
    different = {in_words(conditions_of(record)) for record in records}
    return tuple(f"all runs were made with {one}" for one in different if len(different) == 1)


def shared_timing(pairs: Sequence[Pair]) -> tuple[str, ...]:
    """Which rows have speeds that were measured while other runs went on."""
    notes: dict[str, None] = {}
    for pair in pairs:
        for (group, label), name in zip((pair.a, pair.b), pair.names, strict=True):
            if group.is_shared(label, columns.TIMED[0]):
                notes[
                    f"speed of {name}: measured while other runs shared the machine "
                    "(`ganbench run --exclusive-timing` measures each alone)"
                ] = None
    return tuple(notes)


def _conditions(group: Group, label: str) -> dict[str, str]:
    """Conditions outside the variant that may explain a difference."""
    results = [entry.result for entry in group.of(label)]
    numerics = [conditions_of(result) for result in results]
    names = dict.fromkeys(name for each in numerics for name in each if name != "device")
    return {
        "budget": _joined(r.budget for r in results),
        "seeds": _joined(r.seed for r in results),
        **{name: _joined(each.get(name) for each in numerics) for name in names},
        "threads of the timing": _joined(r.environment.get("timing_threads") for r in results),
        "precision in training": _joined(r.training_precision for r in results),
        "compiled": _joined(r.compiled for r in results),
        "captured as a graph": _joined(r.captured for r in results),
        "moving average of the generator": _joined(r.ema for r in results),
        "source": _joined(r.source_hash[:6] for r in results),
        "variant": _joined(r.variant for r in results),
    }


def _joined(values: Any) -> str:
    return ", ".join(dict.fromkeys(str(value) for value in values if value not in (None, "")))
