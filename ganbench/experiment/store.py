"""The results folder: where each file of a run lies, and how it gets there in one piece.

A run is written to `runs/.<id>.partial/`, with its checkpoint, and renamed to `runs/<id>/` when it
is complete: a folder without a dot is always whole.
"""

from __future__ import annotations

import csv
import datetime
import gzip
import io
import itertools
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganbench.errors import DataError, UsageError
from ganbench.experiment.lock import run_locked
from ganbench.experiment.result import RunResult
from ganbench.experiment.stored_values import check_plan, plain_json
from ganbench.machine import made_folders
from ganbench.machine.whole_files import flush, remove_leftovers, write_whole

__all__ = [
    "LOOKS_FILE",
    "PLAN_FILE",
    "STEP_SECONDS_FILE",
    "ResultsFolder",
    "StoredRun",
    "first_dated_folder",
    "read_text",
    "today",
    "write_bytes",
    "write_rows",
    "write_text",
    "writing",
]

PLAN_FILE = "plan.json"
LOOKS_FILE = "looks.json"
STEP_SECONDS_FILE = "step_seconds.csv.gz"


def today() -> str:
    """The local date, for example `2026-11-25`."""
    return f"{datetime.datetime.now().astimezone():%Y-%m-%d}"


def first_dated_folder(topic: str, is_usable: Callable[[Path], bool]) -> Path:
    """The first of today's folders in `results/` that does not exist or may be used again.

    They are `results/2026-11-25_<topic>`, then the same with `-2`, `-3` and so on.

    Args:
        topic: What the folder is about, for example `cpu_mnist`.
        is_usable: Whether a folder that exists may be used.
    """
    stem = f"{today()}_{topic}"
    names = itertools.chain([stem], (f"{stem}-{number}" for number in itertools.count(2)))
    paths = (Path("results") / name for name in names)
    return next(path for path in paths if not path.exists() or is_usable(path))


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Say in one line what is in the way of writing a file or folder inside a `with`.

    Raises:
        UsageError: The disk is full, or something is gone or protected.
    """
    try:
        yield
    except OSError as error:
        why = error.strerror or " ".join(str(error).split())
        raise UsageError(
            f"{path} cannot be written: {why}; once it can, the same command with --out goes on"
        ) from error


def write_text(path: Path, text: str, *, durable: bool = False) -> None:
    """Write a file so that a reader sees the old text or the new one, never a part.

    Args:
        path: The file; folders above it are made.
        text: Its content.
        durable: Whether that holds after a power cut too.
    """
    # Names of files may not be UTF-8
    write_bytes(path, text.encode(errors="backslashreplace"), durable=durable)


def write_bytes(path: Path, content: bytes, *, durable: bool = False) -> None:
    """Write a file as `write_text` does; a link is replaced and not followed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, content, durable=durable)


def read_text(path: Path) -> str:
    """Read a file of the folder; a pipe or a device would be waited for without an end.

    Raises:
        OSError: It cannot be read, or is no file.
        UnicodeDecodeError: It is not UTF-8.
    """
    if path.exists() and not path.is_file():
        raise OSError(f"{path.name} is no file")
    return path.read_text(encoding="utf-8")


