"""Jobs in Slurm's queue, as a job array by submitit; or without Slurm by its local executor."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganbench.errors import UsageError, unknown
from ganbench.launch.launcher import names_one_device, settings_of
from ganbench.launch.slurm_queue import SlurmQueue
from ganbench.machine.device import Device, choose
from ganbench.machine.interrupt import Stopped, StopRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ganbench.experiment.plan import Job
    from ganbench.launch.context import CommandContext
    from ganbench.launch.progress import Display

__all__ = ["SlurmLauncher"]

_FOLDER = "slurm"  # in the results folder
_CLUSTERS = ("slurm", "local")
_CARDS = ("gpus_per_node", "gpus_per_task", "num_gpus", "gres")
_OF_LOCAL = ("setup", "signal_delay_s", "visible_gpus")  # beside what all executors take
_MOST_TIMEOUTS = 1000  # each of which brings a run further


@dataclass(frozen=True)
class SlurmLauncher:
    """Slurm's queue.

    Attributes:
        settings: Passed on to submitit.
        cluster: `slurm`, or `local` for submitit's executor without Slurm.
        at_a_time: The most runs at a time; None for as many as the queue lets run.
        is_cluster: Whether runs may be on other machines.
    """

    settings: Mapping[str, Any] = field(default_factory=dict)
    cluster: str = "slurm"
    at_a_time: int | None = None
    is_cluster: bool = True

    @classmethod
    def of(cls, settings: Sequence[str], at_a_time: int | None) -> SlurmLauncher:
        """Read what the flags say.

        Raises:
            UsageError: They cannot be read.
        """
        read = {key: _value(text) for key, text in settings_of("--slurm", settings).items()}
        cluster = read.pop("cluster", _CLUSTERS[0])
        if cluster not in _CLUSTERS:
            raise UsageError(f"--slurm cluster={cluster} is unknown: give slurm or local")
        return cls(read, str(cluster), at_a_time)

    def device(self, requested: str, _display: Display) -> tuple[Device, str]:
        """See `Launcher`; `auto` is CUDA where the settings ask for cards."""
        kind = requested.strip().lower()
        asks = [key for key in _CARDS if self.settings.get(key)]
        if kind not in ("auto", "cuda", "cpu"):
            raise names_one_device(requested, "Slurm")
        with tempfile.TemporaryDirectory() as folder:  # to see that it can be used
            self._executor(Path(folder))
        if kind == "cuda" or (kind == "auto" and asks):
            why = f"--slurm {asks[0]}" if asks else "asked for"
            return Device("cuda", 0, why), "cards of Slurm's machines"
        why = "asked for" if kind == "cpu" else "no card is asked for with --slurm gpus_per_node"
        chosen = replace(choose("cpu"), reason=why)
        return chosen, chosen.name if self.cluster == "local" else "processors of Slurm's machines"

    def carry_out(
        self,
        jobs: Sequence[Job],
        context: CommandContext,
        display: Display,
        done: Callable[[Job], None],
    ) -> None:
        """See `Launcher`."""
        if not jobs:
            return
        with StopRequest() as request:
            queue = self._queue(context, display, cards=jobs[0].device == "cuda")
            queue.do(jobs, done, request)
        if request.asked:
            raise Stopped

    def end_earlier(self, context: CommandContext, display: Display) -> None:
        """See `Launcher`."""
        if (context.folder.path / _FOLDER).is_dir():
            self._queue(context, display).end_others()

    def _queue(
        self, context: CommandContext, display: Display, *, cards: bool = False
    ) -> SlurmQueue:
        folder = context.folder.path / _FOLDER
        return SlurmQueue(
            self._executor(folder, cards=cards),
            folder,
            context,
            display,
            threads=self._threads,
            most=self._most,
            is_local=self.cluster == "local",
        )

    def _executor(self, folder: Path, *, cards: bool = False) -> Any:
        """Submitit's executor with the settings.

        Raises:
            UsageError: Slurm is not here, or a setting is unknown to it.
        """
        import submitit

        settings = {"name": "ganbench", "cpus_per_task": 1, **self.settings}
        most = settings.pop("max_num_timeout", _MOST_TIMEOUTS)
        if cards and not any(self.settings.get(key) for key in _CARDS):
            settings["gpus_per_node"] = 1
        try:
            if self.cluster == "local":
                known = {*submitit.AutoExecutor._typed_parameters(), *_OF_LOCAL}  # noqa: SLF001 - all names
                if wrong := sorted(set(settings) - known):
                    raise unknown("key in --slurm", wrong[0], {*known, "cluster"})
                executor: Any = submitit.LocalExecutor(folder, max_num_timeout=most)
                executor.update_parameters(**{"timeout_min": 24 * 60, **settings})
                return executor
            if self.at_a_time is not None:
                settings["array_parallelism"] = self.at_a_time
            executor = submitit.AutoExecutor(folder, "slurm", slurm_max_num_timeout=most)
            generic = executor._typed_parameters()  # noqa: SLF001 - names without a prefix
            executor.update_parameters(
                **{key if key in generic else f"slurm_{key}": settings[key] for key in settings}
            )
        except (RuntimeError, ValueError, NameError, AssertionError, TypeError) as error:
            text = str(error).splitlines()[0].rstrip(":?. ")
            raise UsageError(
                f"Slurm cannot be used: {text}; give the command on a machine that has Slurm's "
                "own, with settings that submitit knows, or --slurm cluster=local"
            ) from error
        return executor

    @property
    def _threads(self) -> int:
        """With which each run computes."""
        return int(self.settings.get("cpus_per_task", 1))

    @property
    def _most(self) -> int | None:
        """How many runs may be submitted at a time; None where Slurm's queue holds the rest."""
        if self.cluster == "slurm":
            return None
        return self.at_a_time or max(1, (os.cpu_count() or 1) // self._threads)


def _value(text: str) -> Any:
    """A setting's value: a number or a truth value where it is one, otherwise its text."""
    for kind in (int, float):
        with suppress(ValueError):
            return kind(text)
    return {"true": True, "false": False}.get(text.lower(), text)
