"""Runs that may share a table: one dataset, one device, one protocol."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from ganbench.report import columns
from ganbench.report.comparison.statistics import Estimate, estimate
from ganbench.report.group_names import budget_words, named
from ganbench.report.limits import bounds_of, quantities_of, step_of
from ganbench.report.rows import Entry, entries_of
from ganbench.scoring.protocol import current_names

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    from ganbench.experiment.looks import Looks
    from ganbench.experiment.result import RunResult
    from ganbench.experiment.store import StoredRun
    from ganbench.scoring.metrics.catalogue import Quantity

__all__ = ["Group", "group_runs"]

_Made = TypeVar("_Made")


@dataclass(frozen=True)
class Group:
    """Runs that may share a table: one dataset, one device, one protocol.

    What is asked for once per cell of a table is computed once and kept, so nobody may change the
    lists and mappings that this returns.

    Attributes:
        dataset: As on the command line.
        device: Kind of the device, for example `cuda`.
        device_name: The device as its maker calls it.
        protocol: Hash of the protocol; empty where nothing was scored.
        entries: The runs, completed or not.
        slug: A short name for files, unlike that of any other group.
        title: A heading, unlike that of any other group.
        looks: Of the folders whose seeds were added as needed, the looks at their scores.
    """

    dataset: str
    device: str
    device_name: str
    protocol: str
    entries: tuple[Entry, ...]
    slug: str = ""
    title: str = ""
    looks: Mapping[Path, Looks] = field(default_factory=dict)

    @cached_property
    def finished(self) -> list[Entry]:
        """The runs whose status is ok, over which all statistics are taken."""
        return [entry for entry in self.entries if entry.result.status == "ok"]

    @cached_property
    def labels(self) -> list[str]:
        """The variants with a finished run, in the order of the plan."""
        return list(self._finished_of)

    @cached_property
    def all_labels(self) -> list[str]:
        """The variants with any run, completed or not, in the order of the plan."""
        return list(self._entries_of)

    @cached_property
    def looked_at(self) -> list[str]:
        """The variants that are compared: all, or those with runs that looks were planned for."""
        if not self.looks:
            return self.all_labels
        return [label for label, own in self._entries_of.items() if any(map(self._is_seen, own))]

    def _is_seen(self, entry: Entry) -> bool:
        looks = self.looks.get(entry.run.path.parent.parent)
        return looks is None or not looks.runs or entry.result.run_id in looks.runs

    @cached_property
    def by_budget(self) -> dict[str, list[str]]:
        """The variants of each budget; only those of one budget can be ranked."""
        budgets: dict[str, list[str]] = defaultdict(list)
        for label in self.labels:
            budgets[self.budget_of(label)].append(label)
        return dict(budgets)

    @cached_property
    def budget_text(self) -> str:
        """The budget of all runs, or how many there are; empty where it is not known."""
        budgets = list(dict.fromkeys(e.result.budget for e in self.entries if e.result.budget))
        if len(budgets) == 1:
            return budget_words(budgets[0])
        return f"{len(budgets)} budgets" if budgets else ""

    @cached_property
    def seeds(self) -> int:
        """The most seeds that any variant finished."""
        return max((len(self.of(label)) for label in self.labels), default=0)

    @cached_property
    def backbone(self) -> str:
        """What extracted the features."""
        return next((e.result.backbone for e in self.finished if e.result.backbone), "")

    @cached_property
    def is_of_points(self) -> bool:
        """Whether points were drawn, not images."""
        return any(entry.result.is_of_points for entry in self.entries)

    @property
    def unit(self) -> str:
        """What is trained on and drawn: `images` or `points`."""
        return "points" if self.is_of_points else "images"

    @cached_property
    def protocol_fields(self) -> dict[str, Any]:
        """The protocol, field by field; empty where nothing was scored."""
        fields = (e.result.protocol_fields for e in self.entries if e.result.protocol)
        return current_names(next(fields, {}))

    @cached_property
    def modes_total(self) -> int | None:
        """Classes that there are to cover."""
        counts = (entry.result.scores.get("modes_total") for entry in self.finished)
        return next((int(count) for count in counts if count is not None), None)

    @cached_property
    def quantities(self) -> dict[Quantity, float]:
        """What bounds and steps of this group's numbers depend on."""
        names = (e.result.dataset_fields.get("class_names") for e in self.entries)
        classes = next((len(some) for some in names if some), None)
        return quantities_of(self.protocol_fields, self.modes_total, classes)

    def budget_of(self, label: str) -> str:
        """The budget of a variant's runs; several, where they had several, in one text."""
        return self.once(("budget", label), lambda: self._budget_of(label))

    def _budget_of(self, label: str) -> str:
        budgets = (e.result.budget for e in self.started(label) if e.result.budget)
        return ", ".join(dict.fromkeys(budgets)) or "unknown"

    @cached_property
    def averages_differ(self) -> bool:
        """Whether some images were drawn by a moving average of the generator and some were not."""
        return (
            len({entry.result.ema for entry in self.finished if entry.result.ema is not None}) > 1
        )

    def average_text(self, label: str) -> str:
        """Whether a variant's images were drawn by a moving average: `yes`, `no` or nothing."""
        stored = {entry.result.ema for entry in self.of(label)} - {None}
        return ", ".join("yes" if one else "no" for one in sorted(stored, key=str))

    def completed(self, label: str) -> tuple[int, int]:
        """How many of a variant's runs completed, and how many were started."""
        return len(self.of(label)), len(self.started(label))

    def of(self, label: str) -> list[Entry]:
        """The finished runs of one variant, by seed."""
        return self._finished_of.get(label, [])

    def records_of(self, label: str) -> list[RunResult]:
        """The records of the finished runs of one variant, by seed."""
        return self.once(("records", label), lambda: [entry.result for entry in self.of(label)])

    def started(self, label: str) -> list[Entry]:
        """All runs of one variant, completed or not, by seed."""
        return self._entries_of.get(label, [])

    @cached_property
    def _finished_of(self) -> dict[str, list[Entry]]:
        return _by_label(self.finished)

    @cached_property
    def _entries_of(self) -> dict[str, list[Entry]]:
        return _by_label(self.entries)

    @cached_property
    def _kept(self) -> dict[tuple[str, ...], Any]:
        return {}

    def once(self, key: tuple[str, ...], make: Callable[[], _Made]) -> _Made:
        """What `make` returned when it was first called under this key.

        Args:
            key: Names what is made of this group, and all that it depends on besides the group.
            make: Makes it; nobody may change what it returns.
        """
        if key not in self._kept:
            self._kept[key] = make()
        made: _Made = self._kept[key]
        return made

    def only(self, labels: Collection[str], title: str) -> Group:
        """This group with the runs of some variants alone, under another title."""
        entries = tuple(entry for entry in self.entries if entry.label in labels)
        fewer = dataclasses.replace(self, entries=entries, title=title)
        for key, made in self._kept.items():
            if key[0] in ("estimate", "values", "by_seed", "references"):  # as in the whole group
                fewer.once(key, lambda made=made: made)  # type: ignore[misc]
        return fewer

    def values(self, label: str, name: str) -> list[float]:
        """A variant's numbers in the column `name`, by seed, without those that do not apply."""
        return self.once(
            ("values", label, name), lambda: [number for _, number in self._numbers(label, name)]
        )

    def by_seed(self, label: str, name: str) -> dict[int, float]:
        """A variant's numbers in the column `name`, each under its seed."""
        return self.once(("by_seed", label, name), lambda: dict(self._numbers(label, name)))

    def _numbers(self, label: str, name: str) -> list[tuple[int, float]]:
        records = self.records_of(label)
        return [
            (record.seed, float(number))
            for record, number in zip(records, columns.values(records, name), strict=True)
            if isinstance(number, int | float)
        ]

    def estimate(self, label: str, name: str) -> Estimate | None:
        """Mean, spread and interval of a variant's numbers over its seeds."""
        return self.once(("estimate", label, name), lambda: self._estimate(label, name))

    def _estimate(self, label: str, name: str) -> Estimate | None:
        limits = self.quantities
        bounds, step = bounds_of(name, limits), step_of(name, limits)
        return estimate(self.values(label, name), bounds, step)

    def is_shared(self, label: str, name: str) -> bool:
        """Whether a variant's numbers in a column were measured while other runs went on."""
        return name in columns.TIMED and any(entry.result.timing_shared for entry in self.of(label))

    def heading(self, name: str, *labels: str) -> str:
        """The head of a column, which names the backbone and shared timing where they matter."""
        head = columns.column(name).heading(self.backbone)
        shared = any(self.is_shared(label, name) for label in labels)
        return f"{head} while other runs shared the machine" if shared else head

    @cached_property
    def timing_note(self) -> str:
        """A note on how speeds were measured; empty where each run had the machine for itself."""
        records = [entry.result for entry in self.finished]
        if any(record.timing_shared for record in records):
            return (
                f"{columns.SHARED_MARK} Measured while other runs shared the machine: these speeds "
                "say little about the variants, and less beside speeds measured alone. "
                "`ganbench run --exclusive-timing` measures each run alone."
            )
        stored = [record.environment.get("timing_threads") for record in records]
        threads = sorted({int(count) for count in stored if count is not None})
        if not threads:
            return ""
        counts = f"{' or '.join(map(str, threads))} thread{'s' if threads != [1] else ''}"
        return (
            "Runs trained side by side, and their throughput was then measured with each alone on "
            f"{counts}; training time and peak memory are those of the training."
        )

    def present(self, names: Sequence[str]) -> list[str]:
        """Those of the columns `names` that hold a number for at least one variant."""
        return [name for name in names if self._has(name)]

    def _has(self, name: str) -> bool:
        return self.once(("present", name), lambda: self._find(name))

    def _find(self, name: str) -> bool:
        return any(self.values(label, name) for label in self.labels)


def _by_label(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    by_label: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        by_label[entry.label].append(entry)
    return dict(by_label)


def group_runs(
    runs: list[StoredRun], recipes: Mapping[Path, str] | None = None
) -> tuple[Group, ...]:
    """Sort runs into groups; a failed run without scores joins others of its device.

    Args:
        runs: All of them.
        recipes: By the paths of runs, what their recipes are called.
    """
    together: dict[tuple[str, str, str, str], list[StoredRun]] = defaultdict(list)
    for run in runs:
        together[_key(run.result)].append(run)
    for key in [key for key in together if not key[-1]]:
        home = next((other for other in together if other[:-1] == key[:-1] and other[-1]), None)
        if home is not None:
            failed = [run for run in together[key] if run.result.status != "ok"]
            together[home] += failed
            together[key] = [run for run in together[key] if run.result.status == "ok"]
    named_runs = {key: entries_of(own, recipes) for key, own in together.items() if own}
    groups = [Group(*key, entries) for key, entries in named_runs.items()]
    return named(groups)


def _key(result: RunResult) -> tuple[str, str, str, str]:
    return result.dataset, result.device.partition(":")[0], result.device_name, result.protocol
