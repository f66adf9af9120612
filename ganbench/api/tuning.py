"""An equal tuning from Python, with the plan, the checks and the folder of `ganbench tune`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from ganbench.api.arguments import (
    LARGEST_SEED,
    key_values,
    names,
    optional_path,
    truth,
    whole,
)
from ganbench.api.comparison import Comparison
from ganbench.api.display import display
from ganbench.experiment.suite import read_suite
from ganbench.launch.processes import without_main_module
from ganbench.machine.interrupt import Stopped
from ganbench.tuning.record import MOST_TRIALS
from ganbench.workflow import tuning
from ganbench.workflow.tuning_plan import TuneRequest, plan_tuning

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["tune"]

_COMMAND = "ganbench.tune(...)"


def tune(
    *,
    variants: str | Sequence[str],
    budget: str,
    trials: int = 20,
    dataset: str | None = None,
    seeds: int | str | Sequence[int] = 3,
    settings: Mapping[str, Any] | Sequence[str] = (),
    space: Mapping[str, str] | Sequence[str] = (),
    primary: str = "fid",
    sampler: Literal["random", "tpe"] = "random",
    search_seed: int = 0,
    prune: bool = False,
    device: str | None = None,
    data_root: str | Path | None = None,
    backbone: str | None = None,
    inception_weights: str | Path | None = None,
    out: str | Path | None = None,
    jobs: int | None = None,
    launcher: str | None = None,
    ray_address: str | None = None,
    ray: Mapping[str, Any] | Sequence[str] = (),
    slurm: Mapping[str, Any] | Sequence[str] = (),
    precision: str | None = None,
    compile: bool | None = None,  # noqa: A002 - as the flag
    cuda_graphs: bool | None = None,
    fresh: bool = False,
    quiet: bool = False,
) -> Comparison:
    """Search the recipes of variants with equal effort, and compare the best ones on new seeds.

    The same call with the same `out` goes on where it stopped, as the command does.

    Args:
        variants: Names or files, as a list or separated by commas.
        budget: Of every run, of trials too: `25epochs`, `500kimg`, `10min` or `20s`.
        trials: Of each variant.
        dataset: As `ganbench list datasets` names them.
        seeds: Of the final runs: a count or a list of seeds.
        settings: Numbers of recipes that are not searched: `{"lr_d": 1e-4}`.
        space: What is searched of numbers instead of the default:
            `{"lr_g": "1e-5:1e-3:log", "dcgan.d_steps": "1|5"}`.
        primary: The score that trials are chosen by.
        sampler: `random`, or `tpe`, which learns from earlier trials.
        search_seed: Of the drawn numbers.
        prune: Whether the worse half of each variant's trials is stopped after a quarter and after
            half of the budget.
        device: `auto`, `cuda`, `cuda:1`, `mps` or `cpu`.
        data_root: Where datasets are, or are downloaded to.
        backbone: Features for the scores.
        inception_weights: File with the Inception weights, instead of a download.
        out: Results folder; `results/<date>_<device>_<topic>_tuned` if left out.
        jobs: Runs side by side.
        launcher: Where runs are done: `local`, `ray` or `slurm`.
        ray_address: With `ray`: the cluster that this machine is a part of.
        ray: With `ray`: what each run takes, `{"num_cpus": 2, "num_gpus": 0.5}`.
        slurm: With `slurm`: what is passed on, `{"partition": "gpu", "timeout_min": 240}`.
        precision: `fp32`, `bf16` or `fp16`.
        compile: Whether steps are compiled first.
        cuda_graphs: Whether steps are captured as CUDA graphs.
        fresh: Whether to start over instead of going on.
        quiet: Whether to show no progress.

    Returns:
        The final runs, of tuned and default recipes.

    Raises:
        UsageError: It cannot be carried out as asked for; the message says what to do.
        KeyboardInterrupt: It was interrupted; the runs have been saved.
    """
    given = {
        "variants": names("variants", variants),
        "dataset": dataset,
        "device": device,
        "seeds": seeds,
        "primary": primary,
        "budget": budget,
        "set": key_values("settings", settings) or None,
        "data_root": optional_path("data_root", data_root),
        "backbone": backbone,
        "inception_weights": optional_path("inception_weights", inception_weights),
        "out": optional_path("out", out),
        "jobs": jobs,
        "launcher": launcher,
        "ray_address": ray_address,
        "ray": key_values("ray", ray) or None,
        "slurm": key_values("slurm", slurm) or None,
        "precision": precision,
        "compile": compile,
        "cuda_graphs": cuda_graphs,
    }
    fresh, quiet = truth("fresh", fresh), truth("quiet", quiet)
    suite = read_suite(None, {key: value for key, value in given.items() if value is not None})
    request = TuneRequest(
        suite,
        whole("trials", trials, 1, MOST_TRIALS),
        key_values("space", space) or (),
        sampler,
        whole("search_seed", search_seed, 0, LARGEST_SEED),
        truth("prune", prune),
    )
    with display(quiet=quiet) as shown, without_main_module():
        planned = plan_tuning(request, shown, command=_COMMAND)
        for note in (*planned.default.plan.notes, *planned.notes):
            shown.say(note)
        folder = tuning.choose_tuning_folder(planned)
        try:
            tuning.tune(planned, folder, shown, fresh=fresh)
        except Stopped as stopped:
            raise KeyboardInterrupt from stopped
    return Comparison(folder.path)
