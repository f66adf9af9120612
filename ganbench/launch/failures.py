"""Whose fault an error is: the variant's, which costs one row, or that of the machine around it."""

from __future__ import annotations

import traceback
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ganbench.errors import GanbenchError
from ganbench.machine.interrupt import Stopped
from ganbench.machine.ranks import RankLost
from ganbench.training.session import Diverged
from ganbench.variant import registry, source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ganbench.experiment.plan import Job

__all__ = ["VariantFailure", "from_variant", "variant_code"]

Item = TypeVar("Item")


class VariantFailure(Exception):  # noqa: N818 - an outcome of a run, not an error of ganbench
    """The code of a variant raised something; the message is the reason in the run's row."""


@contextmanager
def variant_code(job: Job, but: tuple[type[BaseException], ...] = ()) -> Iterator[None]:
    """Around code of a variant, or training: whatever is raised inside is the variant's failure.

    A variant's code may raise anything: it may end the process, parse arguments, or interrupt.

    Args:
        job: Whose variant it is.
        but: Errors that ganbench itself may raise inside: they come through as they are, unless
            the variant's own file has raised them.

    Raises:
        VariantFailure: The reason names the variant, and the line of its file where one is known.
        Diverged: A loss is not finite, which is an outcome of its own.
        Stopped: The run was asked to stop.
        RankLost: Another process of the run is gone.
    """
    try:
        yield
    except (Diverged, Stopped, RankLost):
        raise
    except BaseException as error:
        path = _file_of(job)
        if isinstance(error, but) and not _raised_in(error, path):
            raise
        raise VariantFailure(_reason(error, job, path)) from error


def from_variant(job: Job, items: Iterator[Item]) -> Iterator[Item]:
    """Hand on what an iterator over a variant's code gives; what it raises is the variant's.

    What is raised where the items are used does not pass here.
    """
    while True:
        with variant_code(job, but=(OSError,)):  # images may be read from a disk
            try:
                item = next(items)
            except StopIteration:
                return
        yield item


def _file_of(job: Job) -> Path | None:
    """The file of a job's variant; None where the variant cannot be found any more."""
    if job.request.endswith(".py"):
        return Path(job.request)
    try:
        (resolved,) = registry.resolve([job.request])
    except GanbenchError:
        return None
    return resolved.path


def _raised_in(error: BaseException, path: Path | None) -> bool:
    if path is None:
        return False
    frames = traceback.extract_tb(error.__traceback__)
    return any(Path(frame.filename) == path.resolve() for frame in frames)


def _reason(error: BaseException, job: Job, path: Path | None) -> str:
    is_own = isinstance(error, GanbenchError) and not _raised_in(error, path)
    text = " ".join(str(error).split()) if is_own else source.reason(error, path or Path())
    return f"{job.variant}: {text}"
