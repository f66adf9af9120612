"""What launchers cost beside the runs: bookkeeping of very many jobs, Ray's tasks, and each run.

    python benchmarks/launchers.py --of bookkeeping             # 1,000 and 10,000 jobs without work
    python benchmarks/launchers.py --of ray                     # the same as tasks of Ray
    python benchmarks/launchers.py --of runs                    # whole commands of 2 and 10 runs

Jobs without work are planned, launched and stored as any other; nothing is trained. Each
measurement is in a process of its own, whose seconds and highest memory it says.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import psutil
import typer
from command import Report, run
from rich.console import Console

from ganbench.errors import GanbenchError
from ganbench.experiment import plan as planning
from ganbench.experiment.result import RunResult
from ganbench.experiment.store import ResultsFolder
from ganbench.experiment.suite import Suite
from ganbench.launch import local
from ganbench.launch.context import CommandContext
from ganbench.launch.progress import Display
from ganbench.machine.device import Device
from ganbench.machine.interrupt import StopRequest
from ganbench.machine.memory import peak_host_memory_bytes

_JOBS = (1000, 10_000)
_FEW, _MANY = 2, 10
_STORE = 100 * 2**20
_CALLS, _FILES, _CHECKPOINT = 500, 5, 25_000_000
_SMALL = ("batch_size=32", "generator_width=8", "discriminator_width=8")


class Part(StrEnum):
    """What is measured."""

    BOOKKEEPING = "bookkeeping"
    RAY = "ray"
    RUNS = "runs"


class StoreAlone:
    """A launcher that stores an empty run for each job."""

    is_cluster = False

    def device(self, _requested: str, _display: Display) -> tuple[Device, str]:
        """No job needs one."""
        raise NotImplementedError

    def carry_out(self, jobs, context, _display, done) -> None:
        """Store a record for each job."""
        for job in jobs:
            context.folder.open_run(job.id)
            record = RunResult(
                run_id=job.id, status="ok", variant=job.variant, dataset=job.spec.name,
                seed=job.seed, device="cpu", device_name="none", request=job.request,
                source_hash=job.source_hash, asked=job.asked, recipe=job.recipe,
                dataset_fields=job.spec.fields, budget=job.budget_text, environment={},
            )  # fmt: skip
            context.folder.finish(record)
            done(job)


def _planned(count: int) -> planning.Plan:
    suite = Suite(
        variants=("mlp",), dataset="digits", seeds=str(count), budget="1steps", set=_SMALL
    )
    return planning.make(suite, device="cpu", data_root=Path())


def _context(scratch: Path) -> CommandContext:
    folder = ResultsFolder(scratch / "results")
    folder.prepare()
    return CommandContext(folder, "cpu", scratch / "data", scratch / "cache")


def bookkeeping(count: int, scratch: Path) -> dict[str, Any]:
    """Plan so many jobs, launch them without work, and store their runs."""
    begun = time.perf_counter()
    plan, context = _planned(count), _context(scratch)
    record = local.plan_record(
        plan, device="cpu", device_name="none", device_reason="", command="ganbench"
    )
    context.folder.write_plan(record)
    planned = time.perf_counter()
    runs = local.launch(plan, context, Display(Console(quiet=True)), launcher=StoreAlone())
    launched = time.perf_counter()
    assert len(runs) == count
    again = local.launch(plan, context, Display(Console(quiet=True)), launcher=StoreAlone())
    assert len(again) == count
    return {
        "jobs": count,
        "plan_seconds": planned - begun,
        "launch_seconds": launched - planned,
        "again_seconds": time.perf_counter() - launched,
        "peak_memory_bytes": peak_host_memory_bytes(),
        "plan_bytes": context.folder.plan_file.stat().st_size,
    }


def no_work(_code: Any, pickled: bytes, _parcels: Any, keeper: Any) -> Any:
    """In the place of a job, ask the keeper what a job asks it, once each."""
    import pickle

    from ganbench.launch.ray_courier import answer
    from ganbench.launch.worker import Outcome

    run_id = pickle.loads(pickled).files.job.id  # noqa: S301 - made a moment ago
    begun, _ = answer(keeper.begin.remote(run_id, ""))
    answer(keeper.deliver.remote(run_id, begun, [], b""))
    return Outcome()


def deliver(keeper: Any, calls: int, size: int) -> float:
    """Call the keeper so often, with a file of some bytes each time; return the seconds of one."""
    import io
    import tarfile

    from ganbench.launch.ray_courier import answer

    parcel = b""
    if size:
        written = io.BytesIO()
        with tarfile.open(fileobj=written, mode="w") as opened:
            entry = tarfile.TarInfo("runs/.measured.partial/checkpoint.pt")
            entry.size = size
            opened.addfile(entry, io.BytesIO(os.urandom(size)))
        parcel = written.getvalue()
    begun, _ = answer(keeper.begin.remote("measured", ""))
    started = time.perf_counter()
    for _ in range(calls):
        answer(keeper.deliver.remote("measured", begun, [], parcel))
    return (time.perf_counter() - started) / calls


def ray_tasks(count: int, scratch: Path) -> dict[str, Any]:
    """Launch so many jobs without work by Ray, on this machine."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    import ray

    from ganbench.launch.ray_tasks import RayTasks

    plan, context = _planned(count), _context(scratch)
    (context.folder.path / "runs").mkdir()
    begun = time.perf_counter()
    ray.init(
        address="local", include_dashboard=False, log_to_driver=False,
        object_store_memory=_STORE, num_cpus=os.cpu_count(),
    )  # fmt: skip
    try:
        started = time.perf_counter()
        tasks = RayTasks(
            ray, lambda _job: {"num_cpus": 1}, None, context, Display(Console(quiet=True))
        )
        tasks._function = ray.remote(no_work)  # noqa: SLF001 - all but the work is measured
        with StopRequest() as request:
            done: list[Any] = []
            tasks.do(plan.jobs, done.append, request)
        ended = time.perf_counter()
        assert len(done) == count
        memory = _memory_of_ray()
        kept = tasks._keeper  # noqa: SLF001 - as tasks call it
        calls, files = (
            ray.get(ray.remote(deliver).remote(kept, *which))
            for which in ((_CALLS, 0), (_FILES, _CHECKPOINT))
        )
        tasks.close()
    finally:
        ray.shutdown()
    return {
        "jobs": count,
        "start_seconds": started - begun,
        "launch_seconds": ended - started,
        "call_seconds": calls,
        "checkpoint_seconds": files,
        "peak_memory_bytes": peak_host_memory_bytes(),
        **memory,
    }


