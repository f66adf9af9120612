"""Sweeping batch sizes, variant by variant, as far as memory allows."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import psutil

from ganbench.data.noise import noise_dataset
from ganbench.machine.device import is_out_of_memory
from ganbench.report.formatting import in_unit
from ganbench.throughput.point import Point, measure_point
from ganbench.visible import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ganbench.data.dataset import Dataset
    from ganbench.experiment.plan import Job
    from ganbench.machine.device import Device
    from ganbench.throughput.request import Request

__all__ = ["sweep"]

_LONGEST_REASON = 300  # characters


def sweep(
    request: Request,
    device: Device,
    seconds: float,
    begin: Callable[[str], None],
    measure: Callable[[Job, Dataset, Device, float], Point] = measure_point,
) -> Iterator[Point]:
    """Measure each variant at each batch size, in rising order.

    After a batch that does not fit into memory, or whose step raises, the variant's larger batches
    are skipped with that reason; the other variants go on.

    Args:
        request: What to measure.
        device: Where to measure.
        seconds: Length of each point.
        begin: Called with the name of each point before it is measured.
        measure: Measures one point, as `measure_point` does.

    Yields:
        Each point as soon as it is known; variants that cannot be used at all come first.
    """
    for name, reason in request.broken.items():
        yield Point(name, "failed", reason)
    for job in request.jobs:
        yield from _sweep_variant(job, request.batch_sizes, device, seconds, begin, measure)


def _sweep_variant(
    job: Job,
    batch_sizes: tuple[int, ...],
    device: Device,
    seconds: float,
    begin: Callable[[str], None],
    measure: Callable[[Job, Dataset, Device, float], Point],
) -> Iterator[Point]:
    dataset = noise_dataset(job.spec, job.image_size)
    done: list[Point] = []
    stop = ""
    for size in batch_sizes:
        sized = dataclasses.replace(job, recipe={**job.recipe, "batch_size": size})
        if stop:
            yield Point.of(sized, "skipped", stop)
            continue
        begin(f"{job.variant} at {size}")
        point = _expected_not_to_fit(sized, done, device)
        if point is None:
            point = _attempt(measure, sized, dataset, device, seconds)
            device.release_memory()  # what a failure held is free only now
        if point.status != "ok":
            stop = f"batch {size}: {point.reason}"
        done.append(point)
        yield point


def _attempt(
    measure: Callable[[Job, Dataset, Device, float], Point],
    job: Job,
    dataset: Dataset,
    device: Device,
    seconds: float,
) -> Point:
    """Measure a point; an error becomes a point with a reason."""
    try:
        return measure(job, dataset, device, seconds)
    except Exception as error:  # noqa: BLE001 - a plugin may raise anything
        reason = quoted(f"{type(error).__name__}: {error}", _LONGEST_REASON)
        return Point.of(job, "out of memory" if is_out_of_memory(error) else "failed", reason)


def _expected_not_to_fit(job: Job, done: list[Point], device: Device) -> Point | None:
    """A point `out of memory` for a batch that must not be tried; None for one that may be.

    A graphics card refuses an allocation, and the refusal can be caught. Linux grants more memory
    than there is and ends the process that uses it; so on the CPU the memory of the last two points
    is extrapolated.
    """
    known = [
        (point.batch_size, point.peak_memory_bytes)
        for point in done[-2:]
        if point.batch_size is not None and point.peak_memory_bytes is not None
    ]
    if device.kind != "cpu" or len(known) < 2:  # noqa: PLR2004 - a line needs two points
        return None
    (small, before), (large, after) = known
    more = (after - before) / (large - small) * (job.recipe["batch_size"] - large)
    free = device.free_memory_bytes() + psutil.Process().memory_info().rss
    if after + more <= free:
        return None
    return Point.of(
        job,
        "out of memory",
        f"not tried: the process would need about {in_unit(after + more, 'bytes')} and can have "
        f"{in_unit(free, 'bytes')}",
    )
