"""A comparison from Python, with the plan, the checks and the folder of `ganbench run`."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ganbench import data
from ganbench.api.comparison import Comparison
from ganbench.api.display import display
from ganbench.data.cache import clean
from ganbench.experiment import plan as planning
from ganbench.experiment.extension import variant_of
from ganbench.experiment.lock import locked
from ganbench.experiment.store import ResultsFolder
from ganbench.experiment.suite import read_suite
from ganbench.launch import local
from ganbench.launch.context import CommandContext
from ganbench.machine.device import choose
from ganbench.machine.interrupt import Stopped
from ganbench.machine.torch_settings import preserved_settings
from ganbench.report import build

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["run"]

_COMMAND = "ganbench.run(...)"


def run(
    suite: str | Path | None = None,
    *,
    variants: str | Sequence[str] | None = None,
    dataset: str | None = None,
    device: str | None = None,
    seeds: int | str | Sequence[int] | None = None,
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
    precision: str | None = None,
    compile: bool | None = None,  # noqa: A002 - as the flag
    cuda_graphs: bool | None = None,
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
        seeds: A count, or a list of seeds.
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
        precision: `fp32`, `bf16` or `fp16`.
        compile: Whether steps are compiled first.
        cuda_graphs: Whether steps are captured as CUDA graphs.
        fresh: Whether to start over instead of going on.
        quiet: Whether to show no progress.

    Raises:
        UsageError: The comparison cannot be carried out as asked for; the message says what to do.
        KeyboardInterrupt: It was interrupted; the runs have been saved.
    """
    if isinstance(settings, dict):
        settings = [f"{key}={value}" for key, value in settings.items()]
    given = {
        "variants": variants if variants is None or isinstance(variants, str) else tuple(variants),
        "dataset": dataset,
        "device": device,
        "seeds": seeds,
        "budget": budget,
        "set": None if settings is None else tuple(settings),
        "data_root": _text(data_root),
        "backbone": backbone,
        "inception_weights": _text(inception_weights),
        "sample_every": sample_every,
        "evaluate_every": evaluate_every,
        "out": _text(out),
        "jobs": jobs,
        "exclusive_timing": exclusive_timing,
        "precision": precision,
        "compile": compile,
        "cuda_graphs": cuda_graphs,
    }
    flags = {key: value for key, value in given.items() if value is not None}
    asked = read_suite(Path(suite) if suite is not None else None, flags)
    chosen = choose(asked.device)
    root, cache_root = asked.data_root or data.default_data_root(), data.default_cache_root()
    with display(quiet=quiet) as shown, _without_main_module():
        with preserved_settings():  # which the code of variants may change
            plan = planning.make(
                asked,
                device=chosen.kind,
                data_root=root,
                cache_root=cache_root,
                report=shown.report,
            )
        for note in plan.notes:
            shown.say(note)
        folder = local.choose_folder(asked.out, plan, chosen.kind)
        local.check_folder(folder, plan, fresh=fresh)
        with locked(folder.path):
            local.check_folder(folder, plan, fresh=fresh)  # another one may have written to it
            folder.clean()
            clean(cache_root)
            context = CommandContext(
                folder=ResultsFolder(folder.path.resolve()),
                device=str(chosen.torch),
                data_root=root,
                cache_root=cache_root,
                inception_weights=asked.inception_weights,
                command=_COMMAND,
            )
            local.prepare(plan, context, shown, fresh=fresh, jobs=asked.jobs)
            if fresh:
                own = {job.variant for job in plan.jobs}
                folder.clear(lambda name: variant_of(name) in own)
            record = local.plan_record(
                plan,
                device=chosen.kind,
                device_name=chosen.name if chosen.kind != "cuda" else str(chosen.torch),
                device_reason=chosen.reason,
                command=_COMMAND,
            )
            folder.write_plan(record)
            try:
                local.launch(
                    plan, context, shown, jobs=asked.jobs, exclusive_timing=asked.exclusive_timing
                )
            except Stopped as stopped:
                raise KeyboardInterrupt from stopped
            build([folder.path])
    return Comparison(folder.path)


def _text(path: str | Path | None) -> str | None:
    return None if path is None else str(path)


@contextmanager
def _without_main_module() -> Iterator[None]:
    """Let the processes of runs not run the caller's script, which they have no need of.

    Python's multiprocessing has each new process import the main module, so that a script without
    a guard would begin itself again in each of them.
    """
    before = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = before
