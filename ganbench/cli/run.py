"""`ganbench run`: train, score and report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ganbench.cli.options import (
    BACKBONE,
    COMPILE,
    CUDA_GRAPHS,
    DATA_ROOT,
    DEVICE,
    FAILED,
    INCEPTION_WEIGHTS,
    INTERRUPTED,
    OK,
    PRECISION,
    SETTINGS,
    command_line,
    console,
)
from ganbench.errors import UsageError
from ganbench.machine.interrupt import Stopped
from ganbench.visible import visible

if TYPE_CHECKING:
    from rich.console import Console

    from ganbench.experiment.plan import Plan
    from ganbench.experiment.result import RunResult
    from ganbench.experiment.store import ResultsFolder
    from ganbench.experiment.suite import Suite
    from ganbench.machine.device import Device

__all__ = ["run"]


def run(
    suite: Annotated[
        Path | None,
        typer.Argument(
            metavar="[SUITE.yaml]", help="A file that says the same as the flags; flags win."
        ),
    ] = None,
    *,
    from_run: Annotated[
        Path | None,
        typer.Option(
            "--from", metavar="RUN", help="Repeat a stored run: results/.../runs/<id>; flags win."
        ),
    ] = None,
    variants: Annotated[
        str | None,
        typer.Option(
            help="Names or files, separated by commas; 'all' for every one that is installed."
        ),
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option(help="As `ganbench list datasets` names them: mnist, ring8, imagefolder:DIR."),
    ] = None,
    device: Annotated[str | None, DEVICE] = None,
    seeds: Annotated[
        str | None, typer.Option(help="A count (3 is 0, 1 and 2) or a list 0,7,9.")
    ] = None,
    budget: Annotated[
        str | None, typer.Option(help="25epochs, 20000steps, 500kimg, 10min or 20s.")
    ] = None,
    settings: Annotated[list[str] | None, SETTINGS] = None,
    data_root: Annotated[Path | None, DATA_ROOT] = None,
    backbone: Annotated[str | None, BACKBONE] = None,
    inception_weights: Annotated[Path | None, INCEPTION_WEIGHTS] = None,
    sample_every: Annotated[
        str | None,
        typer.Option(help="How often a sample grid is drawn, as a budget: 1epochs, 500steps."),
    ] = None,
    evaluate_every: Annotated[
        str | None,
        typer.Option(help="Score during training too, outside its clock: 5epochs, 50kimg."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Results folder; results/<date>_<device>_<topic> if left out."),
    ] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Runs side by side.")] = None,
    exclusive_timing: Annotated[
        bool | None,
        typer.Option(
            "--exclusive-timing",
            help="After runs side by side, measure the throughput of each alone.",
        ),
    ] = None,
    precision: Annotated[str | None, PRECISION] = None,
    compile_: Annotated[bool | None, COMPILE] = None,
    cuda_graphs: Annotated[bool | None, CUDA_GRAPHS] = None,
    track: Annotated[
        str | None,
        typer.Option(
            help="Trackers that follow each run: tensorboard, wandb, mlflow, trackio, or others "
            "that are installed; separated by commas."
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and stop.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start over instead of going on.")] = False,
) -> None:
    """Train variants under one protocol, score them, and write a report.

    The same command with the same --out goes on where it stopped: finished runs are kept, an
    interrupted one resumes.
    """
    given = {
        "variants": variants,
        "dataset": dataset,
        "device": device,
        "seeds": seeds,
        "budget": budget,
        "set": settings or None,
        "data_root": data_root,
        "backbone": backbone,
        "inception_weights": inception_weights,
        "sample_every": sample_every,
        "evaluate_every": evaluate_every,
        "out": out,
        "jobs": jobs,
        "exclusive_timing": exclusive_timing,
        "precision": precision,
        "compile": compile_,
        "cuda_graphs": cuda_graphs,
        "track": track,
    }
    flags: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    from ganbench.experiment.suite import read_suite

    if from_run is None:
        raise typer.Exit(_carry_out(read_suite(suite, flags), dry_run=dry_run, fresh=fresh))
    if suite is not None:
        raise UsageError(f"--from {from_run} and a suite file {suite}: give one of them")
    from ganbench.experiment.repeat import suite_values
    from ganbench.experiment.store import StoredRun
    from ganbench.experiment.trusted import check_source, is_file_of, trusted_request

    stored_run = StoredRun.read(from_run)
    stored = stored_run.result
    values = suite_values(stored)
    if variants is None:
        values["variants"] = (trusted_request(stored_run, ()),)
    for name in (variants or "").split(","):
        if is_file_of(name.strip(), stored.variant):
            check_source(stored_run, name.strip())
    if "set" in flags:  # settings are added to the run's own instead of replacing them
        flags["set"] = (*values["set"], *flags["set"])
    read = read_suite(None, {**values, **flags})
    raise typer.Exit(_carry_out(read, dry_run=dry_run, fresh=fresh, stored=stored))


def _carry_out(suite: Suite, *, dry_run: bool, fresh: bool, stored: RunResult | None = None) -> int:
    """Plan, train and report; return the exit code."""
    from ganbench.launch import processes
    from ganbench.trackers import registry as trackers

    trackers.check(suite.track)
    if not dry_run:
        processes.start_server()  # loads torch for the runs, while this process loads it for a plan
    from ganbench import data
    from ganbench.data.cache import clean
    from ganbench.experiment import plan as planning
    from ganbench.experiment import repeat
    from ganbench.experiment.lock import locked
    from ganbench.launch import local
    from ganbench.launch.progress import Display
    from ganbench.machine.device import choose
    from ganbench.machine.torch_settings import preserved_settings

    screen = console()
    device = choose(suite.device)
    name = _device_name(device, screen)
    _print(screen, f"device: {name} ({device.reason})")
    data_root = suite.data_root or data.default_data_root()
    with Display(screen) as display, preserved_settings():  # which the code of variants may change
        plan = planning.make(
            suite,
            device=device.kind,
            data_root=data_root,
            cache_root=data.default_cache_root(),
            report=display.report,
        )
    _print(screen, *plan.notes, *(repeat.differences(stored, plan) if stored is not None else ()))
    if dry_run:
        _print_plan(plan, screen)
        return OK
    folder = local.choose_folder(suite.out, plan, device.kind)
    local.check_folder(folder, plan, fresh=fresh)
    with locked(folder.path):
        local.check_folder(folder, plan, fresh=fresh)  # another command may have written to it
        folder.clean()
        clean(data.default_cache_root())
        return _train_and_report(
            suite, plan, folder, device, name, screen, fresh=fresh, stored=stored
        )


def _train_and_report(
    suite: Suite,
    plan: Plan,
    folder: ResultsFolder,
    device: Device,
    name: str,
    screen: Console,
    *,
    fresh: bool,
    stored: RunResult | None,
) -> int:
    """Do a plan in a folder that is locked; return the exit code."""
    from ganbench import data
    from ganbench.experiment import repeat
    from ganbench.experiment.store import ResultsFolder
    from ganbench.launch import local
    from ganbench.launch.context import CommandContext
    from ganbench.launch.progress import Display

    data_root = suite.data_root or data.default_data_root()
    context = CommandContext(
        folder=ResultsFolder(folder.path.resolve()),
        device=str(device.torch),
        data_root=data_root,
        cache_root=data.default_cache_root(),
        inception_weights=suite.inception_weights,
        command=command_line(),
        track=suite.track,
    )
    with Display(screen) as display:
        local.prepare(plan, context, display, fresh=fresh, jobs=suite.jobs)
        if fresh:
            folder.clear()
        folder.write_plan(
            local.plan_record(
                plan,
                device=device.kind,
                device_name=name,
                device_reason=device.reason,
                command=context.command,
            )
        )
        try:
            runs = local.launch(
                plan, context, display, jobs=suite.jobs, exclusive_timing=suite.exclusive_timing
            )
        except Stopped:
            display.say(f"stopped and saved; the same command with --out {folder.path} goes on")
            return INTERRUPTED
        display.say("writing the report")
        from ganbench.report import build, summary_table

        build([folder.path])
    screen.print(summary_table(folder.path))
    if stored is not None:
        _print(screen, *(repeat.verdict(stored, done.result) for done in runs))
    _print(screen, f"results: {folder.path}")
    return OK if all(run.result.status == "ok" for run in runs) else FAILED


def _print(screen: Console, *lines: str) -> None:
    for line in lines:
        screen.print(visible(line), markup=False, highlight=False, soft_wrap=True)


def _device_name(device: Device, screen: Console) -> str:
    """The model of a device; that of a CUDA card is asked for by a process of its own.

    Otherwise this one would hold some of the card's memory as long as the command runs.
    """
    if device.kind != "cuda":
        return device.name
    from ganbench.launch import process_pool
    from ganbench.launch.progress import Display
    from ganbench.launch.tasks import DeviceNameTask

    names: list[str] = []
    process_pool.carry_out(
        [DeviceNameTask(str(device.torch))],
        Display(screen),
        done=lambda _task, name: names.append(name),
    )
    return names[0]


def _print_plan(plan: Plan, screen: Console) -> None:
    from rich import box
    from rich.table import Column, Table

    head = Column("run", no_wrap=True)  # by which its folder is called
    heads = ("variant", "dataset", "seed", "budget", "image size", "batch")
    table = Table(head, *heads, box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    for job in plan.jobs:
        table.add_row(
            job.id,
            job.variant,
            visible(job.spec.name),
            str(job.seed),
            str(job.budget),
            f"{job.spec.channels}-D" if job.spec.kind == "points" else str(job.image_size),
            str(job.recipe["batch_size"]),
        )
    screen.print(table)
