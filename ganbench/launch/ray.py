"""Jobs as tasks of Ray, on the machines of a cluster or on this one."""

from __future__ import annotations

import importlib
import logging
import os
import socket
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ganbench.errors import UsageError
from ganbench.launch.launcher import names_one_device, read_numbers
from ganbench.launch.ray_tasks import RayTasks, summary
from ganbench.machine.device import Device, choose
from ganbench.machine.interrupt import Stopped, StopRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ganbench.experiment.plan import Job
    from ganbench.launch.context import CommandContext
    from ganbench.launch.progress import Display

__all__ = ["RayLauncher"]

_REACH_SECONDS = 5.0
_HERE = "local"
_KINDS: dict[str, type[int] | type[float]] = {
    "num_cpus": int,
    "num_gpus": float,
    "memory": int,
    "max_retries": int,
}


@dataclass(frozen=True)
class RayLauncher:
    """A cluster of Ray.

    Attributes:
        address: Of the cluster that this machine is a part of; None for one of this machine alone,
            which begins and ends with the command.
        settings: What each run takes of a machine, by the names of Ray, and `max_retries`.
        at_a_time: The most runs at a time; None for as many as the machines take.
        is_cluster: Whether runs may be on other machines.
    """

    address: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    at_a_time: int | None = None
    is_cluster: bool = True

    @classmethod
    def of(cls, address: str | None, settings: Sequence[str], at_a_time: int | None) -> RayLauncher:
        """Read what the flags say.

        Raises:
            UsageError: They cannot be read, or name an address of Ray's client.
        """
        if address is not None and address.startswith("ray://"):
            raise UsageError(
                f"--ray-address {address} is one of Ray's client: give the command on a machine "
                "of the cluster, with --ray-address auto"
            )
        read = read_numbers("--ray", settings, _KINDS)
        for name, value in read.items():
            least = 1 if name == "num_cpus" else 0
            if not value >= least:  # nor nan
                raise UsageError(f"--ray {name}={value:g} is too small: give {least} or more")
        return cls(address, read, at_a_time)

    def device(self, requested: str, _display: Display) -> tuple[Device, str]:
        """See `Launcher`; `auto` is CUDA where the cluster has cards."""
        kind = requested.strip().lower()
        if self.address is None and kind != "cuda":
            chosen = choose(kind)
            if chosen.kind != "cuda":
                return chosen, chosen.name
        elif kind == "cpu":
            return choose("cpu"), "processors of Ray's cluster"
        elif kind not in ("auto", "cuda"):
            raise names_one_device(requested, "Ray")
        with _connected(self.address) as ray:
            count = int(ray.cluster_resources().get("GPU", 0))
        if count:
            return Device("cuda", 0, f"Ray has {count} of them"), "cards of Ray's cluster"
        if kind == "cuda":
            raise UsageError("device 'cuda' is not there: no machine of Ray's cluster has a card")
        return choose("cpu"), "processors of Ray's cluster"

    def end_earlier(self, _context: CommandContext, _display: Display) -> None:
        """See `Launcher`; Ray ends the runs of a command with it."""

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
        with _connected(self.address) as ray, StopRequest() as request:  # as Ray handles SIGTERM
            tasks = RayTasks(ray, self._options, self.at_a_time, context, display)
            try:
                tasks.check_room(jobs[0])
                tasks.do(jobs, done, request)
            finally:
                tasks.close()
        if request.asked:
            raise Stopped

    def _options(self, job: Job) -> dict[str, Any]:
        """What a job takes of a machine, as Ray is told."""
        return {
            "num_cpus": 1,
            "num_gpus": 1 if job.device == "cuda" and not job.frozen else 0,
            "max_retries": 3,
            **self.settings,
        }


@contextmanager
def _connected(address: str | None) -> Iterator[Any]:
    """Connect to a cluster, or begin one; a connection of the caller's own is used as it is.

    Raises:
        UsageError: It cannot be reached.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    logging.getLogger("ray").setLevel(logging.ERROR)
    import ray

    if ray.is_initialized():
        yield ray
        return
    _refuse_unreachable(address)
    # Otherwise Ray prints pages of its own log for each machine that is gone
    importlib.import_module("ray._private.worker")._worker_logs_enabled = False  # type: ignore[attr-defined]  # noqa: SLF001
    try:
        ray.init(
            address=address or _HERE,
            log_to_driver=False,
            logging_level=logging.ERROR,
            include_dashboard=None if address else False,
        )
    except Exception as error:
        raise UsageError(
            f"Ray's cluster {address or 'of this machine'} cannot be used: {summary(error)}; give "
            "--ray-address of a cluster that this machine is a part of, or leave it out"
        ) from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _refuse_unreachable(address: str | None) -> None:
    """Ask at an address whether anybody is there, for which Ray itself would wait for minutes."""
    if address is None or address == "auto":
        return
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdecimal():
        raise UsageError(
            f"--ray-address {address!r} cannot be read: give HOST:PORT, as `ray start` says it, "
            "or auto"
        )
    try:
        socket.create_connection((host.strip("[]"), int(port)), _REACH_SECONDS).close()
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise UsageError(
            f"Ray's cluster {address} cannot be reached: {why}; give --ray-address as `ray start` "
            "says it, or leave it out"
        ) from error
