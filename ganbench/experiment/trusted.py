"""Which code is run for a stored run: an installed variant, or a file that the user names.

A results folder says where its variant's file was, and may come from anybody: what it says is never
enough to run a file.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ganbench.errors import UsageError
from ganbench.variant import source
from ganbench.variant.registry import entries

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ganbench.experiment.store import StoredRun

__all__ = ["check_source", "is_file_of", "trusted_request"]


def trusted_request(run: StoredRun, named: Sequence[str]) -> str:
    """The name or file by which a stored run's variant is found again; nothing of it is run.

    Args:
        run: The stored run.
        named: Files of variants that the user named.

    Raises:
        UsageError: The variant is not installed, and the user named no file of it or another one.
    """
    result = run.result
    files = [name for name in named if is_file_of(name, result.variant)]
    if files:
        check_source(run, files[0])
        return files[0]
    if named:
        raise UsageError(
            f"{run.path} was made with the variant {result.variant!r}, and --variants "
            f"{','.join(named)} names no file of it: give its file"
        )
    request = result.request or result.variant
    if request not in {entry.name for entry in entries()}:
        raise UsageError(
            f"{run.path} was made with {request}, which is no installed variant: what a results "
            f"folder names is not run by itself; if you trust that file, give --variants {request}"
        )
    return request


def check_source(run: StoredRun, file: str) -> None:
    """See that a file of a stored run's variant is what it was in the run; it is not run.

    Raises:
        UsageError: It is not, or cannot be read.
    """
    stored = run.result.source_hash
    try:
        present = source.identity(Path(file).expanduser())
    except (OSError, SyntaxError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"variant {file} cannot be read: {why}") from error
    if stored and present != stored:
        raise UsageError(
            f"{file} is not the source that {run.path} was made with (its hash is {present}, the "
            f"run's is {stored}): give the file as it was, with the files beside it"
        )


def is_file_of(name: str, variant: str) -> bool:
    """Whether a name on the command line is a file that defines a variant of this name."""
    return name.endswith(".py") and Path(name).stem.replace("_", "-") == variant
