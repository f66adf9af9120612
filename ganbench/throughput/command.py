"""The command `ganbench throughput`, from its flags to its exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psutil

from ganbench import data
from ganbench.experiment.lock import locked
from ganbench.launch.progress import Display
from ganbench.machine import environment
from ganbench.machine.device import choose
from ganbench.machine.interrupt import Stopped
from ganbench.machine.whole_files import remove_leftovers
from ganbench.report.formatting import number
from ganbench.throughput import folder as folders
from ganbench.throughput import request as requests
from ganbench.throughput.curve import rows_of
from ganbench.throughput.peak import PEAK_SECONDS, measure_machine
from ganbench.throughput.sweep import sweep
from ganbench.throughput.table import prefixed, terminal_table
from ganbench.visible import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from rich.console import Console

    from ganbench.experiment.suite import Suite
    from ganbench.machine.device import Device
    from ganbench.throughput.peak import Machine
    from ganbench.throughput.point import Point
    from ganbench.throughput.request import Request
    from ganbench.training.execution import Execution

__all__ = ["measure"]

OK, FAILED, INTERRUPTED = 0, 1, 130


def measure(
    suite: Suite,
    batch_sizes: str,
    *,
    seconds: float,
    fresh: bool,
    command: str,
    console: Console,
    measure_peak: Callable[..., Machine] = measure_machine,
) -> int:
    """Sweep, print a table and write a folder.

    After an interruption, the points measured so far are written.

    Args:
        suite: Variants, dataset, device, settings and places, as `ganbench run` takes them.
        batch_sizes: As given, for example `32,64`.
        seconds: Length of each point.
        fresh: Whether to replace an earlier sweep in the folder that was named.
        command: As the user gave it.
        console: Where to print.
        measure_peak: Measures the machine, as `measure_machine` does.

    Returns:
        The exit code: 1 if a variant failed; running out of memory is an answer, not a failure.

    Raises:
        UsageError: Something that was asked for is not right.
    """
    device, execution = choose(suite.device), suite.execution
    sizes = requests.parse_batch_sizes(batch_sizes)
    root = suite.data_root or data.default_data_root()
    request = requests.make(suite, sizes, device=device.kind, data_root=root)
    path = folders.choose_folder(suite.out, device.kind, fresh=fresh)
    with locked(path):
        folders.choose_folder(path, device.kind, fresh=fresh)  # another command may have written it
        remove_leftovers([path, path / "charts"])
        return _measure_into(
            path, request, sizes, device, execution, seconds, command, console, measure_peak
        )


def _measure_into(
    path: Path,
    request: Request,
    sizes: Sequence[int],
    device: Device,
    execution: Execution,
    seconds: float,
    command: str,
    console: Console,
    measure_peak: Callable[..., Machine],
) -> int:
    """Sweep, and write a folder that is locked; return the exit code."""
    conditions: dict[str, Any] = {
        "command": command,
        "environment": environment.describe(device),
        "load_average": list(psutil.getloadavg()),
        "seconds_a_point": seconds,
        "execution": execution.text,
        "notes": list(request.notes),
    }
    points: list[Point] = []
    code = OK
    with Display(console) as display:
        display.say(f"device: {device.name} ({device.reason})")
        for note in request.notes:
            display.say(note)
        for job in request.jobs:
            what = f"images of {job.image_size}×{job.image_size}"
            if job.spec.kind == "points":
                what = f"points in {job.spec.dimensions:,} dimensions"
            display.say(f"{job.variant}: random {what}, as of {job.spec.name}")
        peak_seconds = min(PEAK_SECONDS, seconds)  # a quick look stays quick
        machine = measure_peak(device, dtype=execution.dtype, seconds=peak_seconds)
        _report_machine(display, machine, execution)
        total = len(request.jobs) * len(sizes) + len(request.broken)

        def begin(name: str) -> None:
            display.update("throughput", len(points), total, name)

        try:
            for point in sweep(request, device, seconds, begin):
                points.append(point)
                display.say(_summary(point))
            # other load may have slowed the first measurement
            again = measure_peak(device, dtype=execution.dtype, seconds=peak_seconds)
            machine = machine.joined(again)
        except (KeyboardInterrupt, Stopped):
            code = INTERRUPTED
            display.say("interrupted: what was measured is kept")
    rows = rows_of(points, machine)
    console.print(terminal_table(rows))  # first, as the disk may be full
    folders.write(path, rows, folders.describe(rows, machine, conditions))
    console.print(f"results: {visible(str(path))}", markup=False, highlight=False, soft_wrap=True)
    failed = any(point.status == "failed" for point in points)
    return code or (FAILED if failed else OK)


def _report_machine(display: Display, machine: Machine, execution: Execution) -> None:
    display.say(
        f"peak: {prefixed(machine.flops_per_second, 'FLOP/s')} "
        f"({machine.best_product}, {execution.precision}), "
        f"memory {prefixed(machine.bytes_per_second, 'B/s')}"
    )


def _summary(point: Point) -> str:
    """A point in one line."""
    name = point.variant + ("" if point.batch_size is None else f" at {point.batch_size:,}")
    if point.images_per_second is None:
        return f"{name}: {point.status}: {point.reason}"
    text = f"{name}: {number(point.images_per_second)} images/s"
    if point.compile_seconds is not None:
        text += f", prepared in {point.compile_seconds:.0f} s"
    return text
