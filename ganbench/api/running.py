"""A comparison from Python, with the plan, the checks and the folder of `ganbench run`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ganbench.api.arguments import key_values, names, optional_path, truth
from ganbench.api.comparison import Comparison
from ganbench.api.display import display
from ganbench.experiment.suite import read_suite
from ganbench.launch.processes import without_main_module
from ganbench.machine.interrupt import Stopped
from ganbench.workflow.comparison import carry_out, choose_folder, plan_comparison

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["run"]

_COMMAND = "ganbench.run(...)"


def run(
    suite: str | Path | None = None,
    *,
    variants: str | Sequence[str] | None = None,
    dataset: str | None = None,
    device: str | None = None,
    seeds: int | str | Sequence[int] | None = None,
    primary: str | None = None,
    margin: str | None = None,
    budget: str | None = None,
    settings: Mapping[str, Any] | Sequence[str] | None = None,
    data_root: str | Path | None = None,
    backbone: str | None = None,
    inception_weights: str | Path | None = None,
    sample_every: str | None = None,
    evaluate_every: str | None = None,
    out: str | Path | None = None,
    jobs: int | None = None,
    exclusive_timing: bool | None = None,
    processes_per_run: int | None = None,
    launcher: str | None = None,
    ray_address: str | None = None,
    ray: Mapping[str, Any] | Sequence[str] | None = None,
    slurm: Mapping[str, Any] | Sequence[str] | None = None,
    precision: str | None = None,
    compile: bool | None = None,  # noqa: A002 - as the flag
    cuda_graphs: bool | None = None,
    track: str | Sequence[str] | None = None,
    fresh: bool = False,
    quiet: bool = False,
) -> Comparison:
    """Train variants under one protocol, score them, write a report, and read it.

    The same call with the same `out` goes on where it stopped, as the command does. A run that
    fails is a row whose `status` says so, and no error.

    Args:
        suite: A file that says the same as the arguments; arguments win.
        variants: Names or files, as a list or separated by commas.
        dataset: As `ganbench list datasets` names them.
        device: `auto`, `cuda`, `cuda:1`, `mps` or `cpu`.
        seeds: A count, a list of seeds, or `auto` or `auto:3-20` for as many as are needed.
        primary: The score that pairs are tested on first, by its column.
        margin: With seeds as needed: variants that differ by less, such as `10%`, are equivalent.
        budget: `25epochs`, `20000steps`, `500kimg`, `10min` or `20s`.
        settings: Numbers of recipes: `{"lr_g": 1e-4, "dcgan.generator_width": 32}`.
        data_root: Where datasets are, or are downloaded to.
        backbone: Features for the scores.
        inception_weights: File with the Inception weights, instead of a download.
        sample_every: How often a sample grid is drawn, as a budget.
        evaluate_every: How often to score during training, as a budget.
        out: Results folder; `results/<date>_<device>_<topic>` if left out.
        jobs: Runs side by side.
        exclusive_timing: Whether to measure the speeds of these again, each alone.
        processes_per_run: Processes that train each run, each on its share of every batch.
        launcher: Where runs are done: `local`, `ray` or `slurm`.
        ray_address: With `ray`: the cluster that this machine is a part of.
        ray: With `ray`: what each run takes, `{"num_cpus": 2, "num_gpus": 0.5}`.
        slurm: With `slurm`: what is passed on, `{"partition": "gpu", "timeout_min": 240}`.
        precision: `fp32`, `bf16` or `fp16`.
        compile: Whether steps are compiled first.
        cuda_graphs: Whether steps are captured as CUDA graphs.
        track: Names of trackers that follow each run, as a list or separated by commas.
        fresh: Whether to start over instead of going on.
        quiet: Whether to show no progress.

    Raises:
        UsageError: The comparison cannot be carried out as asked for; the message says what to do.
        KeyboardInterrupt: It was interrupted; the runs have been saved.
    """
    given = {
        "variants": names("variants", variants),
        "dataset": dataset,
        "device": device,
        "seeds": seeds,
        "primary": primary,
        "margin": margin,
        "budget": budget,
        "set": key_values("settings", settings),
        "data_root": optional_path("data_root", data_root),
        "backbone": backbone,
        "inception_weights": optional_path("inception_weights", inception_weights),
        "sample_every": sample_every,
        "evaluate_every": evaluate_every,
        "out": optional_path("out", out),
        "jobs": jobs,
        "exclusive_timing": exclusive_timing,
        "processes_per_run": processes_per_run,
        "launcher": launcher,
        "ray_address": ray_address,
        "ray": key_values("ray", ray),
        "slurm": key_values("slurm", slurm),
        "precision": precision,
        "compile": compile,
        "cuda_graphs": cuda_graphs,
        "track": names("track", track),
    }
    fresh, quiet = truth("fresh", fresh), truth("quiet", quiet)
    flags = {key: value for key, value in given.items() if value is not None}
    asked = read_suite(optional_path("suite", suite), flags)
    with display(quiet=quiet) as shown, without_main_module():
        planned = plan_comparison(asked, shown, command=_COMMAND)
        for note in planned.plan.notes:
            shown.say(note)
        folder = choose_folder(planned)
        try:
            carry_out(planned, folder, shown, fresh=fresh)
        except Stopped as stopped:
            raise KeyboardInterrupt from stopped
    return Comparison(folder.path)
