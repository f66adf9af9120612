"""The command line. Heavy packages load in the commands that need them, so that help is quick."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ganbench.errors import GanbenchError, UsageError, unknown

if TYPE_CHECKING:
    from rich.console import Console

    from ganbench.plan import Plan
    from ganbench.result import RunResult
    from ganbench.suite import Suite

__all__ = ["app", "main"]

OK, FAILED, USAGE = 0, 1, 2
_INTERRUPTED = 130

# Options that several commands have
_DEVICE = typer.Option(help="auto, cuda, cuda:1, mps or cpu.")
_SETTINGS = typer.Option(
    "--set", metavar="KEY=VALUE", help="A number of the recipe; dcgan.lr_g=1e-4 for one."
)
_DATA_ROOT = typer.Option(envvar="GANBENCH_DATA", help="Where datasets are, or are downloaded to.")
_BACKBONE = typer.Option(
    help="Features for the scores: auto, inception, efficientnet or classifier."
)
_INCEPTION_WEIGHTS = typer.Option(help="File with the Inception weights, instead of a download.")
_PRECISION = typer.Option(help="Of the networks in training: fp32, bf16 or (on CUDA) fp16.")
_COMPILE = typer.Option("--compile/--no-compile", help="Translate the step by torch.compile first.")
_CUDA_GRAPHS = typer.Option(
    "--cuda-graphs/--no-cuda-graphs", help="Capture the step as a CUDA graph."
)

app = typer.Typer(
    name="ganbench",
    help="Compare GAN variants: image quality, mode collapse and speed, under one runner.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


@app.callback(invoke_without_command=True)
def _version(
    *,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        import ganbench

        typer.echo(f"ganbench {ganbench.__version__}")
        raise typer.Exit(OK)


@app.command("list")
def list_(
    what: Annotated[
        str,
        typer.Argument(help="variants, datasets, metrics or backbones; all of them if left out."),
    ] = "",
) -> None:
    """Show what there is to choose from."""
    from ganbench import listing

    listing.show(what, _console())


@app.command()
def check(
    variant: Annotated[
        str, typer.Argument(metavar="NAME|FILE.py", help="The variant to check; 'all' for all.")
    ],
) -> None:
    """Run the contract that every variant must keep."""
    from ganbench.check import check as run_contract
    from ganbench.registry import expand, resolve

    console = _console()
    names, left_out = expand([variant])
    for reason in left_out.values():
        console.print("[red]broken[/red]  ", highlight=False, end="")
        console.print(reason, markup=False, highlight=False, soft_wrap=True)
    broken_variants = len(left_out)
    for found in resolve(names):
        lines = run_contract(found)
        for line in lines:
            mark = "[green]ok    [/green]" if line.ok else "[red]broken[/red]"
            console.print(f"{mark}  {line.name}", highlight=False, end="")
            console.print(f"  {line.detail}" if line.detail else "", markup=False, highlight=False)
        broken = sum(not line.ok for line in lines)
        verdict = f"breaks {broken} of {len(lines)} checks" if broken else "keeps the contract"
        console.print(f"{found.name} {verdict}", highlight=False)
        broken_variants += bool(broken)
    raise typer.Exit(FAILED if broken_variants else OK)


@app.command()
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
    device: Annotated[str | None, _DEVICE] = None,
    seeds: Annotated[
        str | None, typer.Option(help="A count (3 is 0, 1 and 2) or a list 0,7,9.")
    ] = None,
    budget: Annotated[
        str | None, typer.Option(help="25epochs, 20000steps, 500kimg, 10min or 20s.")
    ] = None,
    settings: Annotated[list[str] | None, _SETTINGS] = None,
    data_root: Annotated[Path | None, _DATA_ROOT] = None,
    backbone: Annotated[str | None, _BACKBONE] = None,
    inception_weights: Annotated[Path | None, _INCEPTION_WEIGHTS] = None,
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
    precision: Annotated[str | None, _PRECISION] = None,
    compile_: Annotated[bool | None, _COMPILE] = None,
    cuda_graphs: Annotated[bool | None, _CUDA_GRAPHS] = None,
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
    from ganbench.suite import read_suite

    if from_run is None:
        raise typer.Exit(_carry_out(read_suite(suite, flags), dry_run=dry_run, fresh=fresh))
    if suite is not None:
        raise UsageError(f"--from {from_run} and a suite file {suite}: give one of them")
    from ganbench.repeat import suite_values
    from ganbench.store import StoredRun

    stored = StoredRun.read(from_run).result
    values = suite_values(stored)
    if "set" in flags:  # settings are added to the run's own instead of replacing them
        flags["set"] = (*values["set"], *flags["set"])
    read = read_suite(None, {**values, **flags})
    raise typer.Exit(_carry_out(read, dry_run=dry_run, fresh=fresh, stored=stored))


def _carry_out(suite: Suite, *, dry_run: bool, fresh: bool, stored: RunResult | None = None) -> int:
    """Plan, train and report; return the exit code."""
    from ganbench import data, launch, progress, repeat
    from ganbench import plan as planning
    from ganbench.device import choose
    from ganbench.host import release_host_memory

    console = _console()
    device = choose(suite.device)
    told = f"device: {device.name} ({device.reason})"
    console.print(told, markup=False, highlight=False, soft_wrap=True)
    data_root = suite.data_root or data.default_data_root()
    plan = planning.make(suite, device=device.kind, data_root=data_root)
    for note in plan.notes:
        console.print(note, markup=False, highlight=False, soft_wrap=True)
    for line in repeat.differences(stored, plan) if stored is not None else ():
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    if dry_run:
        _print_plan(plan, console)
        return OK
    from ganbench.train import Stopped
    from ganbench.workshop import Workshop

    folder = launch.choose_folder(suite.out, plan, device.kind)
    launch.check_folder(folder, plan, fresh=fresh)
    command = shlex.join(["ganbench", *sys.argv[1:]])
    with progress.Display(console) as display:
        workshop = Workshop(
            folder=folder,
            device=device,
            data_root=data_root,
            cache_root=data.default_cache_root(),
            display=display,
            inception_weights=suite.inception_weights,
            command=command,
        )
        launch.prepare(plan, workshop, fresh=fresh, jobs=suite.jobs)
        if fresh:
            folder.clear()
        folder.write_plan(launch.plan_record(plan, device, command))
        try:
            runs = launch.launch(
                plan, workshop, jobs=suite.jobs, exclusive_timing=suite.exclusive_timing
            )
        except Stopped:
            display.say(f"stopped and saved; the same command with --out {folder.path} goes on")
            return _INTERRUPTED
        display.say("writing the report")
        release_host_memory()
        from ganbench.report import build, summary_table

        build([folder.path])
    console.print(summary_table(folder.path))
    if stored is not None:
        for done in runs:
            line = repeat.verdict(stored, done.result)
            console.print(line, markup=False, highlight=False, soft_wrap=True)
    console.print(f"results: {folder.path}", markup=False, highlight=False, soft_wrap=True)
    return OK if all(stored.result.status == "ok" for stored in runs) else FAILED


def _print_plan(plan: Plan, console: Console) -> None:
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
    console.print(table)


@app.command()
def report(
    folders: Annotated[list[Path], typer.Argument(metavar="DIR ...", help="Results folders.")],
    out: Annotated[
        Path | None, typer.Option(help="Where to write; needed to join several folders.")
    ] = None,
) -> None:
    """Write tables, charts and page again from the files; join several folders with --out."""
    from ganbench.report import build, summary_table

    if len(folders) > 1 and out is None:
        raise UsageError("several folders are joined into a new one: give it with --out")
    console = _console()
    written = build(folders, out)
    if out is None:
        console.print(summary_table(written))
    console.print(f"report: {written}", markup=False, highlight=False, soft_wrap=True)


@app.command()
def throughput(
    *,
    variants: Annotated[
        str, typer.Option(help="Names or files, separated by commas; 'all' for every one.")
    ] = "all",
    batch_sizes: Annotated[
        str, typer.Option(help="Real images a step, separated by commas.")
    ] = "32,64,128,256",
    dataset: Annotated[
        str | None, typer.Option(help="Whose shape the random images have; none is downloaded.")
    ] = None,
    device: Annotated[str, _DEVICE] = "auto",
    settings: Annotated[list[str] | None, _SETTINGS] = None,
    seconds: Annotated[
        float, typer.Option(min=0.01, help="How long each point is measured, at least three steps.")
    ] = 5.0,
    precision: Annotated[str | None, _PRECISION] = None,
    compile_: Annotated[bool | None, _COMPILE] = None,
    cuda_graphs: Annotated[bool | None, _CUDA_GRAPHS] = None,
    data_root: Annotated[
        Path | None, typer.Option(envvar="GANBENCH_DATA", help="Where image folders are.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Results folder; results/<date>_<device>_throughput if left out."),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Replace an earlier measurement in --out.")
    ] = False,
) -> None:
    """Measure training speed over batch sizes: the knee, the limits, memory, a chart.

    Networks are trained as `ganbench run` trains them, on random images.
    """
    given = {
        "variants": variants,
        "dataset": dataset,
        "device": device,
        "set": settings or None,
        "precision": precision,
        "compile": compile_,
        "cuda_graphs": cuda_graphs,
        "data_root": data_root,
        "out": out,
    }
    from ganbench.suite import read_suite

    suite = read_suite(None, {key: value for key, value in given.items() if value is not None})
    from ganbench.throughput.command import measure

    command = shlex.join(["ganbench", *sys.argv[1:]])
    raise typer.Exit(
        measure(
            suite, batch_sizes, seconds=seconds, fresh=fresh, command=command, console=_console()
        )
    )


@app.command()
def sample(
    run_folder: Annotated[
        Path, typer.Argument(metavar="RUN", help="Folder of a finished run: results/.../runs/<id>.")
    ],
    count: Annotated[int, typer.Option("-n", min=1, max=4096, help="How many images.")] = 64,
    prompt: Annotated[
        str | None, typer.Option(help="Text to draw, for a variant that takes prompts.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the latents.")] = 0,
    *,
    best: Annotated[
        bool, typer.Option("--best", help="The best moment of a run that was scored in training.")
    ] = False,
    device: Annotated[str, _DEVICE] = "auto",
    out: Annotated[
        Path | None, typer.Option(help="The PNG to write; in the run's folder if left out.")
    ] = None,
) -> None:
    """Draw images from a finished run into a PNG."""
    from ganbench import sampling

    sampling.sample_to_file(
        run_folder,
        count=count,
        prompt=prompt,
        seed=seed,
        device=device,
        out=out,
        best=best,
        say=typer.echo,
    )


@app.command()
def compare(
    first: Annotated[str, typer.Argument(metavar="A", help="Results folder, or FOLDER:VARIANT.")],
    second: Annotated[str, typer.Argument(metavar="B", help="Results folder, or FOLDER:VARIANT.")],
    *,
    metric: Annotated[
        list[str] | None, typer.Option(help="Compare this column of runs.csv; may be repeated.")
    ] = None,
    fail_on: Annotated[
        list[str] | None,
        typer.Option(help="Exit with 1 only if B is worse on this column; may be repeated."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")] = False,
) -> None:
    """Is B better or worse than A? Exit code 1 says that it is worse on some score."""
    from ganbench import compare as comparing

    folder_a, variant_a = _side(first)
    folder_b, variant_b = _side(second)
    wanted = [*(metric or []), *(name for name in fail_on or [] if metric and name not in metric)]
    found = comparing.compare(
        folder_a, folder_b, variant_a=variant_a, variant_b=variant_b, metrics=wanted or None
    )
    if as_json:
        typer.echo(found.to_json(), nl=False)
    else:
        for note in found.notes:
            typer.echo(f"note: {note}")
        for verdict in found.verdicts:
            typer.echo(verdict.sentence)
    compared = {verdict.score for verdict in found.verdicts}
    for name in fail_on or []:
        if name not in compared:
            raise unknown("column in --fail-on", name, compared)
    worse = [item for item in found.regressions if not fail_on or item.score in fail_on]
    raise typer.Exit(FAILED if worse else OK)


@app.command()
def selftest(
    dataset: Annotated[
        str, typer.Option(help="mnist, fashion-mnist, cifar10, digits or imagefolder:DIR.")
    ],
    *,
    device: Annotated[str, _DEVICE] = "auto",
    backbone: Annotated[str, _BACKBONE] = "auto",
    inception_weights: Annotated[Path | None, _INCEPTION_WEIGHTS] = None,
    data_root: Annotated[Path | None, _DATA_ROOT] = None,
    images: Annotated[
        int | None,
        typer.Option(help="Images of each generator; 1,000 or what the smallest class allows."),
    ] = None,
    draws: Annotated[
        int | None, typer.Option(min=1, max=20, help="Draws of each fault; 5 if left out.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder; results/<date>_<device>_selftest-<dataset> if left out."),
    ] = None,
) -> None:
    """What does each metric see? Score generators whose faults are known, and publish it."""
    from ganbench import data, progress
    from ganbench.device import choose
    from ganbench.selftest import DRAWS, Request, self_test

    console = _console()
    chosen = choose(device)
    console.print(f"device: {chosen.name} ({chosen.reason})", markup=False, highlight=False)
    request = Request(
        dataset=dataset,
        data_root=data_root or data.default_data_root(),
        cache_root=data.default_cache_root(),
        backbone=backbone,
        inception_weights=inception_weights,
        images=images,
        draws=draws or DRAWS,
        out=out,
        command=shlex.join(["ganbench", *sys.argv[1:]]),
    )
    with progress.Display(console) as display:
        folder, outcome = self_test(request, chosen, display)
    from ganbench.selftest.words import verdict_table

    console.print(verdict_table(outcome))
    console.print(f"results: {folder}", markup=False, highlight=False, soft_wrap=True)


def _side(text: str) -> tuple[Path, str | None]:
    """Read `FOLDER` or `FOLDER:VARIANT`."""
    if Path(text).is_dir():
        return Path(text), None
    folder, colon, variant = text.rpartition(":")
    return (Path(folder), variant) if colon and folder else (Path(text), None)


def _console() -> Console:
    from rich.console import Console

    return Console()


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line; every mistake of the user ends in one line and exit code 2."""
    try:
        code = app(arguments, standalone_mode=False)
    except typer.TyperException as error:  # a flag that is unknown, or a value it cannot take
        message = error.format_message() if hasattr(error, "format_message") else str(error)
        typer.echo(f"ganbench: {message} (ganbench --help shows what there is)", err=True)
        code = USAGE
    except KeyboardInterrupt:
        typer.echo("ganbench: interrupted; the same command goes on where it was", err=True)
        code = _INTERRUPTED
    except UsageError as error:
        typer.echo(f"ganbench: {error}", err=True)
        code = USAGE
    except GanbenchError as error:
        typer.echo(f"ganbench: {error}", err=True)
        code = FAILED
    sys.exit(code)


if __name__ == "__main__":
    main()