def _memory_of_ray() -> dict[str, int]:
    """Memory of Ray's processes on this machine, in use now."""
    sizes = {"scheduler_bytes": 0, "keeper_bytes": 0, "workers_bytes": 0}
    for process in psutil.Process().children(recursive=True):
        name = " ".join(process.cmdline())
        kind = (
            "keeper" if "ResultsKeeper" in name else "workers" if "ray::" in name else "scheduler"
        )
        sizes[f"{kind}_bytes"] += process.memory_info().rss
    return sizes


def runs(launcher: str, scratch: Path) -> dict[str, Any]:
    """Whole commands of few and more runs of one step, one run at a time."""
    flags = {
        "local": (),
        "ray": ("--launcher", "ray", "--jobs", "1"),
        "slurm": ("--launcher", "slurm", "--slurm", "cluster=local", "--jobs", "1"),
    }[launcher]
    seconds = {}
    for count in (_FEW, _MANY):
        line = [sys.executable, "-m", "ganbench", "run", "--variants", "mlp", "--dataset", "digits",
                "--device", "cpu", "--seeds", str(count), "--budget", "1steps", *flags,
                "--out", str(scratch / f"{launcher}-{count}")]  # fmt: skip
        for setting in _SMALL:
            line += ["--set", setting]
        begun = time.perf_counter()
        subprocess.run(line, check=True, capture_output=True)  # noqa: S603 - ganbench itself
        seconds[count] = time.perf_counter() - begun
    each = (seconds[_MANY] - seconds[_FEW]) / (_MANY - _FEW)
    return {
        "launcher": launcher,
        "run_seconds": each,
        "rest_seconds": seconds[_FEW] - _FEW * each,
        "load": psutil.getloadavg()[0],
    }


