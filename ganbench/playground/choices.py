"""The trained generators that the page lets one choose from, found in runs and results folders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ganbench.errors import DataError, UsageError
from ganbench.experiment.store import ResultsFolder, StoredRun
from ganbench.experiment.trusted import is_file_of, trusted_request
from ganbench.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

__all__ = ["Choice", "find_choices"]


@dataclass(frozen=True)
class Choice:
    """One generator that was trained.

    Attributes:
        key: Names it among all of the page.
        run: Whose generator it is.
        best: Whether it is meant as it was at the best moment of the run, not at its end.
        files: The file of its variant, where the user named it.
        problem: Why it cannot be loaded, in one line; empty where nothing is known against it.
    """

    key: str
    run: StoredRun
    best: bool = False
    files: tuple[str, ...] = ()
    problem: str = ""

    @property
    def title(self) -> str:
        """The variant, its seed and the moment, on one line."""
        result = self.run.result
        step = result.over_training["best"].get("step") if self.best else result.steps
        moment = ["best of its scores"] if self.best else []
        moment += [f"{step:,} steps"] if step is not None else []
        parts = (result.variant, result.dataset, f"seed {result.seed}", ", ".join(moment))
        return visible(" · ".join(parts))


def find_choices(
    paths: Sequence[Path], files: Sequence[str] = ()
) -> tuple[list[Choice], list[str]]:
    """Find the runs in folders, and say of each whether its generator can be loaded.

    No code and no weights are read.

    Args:
        paths: Folders of runs, results folders, or folders of results folders.
        files: Files of variants that the user named.

    Returns:
        The choices, and what was left out because it is damaged, in sentences.

    Raises:
        UsageError: There is no run in a folder, or none whose generator can be loaded, or a file
            that was named is that of no run.
    """
    runs, notes = _runs(paths)
    unused = [name for name in files if not any(is_file_of(name, r.result.variant) for r in runs)]
    if unused:
        raise UsageError(f"--variants {unused[0]} is the file of no run that was given")
    choices: list[Choice] = []
    for run in runs:
        own = tuple(name for name in files if is_file_of(name, run.result.variant))
        problem = _problem(run, own)
        moments = (False, True) if run.result.over_training.get("best") else (False,)
        for best in moments:
            choices.append(Choice(str(len(choices)), run, best, own, problem))
    if not any(not choice.problem for choice in choices):
        count = f"none of {len(choices)} runs can be played with; " if len(choices) > 1 else ""
        raise UsageError(f"{count}{choices[0].problem}" if choices else "; ".join(notes))
    return choices, notes


def _runs(paths: Sequence[Path]) -> tuple[list[StoredRun], list[str]]:
    """All runs in the order given, each once, and notes on those that are damaged."""
    runs: dict[Path, StoredRun] = {}
    notes: list[str] = []
    for path in paths:
        folders = list(_run_folders(path))
        if not folders:
            what = "holds no finished run" if path.is_dir() else "is no folder"
            raise UsageError(
                f"{path} {what}: give the folder of a run, or a results folder of `ganbench run`"
            )
        for folder in folders:
            try:
                runs.setdefault(folder.resolve(), StoredRun.read(folder))
            except DataError as error:
                if folder == path:
                    raise
                notes.append(str(error))
    return list(runs.values()), notes


def _run_folders(path: Path) -> Iterable[Path]:
    """Folders of finished runs: the folder itself, or those of a results folder, or of many."""
    if (path / "result.json").exists():
        return [path]
    if not path.is_dir():
        return []
    results = [path, *sorted(entry for entry in path.iterdir() if entry.is_dir())]
    return [folder for result in results for folder in ResultsFolder(result).run_paths()]


def _problem(run: StoredRun, files: Sequence[str]) -> str:
    """Why a run's generator cannot be loaded, as far as that is known without loading it."""
    result = run.result
    if not run.checkpoint.exists():
        why = f"it {result.status}" if result.status != "ok" else "checkpoints are not committed"
        return (
            f"{run.path} has no checkpoint.pt to draw from ({why}): run it again with "
            f"{result.command or 'ganbench run'}"
        )
    try:
        trusted_request(run, files)
    except UsageError as error:
        return str(error)
    return ""