def write_rows(
    path: Path, heads: Sequence[str], rows: Sequence[Mapping[str, float | None]]
) -> None:
    """Write a table of numbers as CSV, in one piece; what is None or missing in a row is empty.

    A path that ends with `.gz` is compressed, the same rows to the same bytes.

    Raises:
        UsageError: The file cannot be written.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(heads)
    for row in rows:
        values = [row.get(head) for head in heads]
        writer.writerow(["" if value is None else f"{value:.6g}" for value in values])
    content = text.getvalue().encode()
    with writing(path):
        write_whole(path, gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)


@dataclass(frozen=True)
class StoredRun:
    """A finished run: its record, and the folder with the rest of its files."""

    result: RunResult
    path: Path

    @property
    def history(self) -> Path:
        """The CSV of losses and rates over the steps; may be missing for a failed run."""
        return self.path / "history.csv"

    @property
    def scores(self) -> Path:
        """The CSV of scores during training; missing where none were asked for."""
        return self.path / "scores.csv"

    @property
    def step_seconds(self) -> Path:
        """The compressed CSV of each step's seconds; missing for a run that failed."""
        return self.path / STEP_SECONDS_FILE

    @property
    def samples(self) -> list[Path]:
        """The sample grids `step-<number>.png`, in the order of their steps."""
        return sorted(self._pictures("step-*.png"), key=lambda grid: (len(grid.name), grid.name))

    @property
    def real_and_fake(self) -> Path | None:
        """The grid of real images beside generated ones; None where there is none."""
        return next(iter(self._pictures("real-and-fake.png")), None)

    def _pictures(self, pattern: str) -> list[Path]:
        """Pictures in the folder of samples, but for links.

        A report shows them, and a link may lead to a picture of whoever makes it.
        """
        folder = self.path / "samples"
        if folder.is_symlink():
            return []
        return [path for path in folder.glob(pattern) if path.is_file() and not path.is_symlink()]

    @property
    def checkpoint(self) -> Path:
        """The state of the networks at the end."""
        return self.path / "checkpoint.pt"

    @classmethod
    def read(cls, path: Path, *, to_show: bool = False) -> StoredRun:
        """Read one run's folder.

        Args:
            path: The folder.
            to_show: Give texts as they can be shown (`ganbench.visible`), not as they are stored.

        Raises:
            DataError: There is no readable `result.json` in it.
        """
        file = path / "result.json"
        try:
            return cls(RunResult.from_json(read_text(file), to_show=to_show), path)
        except OSError as error:
            runs = sorted((path / "runs").glob("[!.]*/result.json"))
            if runs:
                raise DataError(
                    f"{path} is a results folder of {len(runs)} run(s): "
                    f"give one of them, for example {runs[0].parent}"
                ) from error
            raise DataError(f"{path} holds no run: {file} cannot be read ({error})") from error
        except ValueError as error:
            raise DataError(
                f"{file} cannot be read as a run's result: {error}; "
                "restore it, or remove its folder and run again"
            ) from error


