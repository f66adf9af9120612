"""`ganbench tune`: as many trials for each variant, then the best recipes on new seeds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ganbench.cli.options import (
    BACKBONE,
    COMMAND,
    COMPILE,
    CUDA_GRAPHS,
    DATA_ROOT,
    DATASET,
    DEVICE,
    FAILED,
    INCEPTION_WEIGHTS,
    INTERRUPTED,
    JOBS,
    LAUNCHER,
    OK,
    PRECISION,
    RAY,
    RAY_ADDRESS,
    SETTINGS,
    SLURM,
    WHAT,
    WHERE,
    command_line,
    complete_variants,
    console,
    print_lines,
    stopped_text,
)
from ganbench.machine.interrupt import Stopped

if TYPE_CHECKING:
    from ganbench.launch.progress import Display
    from ganbench.workflow.tuning_plan import PlannedTuning, TuneRequest

__all__ = ["EXAMPLES", "tune"]

EXAMPLES = """
ganbench tune --variants mlp,dcgan --dataset digits --trials 8 --budget 20s
ganbench tune --variants dcgan,wgan-gp --dataset mnist --budget 10epochs --dry-run
ganbench tune --variants dcgan,sngan --dataset mnist --budget 500kimg --space lr_g=1e-5:1e-3:log
ganbench tune --variants wgan-gp --dataset digits --budget 5min --space 'wgan-gp.d_steps=1|5'
"""


def tune(
    *,
    variants: Annotated[
        str,
        typer.Option(
            metavar="NAMES",
            help="Names or files, separated by commas; 'all' for every one that is installed.",
            rich_help_panel=WHAT,
            autocompletion=complete_variants,
        ),
    ],
    budget: Annotated[
        str,
        typer.Option(
            metavar="AMOUNT",
            help="Of every run, of trials too: 25epochs, 500kimg, 10min or 20s.",
            rich_help_panel=WHAT,
        ),
    ],
    trials: Annotated[
        int,
        typer.Option(
            min=1, max=10_000, metavar="COUNT", help="Trials of each variant.", rich_help_panel=WHAT
        ),
    ] = 20,
    dataset: Annotated[str | None, DATASET] = None,
    seeds: Annotated[
        str,
        typer.Option(
            metavar="COUNT|LIST",
            help="Seeds of the final runs of tuned and default recipes; trials have others.",
            rich_help_panel=WHAT,
        ),
    ] = "3",
    settings: Annotated[list[str] | None, SETTINGS] = None,
    space: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=SPACE",
            help="What is searched of a number instead of its default: LOW:HIGH, LOW:HIGH:log or "
            "a|b|c, for all variants or (dcgan.lr_g=1e-5:1e-3:log) for one; may be repeated. "
            "What --set sets is not searched.",
            rich_help_panel=WHAT,
        ),
    ] = None,
    primary: Annotated[
        str,
        typer.Option(
            metavar="SCORE", help="Score that trials are chosen by.", rich_help_panel=WHAT
        ),
    ] = "fid",
    sampler: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="random, whose trials do not depend on each other, or tpe, which learns from "
            "earlier ones.",
            rich_help_panel=WHAT,
        ),
    ] = "random",
    search_seed: Annotated[
        int,
        typer.Option(
            min=0, metavar="SEED", help="Seed of the drawn numbers.", rich_help_panel=WHAT
        ),
    ] = 0,
    prune: Annotated[
        bool,
        typer.Option(
            "--prune",
            help="Stop the worse half of each variant's trials after a quarter of the budget, and "
            "again after half.",
            rich_help_panel=WHAT,
        ),
    ] = False,
    backbone: Annotated[str | None, BACKBONE] = None,
    inception_weights: Annotated[Path | None, INCEPTION_WEIGHTS] = None,
    device: Annotated[str | None, DEVICE] = None,
    data_root: Annotated[Path | None, DATA_ROOT] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Results folder; the same command goes on in it.",
            show_default="results/DATE_DEVICE_DATASET_tuned",
            rich_help_panel=WHERE,
        ),
    ] = None,
    jobs: Annotated[int | None, JOBS] = None,
    launcher: Annotated[str | None, LAUNCHER] = None,
    ray_address: Annotated[str | None, RAY_ADDRESS] = None,
    ray: Annotated[list[str] | None, RAY] = None,
    slurm: Annotated[list[str] | None, SLURM] = None,
    precision: Annotated[str | None, PRECISION] = None,
    compile_: Annotated[bool | None, COMPILE] = None,
    cuda_graphs: Annotated[bool | None, CUDA_GRAPHS] = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Print what is searched, the number of runs and the time, and stop.",
            rich_help_panel=COMMAND,
        ),
    ] = False,
    fresh: Annotated[
        bool,
        typer.Option(
            "--fresh", help="Start over: remove what --out holds first.", rich_help_panel=COMMAND
        ),
    ] = False,
) -> None:
    """Search the recipes of variants with equal effort, and compare the best ones on new seeds.

    Each variant has the same number of trials of the same budget. The best recipe of each is then
    trained afresh beside the default one. The same command with the same --out goes on where it
    stopped.
    """
    given = {
        "variants": variants,
        "dataset": dataset,
        "device": device,
        "seeds": seeds,
        "primary": primary,
        "budget": budget,
        "set": settings or None,
        "data_root": data_root,
        "backbone": backbone,
        "inception_weights": inception_weights,
        "out": out,
        "jobs": jobs,
        "launcher": launcher,
        "ray_address": ray_address,
        "ray": ray or None,
        "slurm": slurm or None,
        "precision": precision,
        "compile": compile_,
        "cuda_graphs": cuda_graphs,
    }
    flags: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    from ganbench.experiment.suite import read_suite
    from ganbench.launch.launcher import check_launcher
    from ganbench.tuning.draw_trials import check_installed

    check_installed()
    suite = read_suite(None, flags)
    check_launcher(suite)
    from ganbench.workflow.tuning_plan import TuneRequest

    request = TuneRequest(
        suite=suite,
        trials=trials,
        space=tuple(space or ()),
        sampler=sampler,  # type: ignore[arg-type]  # the plan refuses others
        search_seed=search_seed,
        is_pruned=prune,
    )
    raise typer.Exit(_carry_out(request, dry_run=dry_run, fresh=fresh))


def _carry_out(request: TuneRequest, *, dry_run: bool, fresh: bool) -> int:
    """Plan, search, train and report; return the exit code."""
    from ganbench.launch import processes

    if not dry_run:
        processes.start_server()  # loads torch for the runs, while this process loads it for a plan
    from ganbench.launch.progress import Display
    from ganbench.report import summary_table
    from ganbench.tuning.record import read_tuning
    from ganbench.workflow import tuning
    from ganbench.workflow.tuning_plan import plan_tuning

    screen = console()
    display = Display(screen)
    with display:
        planned = plan_tuning(request, display, command=command_line())
    print_lines(screen, *planned.default.plan.notes, *planned.notes)
    if dry_run:
        _print_plan(planned, display)
        return OK
    folder = tuning.choose_tuning_folder(planned)
    try:
        with display:
            runs = tuning.tune(planned, folder, display, fresh=fresh)
    except Stopped:
        print_lines(screen, stopped_text(folder.path, fresh=fresh))
        return INTERRUPTED
    screen.print(summary_table(folder.path))
    record = read_tuning(folder.path)
    won = record is not None and None not in record.winners.values()
    print_lines(screen, f"results: {folder.path}")
    return OK if won and all(run.result.status == "ok" for run in runs) else FAILED


def _print_plan(planned: PlannedTuning, display: Display) -> None:
    """Print what would be searched, how many runs there would be, and what they take."""
    from dataclasses import replace

    from ganbench.cli.plan_table import costs_text
    from ganbench.launch.timings import report_seconds
    from ganbench.workflow.expected_time import costs_of
    from ganbench.workflow.trials import expected_jobs

    plan, context, record = planned.default.plan, planned.default.context, planned.record
    costs = costs_of(plan, context, display, is_elsewhere=planned.default.launcher.is_cluster)
    jobs = expected_jobs(planned)
    report = report_seconds(context.cache_root)
    for name, own in record.space.items():
        print_lines(display.console, f"{name}: {', '.join(f'{key}={own[key]}' for key in own)}")
    count, seeds = len(record.variants), len(record.seeds)
    of_each = f"{record.trials} trials, {planned.default_trials} of the default recipe beside them"
    stages = f", of which some are stopped after {' and '.join(record.rungs[:-1])}"
    print_lines(
        display.console,
        f"of each of {count} variants: {of_each}{stages if record.is_pruned else ''}, and "
        f"{2 * seeds} final runs: {seeds} seeds of the tuned recipe and of the default one",
        *costs_text(replace(plan, jobs=jobs), costs, report, planned.suite.jobs),
    )
