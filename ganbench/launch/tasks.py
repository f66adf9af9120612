"""What the processes of a command are asked to do, as it travels to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ganbench.experiment.plan import Job
from ganbench.launch.context import CommandContext

if TYPE_CHECKING:
    from ganbench.launch.progress import Display
    from ganbench.launch.timings import Cost

__all__ = ["DeviceNameTask", "EstimateTask", "JobTask", "PreparationTask", "Task", "TimingTask"]


class Task(Protocol):
    """Work for a process of its own."""

    @property
    def label(self) -> str:
        """What is shown of it stands under this name; empty where it is the only one."""

    def carry_out(self, display: Display) -> object:
        """Do it, in that process; the value that is returned travels back.

        Raises:
            GanbenchError: It cannot be done.
            Stopped: It was asked to stop.
        """


@dataclass(frozen=True)
class JobTask:
    """To do a job and store its run.

    Attributes:
        job: What to do.
        context: Where, and with what.
        threads: Its share of the threads beside other jobs; None for all of them.
    """

    job: Job
    context: CommandContext
    threads: int | None = None

    @property
    def label(self) -> str:
        """The run for people."""
        return self.job.label

    def carry_out(self, display: Display) -> None:
        """Do the job."""
        from ganbench.launch import ranks
        from ganbench.launch.resources import Resources
        from ganbench.launch.run_job import run_job
        from ganbench.machine.torch_settings import limit_threads

        if self.threads is not None:
            limit_threads(self.threads)
        is_shared = self.threads is not None
        if self.job.processes > 1:
            import torch

            threads = torch.get_num_threads()
            ranks.carry_out(self.job, self.context, display, threads, is_shared=is_shared)
            return
        with self.context.folder.one_process(self.job.id):
            run_job(self.job, Resources.of(self.context, display, is_shared=is_shared))


@dataclass(frozen=True)
class TimingTask:
    """To measure the speeds of a finished run again, with nothing else running."""

    job: Job
    context: CommandContext
    label: str = ""

    def carry_out(self, display: Display) -> None:
        """Measure, and store the speeds with the run."""
        from ganbench.launch.resources import Resources
        from ganbench.launch.retime import time_alone

        time_alone(self.job, Resources.of(self.context, display))


@dataclass(frozen=True)
class PreparationTask:
    """To read what jobs need and what may be missing.

    Attributes:
        jobs: Those that are not finished.
        context: Where to look.
        side_by_side: Whether several of them run at a time.
        threads: With which it computes; None for all of them.
    """

    jobs: tuple[Job, ...]
    context: CommandContext
    side_by_side: bool
    label: str = ""
    threads: int | None = None

    def carry_out(self, display: Display) -> None:
        """Read it."""
        from ganbench.launch.prepare import prepare
        from ganbench.launch.resources import Resources
        from ganbench.machine.torch_settings import limit_threads

        if self.threads is not None:
            limit_threads(self.threads)
        resources = Resources.of(self.context, display)
        prepare(self.jobs, resources, side_by_side=self.side_by_side)


@dataclass(frozen=True)
class EstimateTask:
    """To find out what the runs of a plan will take.

    Attributes:
        jobs: One per variant.
        context: Where earlier timings are, and the device.
    """

    jobs: tuple[Job, ...]
    context: CommandContext
    label: str = ""

    def carry_out(self, display: Display) -> dict[str, Cost | str]:
        """Find out, by variant, what its run takes, or why that cannot be said.

        What the runs would be refused for is found out first, as it takes seconds.

        Raises:
            UsageError: A dataset or the weights of a backbone cannot be had.
        """
        from ganbench.launch.estimate import estimate
        from ganbench.launch.failures import VariantFailure
        from ganbench.launch.prepare import check_obtainable
        from ganbench.machine.device import choose
        from ganbench.training.session import Diverged

        device = choose(self.context.device)
        device.activate()
        backbones = check_obtainable(self.jobs, self.context, display)
        costs: dict[str, Cost | str] = {}
        for job in self.jobs:
            if job.frozen:
                costs[job.variant] = "made elsewhere, and scored alone"
                continue
            try:
                backbone = backbones[job.spec.name]
                costs[job.variant] = estimate(
                    job, device, self.context.cache_root, backbone, display
                )
            except (VariantFailure, Diverged) as error:
                costs[job.variant] = str(error)
        return costs


@dataclass(frozen=True)
class DeviceNameTask:
    """To ask for the name of a device, which initialises CUDA and so takes memory of the card."""

    device: str
    label: str = ""

    def carry_out(self, _display: Display) -> str:
        """Ask."""
        from ganbench.machine.device import choose

        return choose(self.device).name
