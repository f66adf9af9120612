"""Which runs are seeds of one row, what the row is called, and runs that are there twice."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ganbench.experiment.result import RunResult
    from ganbench.experiment.store import StoredRun

__all__ = ["Entry", "entries_of", "without_repeated"]

# Fields of a recipe that change no number of the result, or have a column of their own.
_NOT_SETTINGS = ("budget", "dataset", "sample_every")
# The run's own, which may not be the recipe's; the space sorts them first.
_BUDGET, _PRECISION, _COMPILED, _CAPTURED = " budget", " precision", " compiled", " captured"
_SOURCE, _PROCESSES = " source", " processes"
_DIGITS = 6  # of a hash, for people


@dataclass(frozen=True)
class Entry:
    """One run, and the name under which its seeds are put together."""

    run: StoredRun
    label: str

    @property
    def result(self) -> RunResult:
        """The run's record."""
        return self.run.result


def entries_of(
    runs: Sequence[StoredRun], recipes: Mapping[Path, str] | None = None
) -> tuple[Entry, ...]:
    """Name each run by its variant, and by its settings where a variant was run with several.

    A variant whose source has changed between runs is several rows too, so that it is never
    averaged with what it was before.

    Args:
        runs: All of a group.
        recipes: By the paths of runs, what their recipes are called in place of their settings:
            `mlp (tuned)`.
    """
    entries = []
    by_variant: dict[str, list[StoredRun]] = defaultdict(list)
    for run in runs:
        recipe = (recipes or {}).get(run.path)
        by_variant[f"{run.result.variant} ({recipe})" if recipe else run.result.variant].append(run)
    for variant, own in by_variant.items():
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
        _PROCESSES: _processes(result),
    }
    # A run without a recipe broke down before anything was known of it.
    source = {_SOURCE: f"source {result.source_hash[:_DIGITS] or 'unknown'}"} if recipe else {}
    return {**recipe, **({_BUDGET: result.budget} if result.budget else {}), **execution, **source}


def _processes(result: RunResult) -> str:
    count = result.environment.get("processes_per_run", 1)
    return f"{count} process{'es' if count != 1 else ''}"


def _setting(key: str, value: Any) -> str:
    return str(value) if key.startswith(" ") else f"{key}={value}"


def without_repeated(runs: Sequence[StoredRun]) -> tuple[list[StoredRun], tuple[str, ...]]:
    """Leave out runs that repeat an earlier one, since a seed counts once.

    Runs are the same where variant and source, recipe, budget, dataset, device, protocol and seed
    are, whatever became of them: the first is kept also where it failed and a later one did not.

    Returns:
        The runs that are kept, and one note per run that is not.
    """
    seen: dict[str, list[StoredRun]] = defaultdict(list)
    kept, notes = [], []
    for run in runs:
        protocol, same = run.result.protocol, seen[_identity(run.result)]
        protocols = ("", protocol)  # a run that failed has none
        first = next((r for r in same if not protocol or r.result.protocol in protocols), None)
        if first is None:
            same.append(run)
            kept.append(run)
        else:
            notes.append(
                f"{run.result.variant}, seed {run.result.seed}, is there twice: {first.path} is "
                f"used, {run.path} is left out"
            )
    return kept, tuple(notes)


def _identity(result: RunResult) -> str:
    if not result.recipe:
        return result.run_id
    settings = _settings(result)
    parts = (
        result.variant, result.dataset, result.device.partition(":")[0], result.device_name,
        result.seed, result.source_hash, sorted(settings.items(), key=lambda item: item[0]),
    )  # fmt: skip
    return repr(parts)
