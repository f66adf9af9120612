"""The tasks of one command in a cluster of Ray: what they are sent, and how they end."""

from __future__ import annotations

import pickle
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from ganbench.errors import GanbenchError, UsageError
from ganbench.experiment.extension import KnownBudgets, earlier_run
from ganbench.launch.endings import Endings
from ganbench.launch.job_files import JobFiles, Needed, needed
from ganbench.launch.ray_keeper import ResultsKeeper
from ganbench.launch.ray_task import SentJob, do_job
from ganbench.launch.same_code import own_code
from ganbench.launch.worker import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ganbench.experiment.plan import Job
    from ganbench.launch.context import CommandContext
    from ganbench.launch.progress import Display
    from ganbench.machine.interrupt import StopRequest

__all__ = ["RayTasks", "summary"]

_WAIT_SECONDS = 0.2
_CLOSE_SECONDS = 5.0
_LONGEST = 300  # characters of what Ray says
_MOST_SENT = 2000  # tasks that Ray knows of at a time


class RayTasks:
    """Has jobs done by tasks.

    Args:
        ray: The library, connected to a cluster.
        options: What a job takes of a machine, as Ray is told.
        most: The most runs at a time; None for as many as the machines take.
        context: Where, and with what.
        display: Shows what the runs show.
    """

    def __init__(
        self,
        ray: Any,
        options: Callable[[Job], dict[str, Any]],
        most: int | None,
        context: CommandContext,
        display: Display,
    ) -> None:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        self._ray = ray
        self._options = options
        self._most = most or _MOST_SENT
        self._context = context
        self._display = display
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        self._keeper = (
            ray.remote(ResultsKeeper)
            .options(num_cpus=0, scheduling_strategy=here)
            .remote(str(context.folder.path))
        )
        self._function = ray.remote(do_job)
        self._code = own_code()
        self._parcels: dict[str, Any] = {}
        self._needed: dict[tuple[str, str, str, bool], tuple[Needed, ...]] = {}
        self._begun: set[str] = set()
        self._known = KnownBudgets(context.folder) if context.folder.run_folders() else None

    def check_room(self, job: Job) -> None:
        """See that some machine can take a run.

        Raises:
            UsageError: None can, or an earlier command's tasks do not end.
        """
        with _one_line():
            self._ray.get(self._keeper.take.remote())  # begins when no other one holds the folder
        asked = self._options(job)
        wanted = {"CPU": asked["num_cpus"], "GPU": asked["num_gpus"]}
        nodes = [node for node in self._ray.nodes() if node["Alive"]]
        if not any(
            all(node["Resources"].get(name, 0) >= value for name, value in wanted.items())
            for node in nodes
        ):
            raise UsageError(
                f"no machine of Ray's cluster of {len(nodes)} has {wanted['CPU']} processors and "
                f"{wanted['GPU']:g} cards for a run: give --ray num_cpus= and num_gpus= less"
            )

    def do(self, jobs: Sequence[Job], done: Callable[[Job], None], request: StopRequest) -> None:
        """Have all jobs done.

        Raises:
            GanbenchError: One cannot be done, or its processes ended too often.
            Stopped: They were asked to stop.
        """
        endings = Endings(len(jobs), self._display, done)
        waiting, running = list(jobs), dict[Any, "Job"]()
        while running or (waiting and not endings.is_stopping):
            while waiting and not endings.is_stopping and len(running) < self._most:
                job = waiting.pop(0)
                running[self._send(job)] = job
            ready, _ = self._ray.wait(
                list(running), num_returns=len(running), timeout=_WAIT_SECONDS, fetch_local=False
            )
            self._show()
            for reference in ready:
                job = running.pop(reference)
                endings.note(job, self._outcome(reference, job))
            if endings.is_time_to_stop(asked=request.asked):
                self._stop(running)
        self._show()
        endings.check()

    def _send(self, job: Job) -> Any:
        kind = (job.request, job.frozen, job.spec.name, job.may_use_inception)
        if kind not in self._needed:
            self._needed[kind] = needed(job, self._context)
        parts = self._needed[kind]
        keys = {part.kind: part.key for part in parts}
        for part in parts:
            if part.key not in self._parcels:
                self._parcels[part.key] = self._ray.put(part.packed())
        earlier = ""
        if self._known and (run := earlier_run(self._context.folder, job, self._known)):
            earlier = run.path.name
        threads = self._options(job)["num_cpus"]
        sent = SentJob(JobFiles(job, keys), self._context, threads, earlier)
        return self._function.options(**self._options(job), name=job.id).remote(
            self._code,
            pickle.dumps(sent),
            {key: [self._parcels[key]] for key in keys.values()},
            self._keeper,
        )

    def _show(self) -> None:
        with _one_line():
            messages, begun = self._ray.get(self._keeper.take.remote())
        for message in messages:
            self._display.show(message)
        for run_id, count in begun.items():
            if count > 1:
                self._display.say(
                    f"{run_id}: its machine or process is gone; it goes on elsewhere from its "
                    "last checkpoint"
                )
        self._begun |= begun.keys()

    def _outcome(self, reference: Any, job: Job) -> Outcome:
        try:
            outcome: Outcome = self._ray.get(reference)
        except self._ray.exceptions.TaskCancelledError:
            return Outcome(is_stopped=True)
        except Exception as error:  # noqa: BLE001 - whatever Ray raises
            text = f"{job.id}: {summary(error)}; the same command goes on"
            return Outcome(error=GanbenchError(text))
        return outcome

    def _stop(self, running: Mapping[Any, Job]) -> None:
        self._ray.get(self._keeper.stop.remote())
        for reference, job in running.items():
            if job.id not in self._begun:
                self._ray.cancel(reference, force=False)

    def close(self) -> None:
        """Give the lock on the results folder back."""
        with suppress(Exception):
            self._ray.get(self._keeper.close.remote(), timeout=_CLOSE_SECONDS)
            self._ray.kill(self._keeper)


@contextmanager
def _one_line() -> Iterator[None]:
    """Say in one line what Ray raises where the results folder's keeper is asked."""
    try:
        yield
    except Exception as error:
        raise GanbenchError(f"{summary(error)}; the same command goes on") from error


def summary(error: Exception) -> str:
    """What an error of Ray says, in one line: that of the cause, where there is one."""
    cause = getattr(error, "cause", None)
    told = str(cause if isinstance(cause, BaseException) else error)
    lines = [line.strip() for line in told.splitlines() if line.strip()] or [type(error).__name__]
    text = lines[-1] if "Traceback" in told or "ray::" in told else lines[0]
    return f"Ray: {text[:_LONGEST].rstrip('.')}"