@dataclass(frozen=True)
class ResultsFolder:
    """One comparison on disk."""

    path: Path

    @property
    def plan_file(self) -> Path:
        """What was asked for: the command, the jobs and when."""
        return self.path / PLAN_FILE

    @property
    def looks_file(self) -> Path:
        """Which looks at the scores were taken; missing where seeds are not added as needed."""
        return self.path / LOOKS_FILE

    def run_path(self, run_id: str) -> Path:
        """Folder of a finished run."""
        return self.path / "runs" / run_id

    def partial_path(self, run_id: str) -> Path:
        """Folder of a run that is not finished."""
        return self.path / "runs" / f".{run_id}.partial"

    def prepare(self) -> None:
        """Make the folder and see that files can be written in it; it stays empty.

        Raises:
            UsageError: The path cannot be written.
        """
        try:
            made_folders.note(self.path)
            self.path.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.path):
                pass
        except OSError as error:
            raise UsageError(
                f"results cannot be written to {self.path}: {error.strerror}; "
                "give a writable folder with --out"
            ) from error

    def read_plan(self) -> dict[str, Any] | None:
        """Read the stored plan; None where there is none.

        Raises:
            DataError: The file is damaged.
        """
        try:
            values = plain_json(read_text(self.plan_file))
            check_plan(values)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError) as error:
            raise DataError(
                f"{self.plan_file} cannot be read: {error}; --fresh starts over"
            ) from error
        plan: dict[str, Any] = values
        return plan

    def write_plan(self, plan: dict[str, Any]) -> None:
        """Store what was asked for.

        Raises:
            UsageError: It cannot be written.
        """
        with writing(self.plan_file):
            write_text(self.plan_file, json.dumps(plan, indent=1) + "\n", durable=True)

    def runs(self) -> list[StoredRun]:
        """All finished runs, by name.

        Raises:
            DataError: A run's record is damaged.
        """
        return [StoredRun.read(path) for path in self.run_paths()]

    def run_paths(self) -> list[Path]:
        """Folders of all finished runs, by name."""
        return [file.parent for file in sorted((self.path / "runs").glob("[!.]*/result.json"))]

    def run_folders(self) -> list[Path]:
        """Folders of all runs, finished or not, by name."""
        return [path for path in sorted((self.path / "runs").glob("*")) if path.is_dir()]

    def find(self, run_id: str) -> StoredRun | None:
        """One finished run, or None."""
        path = self.run_path(run_id)
        return StoredRun.read(path) if (path / "result.json").exists() else None

    def find_readable(self, run_id: str) -> StoredRun | None:
        """One finished run whose record can be read, or None."""
        try:
            return self.find(run_id)
        except DataError:
            return None

    def open_run(self, run_id: str) -> Path:
        """Make the folder of a run to do; one that failed before goes on with what it has left.

        Raises:
            UsageError: It cannot be written.
        """
        partial, final = self.partial_path(run_id), self.run_path(run_id)
        with writing(partial):
            if final.exists() and not partial.exists():
                final.replace(partial)
                for name in ("result.json", "error.txt"):
                    (partial / name).unlink(missing_ok=True)
            partial.mkdir(parents=True, exist_ok=True)
        return partial

    def finish(self, result: RunResult) -> StoredRun:
        """Write a run's record and make its folder visible, in one step.

        All files of the run are on the disk by then, as a finished run is never done again.

        Raises:
            UsageError: It cannot be written.
        """
        partial, final = self.partial_path(result.run_id), self.run_path(result.run_id)
        with writing(final):
            partial.mkdir(parents=True, exist_ok=True)
            write_text(partial / "result.json", result.to_json())
            for path in (*partial.rglob("*"), partial):
                flush(path)
            if final.exists():
                shutil.rmtree(final)
            partial.replace(final)
            flush(final.parent)
        return StoredRun(result, final)

    def amend(self, result: RunResult) -> StoredRun:
        """Replace the record of a finished run, in one piece.

        Raises:
            UsageError: It cannot be written.
        """
        path = self.run_path(result.run_id)
        with writing(path):
            write_text(path / "result.json", result.to_json(), durable=True)
        return StoredRun(result, path)

    @contextmanager
    def one_process(self, run_id: str) -> Iterator[None]:
        """Let one process at a time work on a run.

        Raises:
            UsageError: Another does not end, or the results folder is gone.
        """
        if not self.path.is_dir():
            raise UsageError(
                f"{self.path} is gone, which somebody has removed or moved: put it back, or give "
                "the same command again to do all runs afresh"
            )
        runs = self.path / "runs"
        with writing(runs):
            runs.mkdir(exist_ok=True)
        with run_locked(runs / f".{run_id}.lock"):
            yield

    def clean(self) -> None:
        """Remove what writers that were killed have left half-written; for who holds the lock."""
        runs = self.path / "runs"
        partial = list(runs.glob(".*.partial"))
        samples = [path / "samples" for path in partial]
        remove_leftovers([self.path, self.path / "charts", *partial, *samples])

    def clear(self, is_named: Callable[[str], bool]) -> None:
        """Remove runs and the plan, finished or not; other files stay.

        Args:
            is_named: Whether the run of some name goes.

        Raises:
            UsageError: Something cannot be removed.
        """
        try:
            for path in self.run_folders():
                if is_named(path.name.removeprefix(".").removesuffix(".partial")):
                    shutil.rmtree(path)
            with suppress(OSError):  # unless runs are left in it
                (self.path / "runs").rmdir()
            self.plan_file.unlink(missing_ok=True)
            self.looks_file.unlink(missing_ok=True)
        except OSError as error:
            raise UsageError(f"{self.path} cannot be cleared for --fresh: {error}") from error
