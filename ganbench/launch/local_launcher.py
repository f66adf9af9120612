"""Jobs in processes of their own on this machine, one after the other or side by side."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ganbench.launch import process_pool
from ganbench.launch.tasks import DeviceNameTask, JobTask
from ganbench.machine.device import choose, side_by_side

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ganbench.experiment.plan import Job
    from ganbench.launch.context import CommandContext
    from ganbench.launch.progress import Display
    from ganbench.launch.tasks import Task
    from ganbench.machine.device import Device

__all__ = ["LocalLauncher", "share_of_threads"]


@dataclass(frozen=True)
class LocalLauncher:
    """This machine.

    Attributes:
        at_a_time: Runs side by side, each with its share of the processors.
        devices: What these are spread over, such as `cuda:0` and `cuda:1`; left out, all are on
            the device of the context.
        is_cluster: Whether runs may be on other machines.
    """

    at_a_time: int = 1
    devices: tuple[str, ...] = ()
    is_cluster: bool = False

    @classmethod
    def of(cls, at_a_time: int, requested: str) -> LocalLauncher:
        """Spread runs over all cards, unless one was asked for."""
        return cls(at_a_time, side_by_side(requested) if at_a_time > 1 else ())

    def device(self, requested: str, display: Display) -> tuple[Device, str]:
        """See `Launcher`; the model of a CUDA card is asked for by a process of its own.

        Otherwise this one would hold some of the card's memory as long as the command runs.
        """
        device = choose(requested)
        if device.kind != "cuda":
            return device, device.name
        names: list[str] = []
        process_pool.carry_out(
            [DeviceNameTask(str(device.torch))],
            display,
            done=lambda _task, name: names.append(name),
        )
        return device, names[0]

    def end_earlier(self, _context: CommandContext, _display: Display) -> None:
        """See `Launcher`; a run notices by itself that its command is gone."""

    def carry_out(
        self,
        jobs: Sequence[Job],
        context: CommandContext,
        display: Display,
        done: Callable[[Job], None],
    ) -> None:
        """See `Launcher`."""
        at_a_time = max(1, min(self.at_a_time, len(jobs)))
        threads = share_of_threads(at_a_time) if at_a_time > 1 else None
        devices = self.devices if at_a_time > 1 else ()
        if threads is not None:
            each = f"{threads} thread{'s' if threads > 1 else ''}"
            where = f" on {', '.join(devices)}" if len(devices) > 1 else ""
            display.say(
                f"{at_a_time} runs side by side{where}, {each} each: their throughput is shared, "
                f"and their scores are those of {each}"
            )

        def placed(task: Task, running: Sequence[Task]) -> Task:
            if not (devices and isinstance(task, JobTask)):
                return task
            taken = [other.context.device for other in running if isinstance(other, JobTask)]
            return replace(task, context=replace(context, device=min(devices, key=taken.count)))

        process_pool.carry_out(
            [JobTask(job, context, threads) for job in jobs],
            display,
            at_a_time=at_a_time,
            placed=placed,
            done=lambda task, _value: done(task.job),
        )


def share_of_threads(jobs: int) -> int:
    """Threads of each of some runs side by side."""
    import torch

    return max(1, torch.get_num_threads() // jobs)
