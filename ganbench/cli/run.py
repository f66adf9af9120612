"""`ganbench run`: train, score and report."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
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
    HOW,
    INCEPTION_WEIGHTS,
    INTERRUPTED,
    JOBS,
    LAUNCHER,
    OK,
    PRECISION,
    PRIMARY,
    RAY,
    RAY_ADDRESS,
    SCORES,
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
from ganbench.errors import UsageError
from ganbench.machine.interrupt import Stopped
from ganbench.visible import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from rich.console import Console

    from ganbench.experiment.plan import Plan
    from ganbench.experiment.result import RunResult
    from ganbench.experiment.store import ResultsFolder
    from ganbench.experiment.suite import Suite
    from ganbench.launch.progress import Display
    from ganbench.workflow.comparison import PlannedComparison

__all__ = ["EXAMPLES", "run"]

EXAMPLES = """
ganbench run --variants mlp,dcgan --dataset digits --budget 20s
ganbench run --variants dcgan,sngan --dataset cifar10 --seeds 3 --dry-run
ganbench run --variants dcgan,./mine.py --set dcgan.lr_g=1e-4 --budget 50epochs
ganbench run suite.yaml --out results/mine --jobs 2
"""


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
            "--from",
            metavar="RUN",
            help="Repeat a stored run, a folder results/.../runs/ID; flags win.",
            rich_help_panel=WHAT,
        ),
    ] = None,
    variants: Annotated[
        str | None,
        typer.Option(
            metavar="NAMES",
            help="Names or files, separated by commas; 'all' for every one that is installed; "
            "frozen:PATH for images or a generator made elsewhere.",
            rich_help_panel=WHAT,
            autocompletion=complete_variants,
        ),
    ] = None,
    dataset: Annotated[str | None, DATASET] = None,
    device: Annotated[str | None, DEVICE] = None,
    seeds: Annotated[
        str | None,
        typer.Option(
            metavar="COUNT|LIST|auto",
            help="A count (3 is 0, 1 and 2), a list (0,7,9, or 7, for seed 7 alone), or as many as "
            "needed: auto, auto:3-20.",
            show_default="1: seed 0",
            rich_help_panel=WHAT,
        ),
    ] = None,
    primary: Annotated[str | None, PRIMARY] = None,
    margin: Annotated[
        str | None,
        typer.Option(
            metavar="PERCENT",
            help="With --seeds auto: variants that differ by less are equivalent.",
            show_default="10%",
            rich_help_panel=WHAT,
        ),
    ] = None,
    budget: Annotated[
        str | None,
        typer.Option(
            metavar="AMOUNT",
            help="25epochs, 20000steps, 500kimg, 10min or 20s. A larger one goes on from the runs "
            "that --out holds.",
            show_default="the recipe's own",
            rich_help_panel=WHAT,
        ),
    ] = None,
    settings: Annotated[list[str] | None, SETTINGS] = None,
    data_root: Annotated[Path | None, DATA_ROOT] = None,
    backbone: Annotated[str | None, BACKBONE] = None,
    inception_weights: Annotated[Path | None, INCEPTION_WEIGHTS] = None,
    sample_every: Annotated[
        str | None,
        typer.Option(
            metavar="AMOUNT",
            help="How often a sample grid is drawn: 1epochs, 500steps.",
            show_default="the recipe's own",
            rich_help_panel=SCORES,
        ),
    ] = None,
    evaluate_every: Annotated[
        str | None,
        typer.Option(
            metavar="AMOUNT",
            help="Score during training too, outside its clock: 5epochs, 50kimg.",
            show_default="at the end alone",
            rich_help_panel=SCORES,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Results folder; the same command goes on in it.",
            show_default="results/DATE_DEVICE_DATASET",
            rich_help_panel=WHERE,
        ),
    ] = None,
    jobs: Annotated[int | None, JOBS] = None,
    exclusive_timing: Annotated[
        bool | None,
        typer.Option(
            "--exclusive-timing",
            help="After runs side by side, measure the throughput of each alone.",
            rich_help_panel=HOW,
        ),
    ] = None,
    processes_per_run: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="COUNT",
            help="Processes that train each run, each on its share of every batch: a CUDA device "
            "each, or a part of the threads.",
            show_default="1",
            rich_help_panel=HOW,
        ),
    ] = None,
    launcher: Annotated[str | None, LAUNCHER] = None,
    ray_address: Annotated[str | None, RAY_ADDRESS] = None,
    ray: Annotated[list[str] | None, RAY] = None,
    slurm: Annotated[list[str] | None, SLURM] = None,
    precision: Annotated[str | None, PRECISION] = None,
    compile_: Annotated[bool | None, COMPILE] = None,
    cuda_graphs: Annotated[bool | None, CUDA_GRAPHS] = None,
    track: Annotated[
        str | None,
        typer.Option(
            metavar="NAMES",
            help="Trackers that follow each run: tensorboard, wandb, mlflow, trackio, or others "
            "that are installed; separated by commas.",
            rich_help_panel=COMMAND,
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Print the plan, with the time and memory of each run, and stop.",
            rich_help_panel=COMMAND,
        ),
    ] = False,
    fresh: Annotated[
        bool,
        typer.Option(
            "--fresh",
            help="Start over: remove what --out holds of these variants first.",
            rich_help_panel=COMMAND,
        ),
    ] = False,
    verbose: Annotated[
        bool,
        typer.Option(
            "--verbose",
            help="Also print what helps to find a fault, such as where images are kept.",
            rich_help_panel=COMMAND,
        ),
    ] = False,
) -> None:
    """Train variants under one protocol, score them, and write a report.

    The same command with the same --out goes on where it stopped: finished runs are kept, an
    interrupted one resumes.
    """
    asked = _Asked(dry_run=dry_run, fresh=fresh, verbose=verbose)
    given = {
        "variants": variants,
        "dataset": dataset,
        "device": device,
        "seeds": seeds,
        "primary": primary,
        "margin": margin,
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
        "processes_per_run": processes_per_run,
        "launcher": launcher,
        "ray_address": ray_address,
        "ray": ray or None,
        "slurm": slurm or None,
        "precision": precision,
        "compile": compile_,
        "cuda_graphs": cuda_graphs,
        "track": track,
    }
    flags: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    from ganbench.experiment.suite import read_suite

    if from_run is None:
        raise typer.Exit(_carry_out(read_suite(suite, flags), asked))
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
    raise typer.Exit(_carry_out(read, asked, stored))


@dataclass(frozen=True)
class _Asked:
    """What the flags say about the command itself."""

    dry_run: bool = False
    fresh: bool = False
    verbose: bool = False


def _carry_out(suite: Suite, asked: _Asked, stored: RunResult | None = None) -> int:
    """Plan, train and report; return the exit code."""
    from ganbench.launch import processes
    from ganbench.launch.launcher import check_launcher
    from ganbench.trackers import registry as trackers

    trackers.check(suite.track)
    check_launcher(suite)
    if not asked.dry_run:
        processes.start_server()  # loads torch for the runs, while this process loads it for a plan
    from ganbench.experiment import repeat
    from ganbench.launch import local
    from ganbench.launch.progress import Display
    from ganbench.report import summary_table
    from ganbench.workflow import comparison, rounds

    screen = console()
    display = Display(screen, verbose=asked.verbose)
    with display:
        planned = comparison.plan_comparison(suite, display, command=command_line())
    plan = planned.plan
    print_lines(screen, *plan.notes)
    if stored is not None:
        now = local.conditions_of_jobs(plan, planned.device, planned.device_name, suite.jobs)
        print_lines(
            screen, *repeat.differences(stored, plan), repeat.expectation(stored, plan, now)
        )
    if asked.dry_run:
        _print_plan(planned, display)
        return OK
    folder = comparison.choose_folder(planned, is_new=stored is not None)
    is_repeated = stored is not None and not asked.fresh
    done_before = local.finished(plan, folder) if is_repeated else frozenset()
    if suite.out is None and (offered := local.smaller_budget_in(folder, plan)):
        print_lines(
            screen,
            f"{offered} holds these runs after a smaller budget: --out {offered} "
            "goes on from them; this command begins anew",
        )
    is_replaced = _replaced(folder, plan, screen) if asked.fresh else None
    try:
        with display:
            runs = comparison.carry_out(
                planned, folder, display, fresh=asked.fresh, is_replaced=is_replaced
            )
    except Stopped:
        print_lines(screen, stopped_text(folder.path, fresh=asked.fresh))
        return INTERRUPTED
    screen.print(summary_table(folder.path))
    print_lines(screen, *rounds.ending(folder))
    if stored is not None:
        print_lines(screen, *(_verdict(stored, done.result, done_before) for done in runs))
    print_lines(screen, f"results: {folder.path}")
    return OK if all(run.result.status == "ok" for run in runs) else FAILED


def _verdict(stored: RunResult, again: RunResult, done_before: Collection[str]) -> str:
    """Whether a run came out as the stored one, if this command has done it."""
    from ganbench.experiment import repeat

    if again.run_id in done_before:
        return f"{again.run_id}: not done again, as it was finished before; give another --out"
    return repeat.verdict(stored, again)


def _replaced(folder: ResultsFolder, plan: Plan, screen: Console) -> Callable[[str], bool]:
    """Which stored runs `--fresh` removes: those of the plan's variants.

    On a terminal it is asked whether finished runs of other variants go too.
    """
    from ganbench.experiment.extension import variant_of

    own = {job.variant for job in plan.jobs}
    others = [path.name for path in folder.run_paths() if variant_of(path.name) not in own]
    if not others:
        return lambda name: variant_of(name) in own
    runs = f"{len(others)} finished run{'s' if len(others) > 1 else ''}"
    names = ", ".join(sorted({variant_of(name) or name for name in others}))
    holds = f"{folder.path} also holds {runs} of {names}, which this plan does not name"
    if screen.is_terminal and sys.stdin.isatty():
        if typer.confirm(f"{visible(holds)}: remove them too?", default=False):
            return lambda _name: True
    else:
        print_lines(screen, f"{holds}: kept")
    return lambda name: variant_of(name) in own


def _print_plan(planned: PlannedComparison, display: Display) -> None:
    """Print what would be done, and what it takes; of seeds as needed, the first and the most."""
    from ganbench.cli.plan_table import print_plan
    from ganbench.launch.timings import report_seconds
    from ganbench.workflow import rounds
    from ganbench.workflow.expected_time import costs_of

    plan, looks, context = planned.plan, planned.looks, planned.context
    shown = plan if looks is None else replace(plan, jobs=rounds.asked_jobs(plan, looks))
    costs = costs_of(shown, context, display, is_elsewhere=planned.launcher.is_cluster)
    report = report_seconds(context.cache_root)
    print_plan(shown, display.console, costs, report, planned.suite.jobs)
    if looks is not None:
        print_lines(display.console, rounds.rounds_text(plan, looks))
