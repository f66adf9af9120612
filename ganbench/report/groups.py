"""Runs that may share a table: one dataset, one device, one protocol."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ganbench.data.catalogue import short_dataset
from ganbench.report import columns
from ganbench.report.comparison.statistics import Estimate, estimate
from ganbench.scoring.protocol import current_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ganbench.experiment.result import RunResult
    from ganbench.experiment.store import StoredRun

__all__ = ["Entry", "Group", "group_runs"]

# Fields of a recipe that change no number of the result, or have a column of their own.
_NOT_SETTINGS = ("budget", "dataset", "sample_every")
# The run's own, which may not be the recipe's; the space sorts them first.
_BUDGET, _PRECISION, _COMPILED, _CAPTURED = " budget", " precision", " compiled", " captured"


@dataclass(frozen=True)
class Entry:
    """One run, and the name under which its seeds are put together."""

    run: StoredRun
    label: str

    @property
    def result(self) -> RunResult:
        """The run's record."""
        return self.run.result


@dataclass(frozen=True)
class Group:
    """Runs that may share a table: one dataset, one device, one protocol.

    Attributes:
        dataset: As on the command line.
        device: Kind of the device, for example `cuda`.
        device_name: The device as its maker calls it.
        protocol: Hash of the protocol; empty where nothing was scored.
        entries: The runs, completed or not.
        slug: A short name for files, unlike that of any other group.
        title: A heading, unlike that of any other group.
    """

    dataset: str
    device: str
    device_name: str
    protocol: str
    entries: tuple[Entry, ...]
    slug: str = ""
    title: str = ""

    @property
    def finished(self) -> list[Entry]:
        """The runs whose status is ok, over which all statistics are taken."""
        return [entry for entry in self.entries if entry.result.status == "ok"]

    @property
    def labels(self) -> list[str]:
        """The variants with a finished run, in the order of the plan."""
        return list(dict.fromkeys(entry.label for entry in self.finished))

    @property
    def seeds(self) -> int:
        """The most seeds that any variant finished."""
        return max((len(self.of(label)) for label in self.labels), default=0)

    @property
    def backbone(self) -> str:
        """What extracted the features."""
        return next((e.result.backbone for e in self.finished if e.result.backbone), "")

    @property
    def protocol_fields(self) -> dict[str, Any]:
        """The protocol, field by field; empty where nothing was scored."""
        fields = (e.result.protocol_fields for e in self.entries if e.result.protocol)
        return current_names(next(fields, {}))

    @property
    def modes_total(self) -> int | None:
        """Classes that there are to cover."""
        counts = (entry.result.scores.get("modes_total") for entry in self.finished)
        return next((int(count) for count in counts if count is not None), None)

    def of(self, label: str) -> list[Entry]:
        """The finished runs of one variant, by seed."""
        return [entry for entry in self.finished if entry.label == label]

    def values(self, label: str, name: str) -> list[float]:
        """A variant's numbers in the column `name`, by seed, without those that do not apply."""
        numbers = (columns.value(entry.result, name) for entry in self.of(label))
        return [float(number) for number in numbers if isinstance(number, int | float)]

    def by_seed(self, label: str, name: str) -> dict[int, float]:
        """A variant's numbers in the column `name`, each under its seed."""
        pairs = ((e.result.seed, columns.value(e.result, name)) for e in self.of(label))
        return {seed: float(number) for seed, number in pairs if isinstance(number, int | float)}

    def estimate(self, label: str, name: str) -> Estimate | None:
        """Mean, spread and interval of a variant's numbers over its seeds."""
        low, high = columns.column(name).bounds
        if name.startswith("modes_covered") and self.modes_total:
            low, high = 0.0, float(self.modes_total)
        return estimate(self.values(label, name), (low, high))

    def is_shared(self, label: str, name: str) -> bool:
        """Whether a variant's numbers in a column were measured while other runs went on."""
        return name in columns.TIMED and any(entry.result.timing_shared for entry in self.of(label))

    def heading(self, name: str, *labels: str) -> str:
        """The head of a column, which names the backbone and shared timing where they matter."""
        head = columns.column(name).heading(self.backbone)
        shared = any(self.is_shared(label, name) for label in labels)
        return f"{head} while other runs shared the machine" if shared else head

    @property
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
        counts = " or ".join(map(str, threads))
        return (
            "Runs trained side by side, and their throughput was then measured with each alone on "
            f"{counts} threads; training time and peak memory are those of the training."
        )

    def present(self, names: Sequence[str]) -> list[str]:
        """Those of the columns `names` that hold a number for at least one variant."""
        return [name for name in names if any(self.values(label, name) for label in self.labels)]


