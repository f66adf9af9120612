"""What is refused of runs on several processes, before anything is trained."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ganbench.errors import UsageError

if TYPE_CHECKING:
    from ganbench.experiment.suite import Suite
    from ganbench.machine.device import Device
    from ganbench.variant.recipe import Recipe

__all__ = ["refuse_devices", "refuse_processes", "refuse_shares"]


def refuse_processes(suite: Suite) -> None:
    """Refuse what several processes of a run cannot do.

    Raises:
        UsageError: The suite asks for it.
    """
    count = suite.processes_per_run
    if count == 1:
        return
    from torch import distributed

    if not (distributed.is_available() and distributed.is_gloo_available()):
        raise UsageError(
            f"--processes-per-run {count} needs torch with torch.distributed and Gloo, and this "
            "one is built without: leave it out"
        )
    asked = [("--compile", suite.compile), ("--cuda-graphs", suite.cuda_graphs),
             ("--exclusive-timing", suite.exclusive_timing),
             (f"--launcher {suite.launcher}", suite.launcher != "local")]  # fmt: skip
    for flag, is_asked in asked:
        if is_asked:
            raise UsageError(
                f"{flag} cannot be used with --processes-per-run {count}: leave one of them out"
            )


def refuse_devices(count: int, device: Device) -> None:
    """Refuse more processes than there are devices.

    Args:
        count: Processes of each run.
        device: The one that was chosen.

    Raises:
        UsageError: There are too few.
    """
    if count == 1 or device.kind == "cpu":
        return
    if device.kind == "mps":
        raise UsageError(
            f"--processes-per-run {count} needs a device for each process, and there is one MPS "
            "device: leave it out, or give --device cpu"
        )
    if device.index:
        raise UsageError(
            f"--processes-per-run {count} takes cuda:0 to cuda:{count - 1}, and "
            f"--device cuda:{device.index} names another: give --device cuda"
        )
    available = device.vendor.device_count()
    if count > available:
        there = f"{available} CUDA device{'s' if available != 1 else ''}"
        raise UsageError(
            f"--processes-per-run {count} needs a device for each process, and this machine has "
            f"{there}: give at most {available}"
        )


def refuse_shares(recipe: Recipe, count: int, group: int = 1) -> None:
    """Refuse a batch that cannot be shared out evenly.

    Args:
        recipe: Gives the batch, and how many images are packed.
        count: Processes of the run.
        group: Images that the variant's networks look at together.

    Raises:
        UsageError: It cannot.
    """
    if count == 1:
        return
    whole = count * math.lcm(recipe.packing, group)
    share, rest = divmod(recipe.batch_size, count)
    if rest or share == 0:
        raise UsageError(
            f"batch_size={recipe.batch_size} cannot be shared evenly by {count} processes: give a "
            f"multiple of {whole} with --set batch_size=, or another --processes-per-run"
        )
    for size, what in (
        (recipe.packing, f"packing={recipe.packing}"),
        (group, f"the {group} images that its networks look at together"),
    ):
        if share % size:
            raise UsageError(
                f"each of {count} processes has {share} images of batch_size={recipe.batch_size}, "
                f"which is no multiple of {what}: give a multiple of {whole} with "
                "--set batch_size=, or another --processes-per-run"
            )