def _alone(part: Part, argument: str) -> dict[str, Any]:
    """One measurement in a process of its own."""
    with tempfile.TemporaryDirectory() as scratch:
        line = [sys.executable, __file__, "alone", part, argument, scratch]
        done = subprocess.run(line, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            raise GanbenchError(f"{part} failed: {done.stderr.strip()}")
        result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return result


def measure(
    _device: Device,
    *,
    of: Annotated[Part, typer.Option(help="What is measured.")] = Part.BOOKKEEPING,
    jobs: Annotated[
        list[int] | None, typer.Option(min=1, help="Number of jobs; give it again for more.")
    ] = None,
    launcher: Annotated[
        list[str] | None, typer.Option(help="With --of runs: local, ray or slurm; all if left out.")
    ] = None,
) -> Report:
    """Measure what launchers cost."""
    if of is Part.RUNS:
        results = [_alone(of, name) for name in launcher or ("local", "ray", "slurm")]
        return Report(
            "Seconds of whole commands of runs of one step, one at a time",
            ("launcher", "each run, s", "the rest, s", "load"),
            [
                (
                    row["launcher"],
                    f"{row['run_seconds']:.2f}",
                    f"{row['rest_seconds']:.1f}",
                    f"{row['load']:.1f}",
                )
                for row in results
            ],
            results,
            f"from commands of {_FEW} and {_MANY} runs, once each; scoring is in it",
        )
    results = [_alone(of, str(count)) for count in jobs or _JOBS]
    if of is Part.RAY:
        return Report(
            "Jobs without work as tasks of Ray",
            ("jobs", "start, s", "all jobs, s", "each, ms", "call, ms", "25 MB, ms",
             "command, MB", "keeper, MB", "scheduler, MB", "workers, MB"),
            [
                (f"{row['jobs']:,}", f"{row['start_seconds']:.1f}", f"{row['launch_seconds']:.1f}",
                 f"{1000 * row['launch_seconds'] / row['jobs']:.1f}",
                 f"{1000 * row['call_seconds']:.1f}", f"{1000 * row['checkpoint_seconds']:.0f}",
                 *(f"{row[key] / 1e6:.0f}" for key in ("peak_memory_bytes", "keeper_bytes",
                                                      "scheduler_bytes", "workers_bytes")))
                for row in results
            ],
            results,
            "one measurement each",
        )  # fmt: skip
    return Report(
        "Bookkeeping of jobs without work",
        ("jobs", "plan, s", "launch and store, s", "each, ms", "again, s", "memory, MB",
         "plan.json, MB"),
        [
            (f"{row['jobs']:,}", f"{row['plan_seconds']:.1f}", f"{row['launch_seconds']:.1f}",
             f"{1000 * row['launch_seconds'] / row['jobs']:.1f}", f"{row['again_seconds']:.1f}",
             f"{row['peak_memory_bytes'] / 1e6:.0f}", f"{row['plan_bytes'] / 1e6:.2f}")
            for row in results
        ],
        results,
        "one measurement each",
    )  # fmt: skip


def alone(part: str, argument: str, scratch: str) -> None:
    """Measure in this process, and print what was measured as JSON."""
    if part == Part.RUNS:
        result = runs(argument, Path(scratch))
    else:
        function = bookkeeping if part == Part.BOOKKEEPING else ray_tasks
        result = function(int(argument), Path(scratch))
    sys.stdout.write(f"{json.dumps(result)}\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["alone"]:
        alone(*sys.argv[2:])
    else:
        run(measure)
