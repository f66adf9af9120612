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

if TYPE_CHECKING:
    from rich.console import Console

    from ganbench.experiment.plan import Plan
    from ganbench.experiment.result import RunResult
    from ganbench.experiment.suite import Suite

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
        typer.Option(help="mnist, fashion-mnist, cifar10, digits or imagefolder:DIR."),
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
    }
    flags: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    from ganbench.experiment.suite import read_suite

    if from_run is None:
        raise typer.Exit(_carry_out(read_suite(suite, flags), dry_run=dry_run, fresh=fresh))
    if suite is not None:
        raise UsageError(f"--from {from_run} and a suite file {suite}: give one of them")
    from ganbench.experiment.repeat import suite_values
    from ganbench.experiment.store import StoredRun

    stored = StoredRun.read(from_run).result
    values = suite_values(stored)
    if "set" in flags:  # settings are added to the run's own instead of replacing them
        flags["set"] = (*values["set"], *flags["set"])
    read = read_suite(None, {**values, **flags})
    raise typer.Exit(_carry_out(read, dry_run=dry_run, fresh=fresh, stored=stored))


def _carry_out(suite: Suite, *, dry_run: bool, fresh: bool, stored: RunResult | None = None) -> int:
    """Plan, train and report; return the exit code."""
    from ganbench import data
    from ganbench.experiment import plan as planning
    from ganbench.experiment import repeat
    from ganbench.launch import local, progress
    from ganbench.machine.device import choose
    from ganbench.machine.memory import release_host_memory

    screen = console()
    device = choose(suite.device)
    told = f"device: {device.name} ({device.reason})"
    screen.print(told, markup=False, highlight=False, soft_wrap=True)
    data_root = suite.data_root or data.default_data_root()
    plan = planning.make(suite, device=device.kind, data_root=data_root)
    for note in plan.notes:
        screen.print(note, markup=False, highlight=False, soft_wrap=True)
    for line in repeat.differences(stored, plan) if stored is not None else ():
        screen.print(line, markup=False, highlight=False, soft_wrap=True)
    if dry_run:
        _print_plan(plan, screen)
        return OK
    from ganbench.launch.resources import Resources
    from ganbench.training.loop import Stopped

    folder = local.choose_folder(suite.out, plan, device.kind)
    local.check_folder(folder, plan, fresh=fresh)
    command = command_line()
    with progress.Display(screen) as display:
        resources = Resources(
            folder=folder,
            device=device,
            data_root=data_root,
            cache_root=data.default_cache_root(),
            display=display,
            inception_weights=suite.inception_weights,
            command=command,
        )
        local.prepare(plan, resources, fresh=fresh, jobs=suite.jobs)
        if fresh:
            folder.clear()
        folder.write_plan(local.plan_record(plan, device, command))
        try:
            runs = local.launch(
                plan, resources, jobs=suite.jobs, exclusive_timing=suite.exclusive_timing
            )
        except Stopped:
            display.say(f"stopped and saved; the same command with --out {folder.path} goes on")
            return INTERRUPTED
        display.say("writing the report")
        release_host_memory()
        from ganbench.report import build, summary_table

        build([folder.path])
    screen.print(summary_table(folder.path))
    if stored is not None:
        for done in runs:
            line = repeat.verdict(stored, done.result)
            screen.print(line, markup=False, highlight=False, soft_wrap=True)
    screen.print(f"results: {folder.path}", markup=False, highlight=False, soft_wrap=True)
    return OK if all(stored.result.status == "ok" for stored in runs) else FAILED


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
            job.spec.name,
            str(job.seed),
            str(job.budget),
            str(job.image_size),
            str(job.recipe["batch_size"]),
        )
    screen.print(table)
