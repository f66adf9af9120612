"""The request of a sweep: from the flags of `ganbench throughput` to jobs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ganbench.errors import UsageError
from ganbench.experiment import plan
from ganbench.variant.registry import entries, expand, resolve

if TYPE_CHECKING:
    from ganbench.experiment.plan import Job
    from ganbench.experiment.suite import Suite

__all__ = ["Request", "make", "parse_batch_sizes"]

_SMALLEST = 2
_KEY = "batch_size"


@dataclass(frozen=True)
class Request:
    """What to measure.

    Attributes:
        jobs: One per variant; the batch size in its recipe is the smallest.
        batch_sizes: In rising order.
        broken: Why a variant cannot be measured at all, by its name.
        notes: Choices that were made for the user, in full sentences.
    """

    jobs: tuple[Job, ...]
    batch_sizes: tuple[int, ...]
    broken: dict[str, str]
    notes: tuple[str, ...]


def parse_batch_sizes(text: str) -> tuple[int, ...]:
    """Read `32,64,128` as numbers in rising order.

    Raises:
        UsageError: One of them is no batch size, or is given twice.
    """
    parts = [part.strip() for part in text.split(",")]
    sizes = sorted(int(part) for part in parts if part.isdecimal())
    if len(sizes) < len(parts) or sizes[0] < _SMALLEST:
        raise UsageError(
            f"--batch-sizes {text!r} cannot be read: give whole numbers of at least {_SMALLEST}, "
            "for example 32,64,128,256"
        )
    if len(set(sizes)) < len(sizes):
        raise UsageError(f"--batch-sizes {text!r} names a size twice: give each once")
    return tuple(sizes)


def make(suite: Suite, batch_sizes: tuple[int, ...], *, device: str, data_root: Path) -> Request:
    """Plan one job per variant, with the smallest of the batch sizes.

    Args:
        suite: Variants, dataset and settings, as `ganbench run` takes them.
        batch_sizes: In rising order.
        device: Kind of the chosen device.
        data_root: Where relative image folders are looked for.

    Raises:
        UsageError: A name, key or value is not right, or a setting names a batch size.
    """
    for setting in suite.set:
        if setting.partition("=")[0].rpartition(".")[2].strip() == _KEY:
            raise UsageError(
                f"--set {setting} contradicts --batch-sizes: leave it out, and give the sizes to "
                "measure with --batch-sizes, for example --batch-sizes 64"
            )
    good, broken = _usable_and_broken(suite.variants)
    if not good:
        return Request((), batch_sizes, broken, ())
    settings = (*suite.set, f"{_KEY}={batch_sizes[0]}")
    asked = suite.model_copy(update={"variants": good, "set": settings, "seeds": "1"})
    made = plan.make(asked, device=device, data_root=data_root)
    return Request(made.jobs, batch_sizes, broken, made.notes)


def _usable_and_broken(names: tuple[str, ...]) -> tuple[tuple[str, ...], dict[str, str]]:
    """Names of variants that can be imported, and those that cannot with the reason.

    Raises:
        UsageError: There is no such variant.
    """
    known = [entry.name for entry in entries()]
    wanted, broken = expand(names)
    good: list[str] = []
    for name in wanted:
        try:
            resolve([name])
        except UsageError as error:
            spelled = name.replace("_", "-")
            if spelled not in known and not Path(name).is_file():
                raise
            broken[Path(name).stem if spelled not in known else spelled] = str(error)
        else:
            good.append(name)
    return tuple(good), broken
