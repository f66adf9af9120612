"""Finding trackers by name: entry points of ganbench itself and of other packages."""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ganbench.errors import UsageError, unknown
from ganbench.machine.packages import is_installed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from importlib.metadata import EntryPoint

    from ganbench.trackers.tracker import TrackedRun, Tracker

__all__ = ["GROUP", "TrackerEntry", "check", "entries", "load", "names"]

GROUP = "ganbench.trackers"
_OWN = "ganbench.trackers."  # modules of trackers that are named like the library that they use
_SUMMARIES = {
    "mlflow": "MLflow: a file store in the results folder, or your tracking server",
    "tensorboard": "TensorBoard: event files in the results folder",
    "trackio": "Trackio: in the results folder, or where its settings say",
    "wandb": "Weights & Biases: your account, or offline in the results folder",
}


@dataclass(frozen=True)
class TrackerEntry:
    """A tracker that `--track` knows.

    Attributes:
        name: As `--track` takes it.
        summary: What it is and where it writes; of other packages, the object that is loaded.
        origin: The package that it comes from.
        problem: Why it cannot be used, or how to install what it needs; empty where it is ready.
    """

    name: str
    summary: str
    origin: str
    problem: str = ""


def entries() -> tuple[TrackerEntry, ...]:
    """All trackers that are declared, sorted by name, without importing any of them."""
    return tuple(map(_entry, names()))


def _entry(name: str) -> TrackerEntry:
    points = [point for point in _entry_points() if point.name == name]
    is_own = name in _SUMMARIES and all(point.value.startswith(_OWN) for point in points)
    packages = {point.dist.name if point.dist is not None else "unknown" for point in points}
    try:
        check([name])
    except UsageError as error:
        problem = _install(name) if is_own else str(error)
    else:
        problem = ""
    summary = _SUMMARIES[name] if is_own else " and ".join(sorted({p.value for p in points}))
    return TrackerEntry(name, summary, " and ".join(sorted(packages)), problem)


def names() -> tuple[str, ...]:
    """Names of all trackers that are installed, sorted."""
    return tuple(sorted({point.name for point in _entry_points()}))


def check(wanted: Iterable[str]) -> None:
    """See that trackers are there, without importing any.

    Args:
        wanted: Their names.

    Raises:
        UsageError: One is unknown, two packages have one of that name, or its library is missing.
    """
    for name in wanted:
        point = _entry_point(name)
        if point.value.startswith(_OWN) and not is_installed(name):
            raise UsageError(f"--track {name} needs the package {name}: {_install(name)}")


def _install(name: str) -> str:
    return f"pip install 'ganbench[{name}]'"


def load(name: str) -> Callable[[TrackedRun], Tracker]:
    """Import a tracker: a function of a run, usually a class.

    Raises:
        UsageError: It is unknown, or two packages have one of that name.
        Exception: Whatever its module raises.
    """
    loaded: Any = _entry_point(name).load()
    if not callable(loaded):
        raise UsageError(f"the tracker {name} is {loaded!r:.80}, and no class or function")
    return loaded  # type: ignore[no-any-return]


def _entry_points() -> tuple[EntryPoint, ...]:
    return tuple(importlib.metadata.entry_points(group=GROUP))


def _entry_point(name: str) -> EntryPoint:
    points = [point for point in _entry_points() if point.name == name]
    if not points:
        raise unknown("tracker", name, names(), f"other packages add some as {GROUP}")
    origins = sorted({_origin(point) for point in points})
    if len(origins) > 1:
        raise UsageError(
            f"the tracker {name!r} has two origins: {' and '.join(origins)}; uninstall one"
        )
    return points[0]


def _origin(point: EntryPoint) -> str:
    package = point.dist.name if point.dist is not None else "an unknown package"
    return f"{point.value} ({package})"