def group_runs(runs: list[StoredRun]) -> tuple[Group, ...]:
    """Sort runs into groups; a failed run without scores joins others of its device."""
    together: dict[tuple[str, str, str, str], list[StoredRun]] = defaultdict(list)
    for run in runs:
        together[_key(run.result)].append(run)
    for key in [key for key in together if not key[-1]]:
        home = next((other for other in together if other[:-1] == key[:-1] and other[-1]), None)
        if home is not None:
            failed = [run for run in together[key] if run.result.status != "ok"]
            together[home] += failed
            together[key] = [run for run in together[key] if run.result.status == "ok"]
    groups = [Group(*key, _labelled(members)) for key, members in together.items() if members]
    return _named(groups)


def _key(result: RunResult) -> tuple[str, str, str, str]:
    return result.dataset, result.device.partition(":")[0], result.device_name, result.protocol


def _labelled(runs: list[StoredRun]) -> tuple[Entry, ...]:
    """Name each run by its variant, and by its settings where a variant was run with several."""
    entries = []
    for variant in dict.fromkeys(run.result.variant for run in runs):
        own = [run for run in runs if run.result.variant == variant]
        values: dict[str, set[str]] = defaultdict(set)
        for run in own:
            for key, item in _settings(run.result).items():
                values[key].add(repr(item))
        differing = [key for key in sorted(values) if len(values[key]) > 1]
        for run in own:
            settings = _settings(run.result)
            parts = [_setting(key, settings[key]) for key in differing if key in settings]
            entries.append(Entry(run, ", ".join([variant, *parts])))
    places = {label: place for place, label in enumerate(dict.fromkeys(e.label for e in entries))}
    return tuple(sorted(entries, key=lambda e: (places[e.label], e.result.seed)))


def _settings(result: RunResult) -> dict[str, Any]:
    recipe = {key: item for key, item in result.recipe.items() if key not in _NOT_SETTINGS}
    execution = {
        _PRECISION: result.training_precision,
        _COMPILED: "compiled" if result.compiled else "not compiled",
        _CAPTURED: "captured" if result.captured else "not captured",
    }
    return {**recipe, **({_BUDGET: result.budget} if result.budget else {}), **execution}


def _setting(key: str, value: Any) -> str:
    return str(value) if key.startswith(" ") else f"{key}={value}"


def _named(groups: list[Group]) -> tuple[Group, ...]:
    """Give each group a title and a slug that differ from those of all other groups."""
    named: list[Group] = []
    for group in groups:
        same_dataset = [other for other in groups if other.dataset == group.dataset]
        same_kind = [other for other in same_dataset if other.device == group.device]
        same_device = [other for other in same_kind if other.device_name == group.device_name]
        title, slug = short_dataset(group.dataset), short_dataset(group.dataset)
        if len(same_dataset) > 1:
            title, slug = f"{title} on {group.device}", f"{slug}-{group.device}"
        if len(same_kind) > len(same_device):
            title, slug = f"{title} ({group.device_name})", f"{slug}-{group.device_name}"
        if len(same_device) > 1:
            protocol = group.protocol or "not scored"
            title, slug = f"{title}, protocol {protocol}", f"{slug}-{protocol}"
        named.append(dataclasses.replace(group, title=title, slug=_unlike(slug, named)))
    return tuple(named)


def _unlike(text: str, named: list[Group]) -> str:
    letters = "".join(sign if sign.isalnum() else "-" for sign in text.lower())
    slug = "-".join(part for part in letters.split("-") if part)
    taken = sum(group.slug == slug or group.slug.startswith(f"{slug}--") for group in named)
    return f"{slug}--{taken + 1}" if taken else slug
