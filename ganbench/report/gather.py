"""Read one or several results folders."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganbench.errors import DataError, UsageError
from ganbench.experiment.looks import Looks, read_looks
from ganbench.experiment.result import RunResult
from ganbench.experiment.store import ResultsFolder, StoredRun
from ganbench.machine.memory import without_collection
from ganbench.report.groups import Group, group_runs
from ganbench.report.rows import Entry, without_repeated
from ganbench.tuning.record import Tuning, read_tuning
from ganbench.visible import visible, visible_values

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Results", "Source", "gather"]


@dataclass(frozen=True)
class Source:
    """One results folder: its path, its plan (empty where lost) and the hand-written notes.

    `looks` is there where seeds were added as needed, `tuning` where recipes were searched.
    """

    path: Path
    plan: dict[str, Any]
    notes: str
    looks: Looks | None = None
    tuning: Tuning | None = None


@dataclass(frozen=True)
class Results:
    """Everything that a report is made of.

    Attributes:
        sources: The folders.
        groups: Their runs.
        notes: What was left out because it is damaged, and which runs because they repeat another.
    """

    sources: tuple[Source, ...]
    groups: tuple[Group, ...]
    notes: tuple[str, ...] = ()

    @cached_property
    def entries(self) -> list[Entry]:
        """All runs, in the order of the tables."""
        return [entry for group in self.groups for entry in group.entries]

    @cached_property
    def records(self) -> list[RunResult]:
        """All runs' records, in the order of the tables."""
        return [entry.result for entry in self.entries]

    @cached_property
    def unfinished(self) -> list[Entry]:
        """The runs whose status is not ok."""
        return [entry for entry in self.entries if entry.result.status != "ok"]

    def of_source(self, source: Source) -> list[Entry]:
        """The runs of one folder, in the order of the tables."""
        return self._by_folder.get(source.path, [])

    @cached_property
    def _by_folder(self) -> dict[Path, list[Entry]]:
        folders: dict[Path, list[Entry]] = defaultdict(list)
        for entry in self.entries:
            folders[entry.run.path.parent.parent].append(entry)
        return folders

    @cached_property
    def planned_primary(self) -> str | None:
        """The score by which seeds were added or recipes chosen; None where none was."""
        decided = (source.looks or source.tuning for source in self.sources)
        planned = {one.primary for one in decided if one is not None}
        return planned.pop() if len(planned) == 1 else None

    @cached_property
    def labels(self) -> list[str]:
        """The variants of all groups, each once."""
        return list(dict.fromkeys(entry.label for entry in self.entries))


def gather(
    directories: Sequence[Path], looks: Mapping[Path, Looks | None] | None = None
) -> Results:
    """Read one or several results folders.

    Runs are put together by dataset, kind and name of the device, and protocol. A variant that was
    run with several recipes, budgets or sources is several rows, each named by what differs. A run
    that is in two folders counts once.

    A file that is damaged is left out, with a note.

    Args:
        directories: The folders.
        looks: Looks that are not stored yet, by folder, in the place of those that are.

    Raises:
        UsageError: A folder holds no finished run or cannot be read.
    """
    if not directories:
        raise UsageError("no results folder was given; name one, for example results/first")
    sources, runs, damaged = [], [], []
    for directory in dict.fromkeys(Path(path) for path in directories):
        with without_collection():
            source, stored, unreadable = _read(directory)
        sources.append(replace(source, looks=(looks or {}).get(directory, source.looks)))
        runs.extend(stored)
        damaged.extend(unreadable)
    kept, repeated = without_repeated(runs)
    notes = tuple(map(visible, (*damaged, *repeated)))
    counted = {source.path: source.looks for source in sources if source.looks is not None}
    recipes = {
        source.path / "runs" / run_id: name
        for source in sources
        if source.tuning is not None
        for run_id, name in source.tuning.names.items()
    }
    groups = tuple(_with_looks(group, counted) for group in group_runs(kept, recipes))
    return Results(tuple(sources), groups, notes)


def _with_looks(group: Group, counted: Mapping[Path, Looks]) -> Group:
    """A group with the looks at the folders of its runs."""
    if not counted:
        return group
    folders = {entry.run.path.parent.parent for entry in group.entries}
    looks = {folder: looks for folder, looks in counted.items() if folder in folders}
    return replace(group, looks=looks)


def _read(directory: Path) -> tuple[Source, list[StoredRun], list[str]]:
    """One folder: what is known of it, its runs, and a line on each file that cannot be read."""
    folder = ResultsFolder(directory)
    if not directory.is_dir():
        raise UsageError(f"{directory} is no folder; give one that `ganbench run` has written")
    try:
        plan, damaged = _read_plan(folder)
        runs, unreadable = _read_runs(folder)
        looks, damaged_looks = _read_looks(folder)
        tuning, damaged_tuning = _read_tuning(folder)
        notes, notes_file = "", directory / "notes.md"
        if notes_file.is_symlink():  # to a file of whoever makes the report, who may publish it
            damaged.append(f"{notes_file} is a link, which is not followed: its text is left out")
        elif notes_file.is_file():
            notes = notes_file.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{directory} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{directory / 'notes.md'} cannot be read: {error}") from error
    if unreadable and not runs:
        raise unreadable[0]
    if not runs:
        raise UsageError(
            f"{directory} holds no finished run (runs/<id>/result.json); "
            "give a folder that `ganbench run` has written"
        )
    damaged += [str(error) for error in (*unreadable, *damaged_looks, *damaged_tuning)]
    return Source(directory, plan, notes, looks, tuning), _in_plan_order(plan, runs), damaged


def _read_plan(folder: ResultsFolder) -> tuple[dict[str, Any], list[str]]:
    """The plan, with texts that can be shown, and what is said where it is damaged."""
    try:
        plan: dict[str, Any] = visible_values(folder.read_plan() or {})
    except DataError as error:
        return {}, [str(error)]
    return plan, []


def _read_looks(folder: ResultsFolder) -> tuple[Looks | None, list[str]]:
    """The looks, and what is said where they are damaged."""
    try:
        return read_looks(folder), []
    except DataError as error:
        return None, [f"{error}; p-values here are those of seeds that were given, and too small"]


def _read_tuning(folder: ResultsFolder) -> tuple[Tuning | None, list[str]]:
    """What was searched, and what is said where that is damaged."""
    try:
        return read_tuning(folder.path), []
    except DataError as error:
        return None, [str(error)]


def _read_runs(folder: ResultsFolder) -> tuple[list[StoredRun], list[DataError]]:
    """The runs, with texts that can be shown, and an error for each that is damaged."""
    runs, damaged = [], []
    for path in folder.run_paths():
        try:
            runs.append(StoredRun.read(path, to_show=True))
        except DataError as error:
            damaged.append(error)
    return runs, damaged


def _in_plan_order(plan: dict[str, Any], runs: list[StoredRun]) -> list[StoredRun]:
    jobs = [job for job in plan.get("jobs") or [] if isinstance(job, dict)]
    place = {job.get("run_id"): index for index, job in enumerate(jobs)}
    return sorted(
        runs, key=lambda run: (place.get(run.result.run_id, len(place)), _order(run.result))
    )


def _order(result: RunResult) -> tuple[str, str, int, str]:
    return result.dataset, result.variant, result.seed, result.run_id
