"""From a suite to a plan: a list of jobs, each a record that says all about its run.

Making a plan touches no device, and reads no more of images than a hash of the files of an image
folder, which the cache keeps; `--dry-run` stops here.
"""

from __future__ import annotations

import dataclasses
import re
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganbench import data
from ganbench.data.catalogue import short_dataset
from ganbench.errors import DataError, UsageError
from ganbench.experiment import frozen
from ganbench.experiment.fit import fitted
from ganbench.experiment.memory_needed import (
    LARGE,
    refuse_activations,
    refuse_batches,
    refuse_networks,
    sizes_of,
)
from ganbench.experiment.processes import refuse_processes, refuse_shares
from ganbench.experiment.result import NO_BUDGET
from ganbench.experiment.suite import Suite, parse_seeds, parse_settings
from ganbench.machine.interrupt import StopRequest
from ganbench.scoring.metrics.catalogue import POINTS_BACKBONE
from ganbench.scoring.protocol import Noise, short_hash
from ganbench.training.execution import EAGER, Execution
from ganbench.variant.budget import Budget
from ganbench.variant.on_points import changes_on_points, refuse_image_options
from ganbench.variant.registry import ALL, Resolved, entries, expand, resolve
from ganbench.visible import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ganbench.data.dataset import Progress
    from ganbench.fakes.source import Source
    from ganbench.variant.definition import DatasetSpec, Variant
    from ganbench.variant.recipe import Recipe

__all__ = ["Job", "Plan", "make"]

_LONGEST_TOPIC = 50  # characters, of up to 4 bytes each, of a folder's name of up to 255 bytes
_NOT_ON_WINDOWS = re.compile(r'[<>:"/\\|?*]')  # in names of files and folders
_FEWEST_TRAINING = 10  # twice the five neighbours of density and coverage
_FEWEST_HELD_OUT = 2  # a covariance


@dataclass(frozen=True)
class Job:
    """One run to do.

    Attributes:
        variant: Name of the variant.
        title: Its one line for tables.
        request: A name or path by which another process finds the variant again.
        source_hash: Hash of its source text.
        recipe: Every number, after all overrides, as plain values.
        spec: The dataset.
        seed: Of everything random in the run.
        budget: How long to train.
        sample_every: How often to draw a grid.
        device: Kind of device, as its numbers differ from kind to kind.
        backbone: As asked for.
        evaluate_every: How often to score during training; None is only at the end.
        execution: How the steps are carried out.
        notes: What was chosen for the user, in full sentences.
        content: Hash of the files of an image folder; empty for datasets whose content never
            changes, and where nobody asked for it.
        data_notes: What was done to the files of an image folder, in full sentences.
        frozen: Path of images or a generator made elsewhere, which are scored and not trained;
            empty for a variant.
        processes: How many processes train it, each on its share of every batch. Like the number
            of threads it is a condition of the run and no part of its name: a run goes on with
            another number.
        noise: Which evaluation latents the scores are taken on; what is chosen by its score is
            scored on one half, `choosing`.
    """

    variant: str
    title: str
    request: str
    source_hash: str
    recipe: dict[str, Any]
    spec: DatasetSpec
    seed: int
    budget: Budget
    sample_every: Budget
    device: str
    backbone: str
    evaluate_every: Budget | None = None
    execution: Execution = EAGER
    notes: tuple[str, ...] = ()
    content: str = ""
    data_notes: tuple[str, ...] = ()
    frozen: str = ""
    processes: int = 1
    noise: Noise = "all"

    @property
    def budget_text(self) -> str:
        """The budget for people and files; `none` where nothing is trained."""
        return NO_BUDGET if self.frozen else str(self.budget)

    @property
    def image_size(self) -> int:
        """Height and width of the images that the networks see, in pixels."""
        return int(self.recipe["image_size"])

    @property
    def may_use_inception(self) -> bool:
        """Whether the scores may be computed from features of inception."""
        if self.spec.kind == "points":
            return False
        return self.backbone == "inception" or (self.backbone == "auto" and self.spec.channels > 1)

    @property
    def asked(self) -> dict[str, Any]:
        """What the suite said beyond the recipe, by the names of its keys."""
        every = self.evaluate_every
        return {
            "backbone": self.backbone,
            "evaluate_every": None if every is None else str(every),
            **self.execution.changed,
            **({"processes_per_run": self.processes} if self.processes > 1 else {}),
        }

    @property
    def steps(self) -> int | None:
        """Training steps of the budget; None where time decides."""
        return self.steps_of(self.budget)

    def steps_of(self, budget: Budget) -> int | None:
        """Training steps of some budget; None where time decides."""
        images = int(self.recipe["batch_size"]) * int(self.recipe.get("d_steps", 1))
        return budget.steps(batch_size=images, train_count=self.spec.train_count)

    @property
    def label(self) -> str:
        """The run for people, unlike that of any other run of a plan."""
        return f"{self.variant} · {self.spec.name} · seed {self.seed}"

    @property
    def id(self) -> str:
        """Variant, seed, and a short hash of all that decides the numbers."""
        decisive: dict[str, Any] = {
            "variant": self.variant,
            "source": self.source_hash,
            "recipe": {
                key: value
                for key, value in self.recipe.items()
                if key not in ("dataset", "budget", "sample_every")
            },
            "dataset": self.spec.fields,
            "seed": self.seed,
            "budget": self.budget_text,
            "device": self.device,
            "backbone": self.backbone,
            **self.execution.changed,
        }
        if self.content:
            decisive["content"] = self.content
        if self.evaluate_every is not None:
            decisive["evaluate_every"] = str(self.evaluate_every)
        if self.noise != "all":
            decisive["noise"] = self.noise
        return f"{self.variant}-s{self.seed}-{short_hash(decisive, 8)}"


@dataclass(frozen=True)
class Plan:
    """All jobs of one comparison, in the order in which they run.

    Attributes:
        jobs: One per variant and seed.
        left_out: Why variants that `all` would bring are not among them.
        unused: Which flags have no effect, and why.
    """

    jobs: tuple[Job, ...]
    left_out: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What was chosen for the user, in full sentences, each once."""
        of_jobs = (note for job in self.jobs for note in (*job.data_notes, *job.notes))
        return tuple(dict.fromkeys([*self.left_out, *self.unused, *of_jobs]))

    @property
    def topic(self) -> str:
        """A word for the results folder's name: the dataset or datasets."""
        names = "-".join(sorted({short_dataset(job.spec.name) for job in self.jobs}))
        return _NOT_ON_WINDOWS.sub("-", visible(names))[:_LONGEST_TOPIC]


def make(
    suite: Suite,
    *,
    device: str,
    data_root: Path,
    cache_root: Path | None = None,
    report: Progress | None = None,
) -> Plan:
    """Turn a suite into jobs: each variant on its dataset, once per seed.

    Args:
        suite: What was asked for.
        device: Kind of the device that was chosen.
        data_root: Where datasets are looked for.
        cache_root: Where the hashes of an image folder's files are kept; without it the identity of
            a run does not depend on what they hold.
        report: Called with the progress of reading these files.

    Raises:
        UsageError: A variant, dataset, key, value, seed or budget is not right, or the device
            cannot do what was asked for.
    """
    trained_names, frozen_paths = frozen.split(suite.variants)
    if not suite.variants:
        raise UsageError("no variant was named: give --variants, for example --variants mlp,dcgan")
    suite.execution.check(device)
    refuse_processes(suite)
    names, broken = expand(trained_names)
    left_out = tuple(f"left out: {reason}" for reason in broken.values())
    if not names and not frozen_paths:
        raise UsageError("; ".join(left_out))
    resolved = resolve(names)
    installed = ALL in suite.variants
    named = {Path(name).stem.replace("_", "-") for name in trained_names}
    seeds = parse_seeds(suite.seeds)
    settings = parse_settings(suite.set, [each.name for each in resolved])
    describe = cache(partial(data.describe, data_root=data_root))  # a folder is listed once
    first = []
    for candidate in resolved:
        job = _job(
            suite, candidate, settings[candidate.name], seeds[0], device, describe, data_root
        )
        refusal = candidate.variant.accepts.refusal(job.spec, job.image_size)
        if not refusal:
            first.append(job)
        elif not installed or candidate.name in named:
            raise UsageError(f"variant {candidate.name} {refusal}: {_way_out(job.spec)}")
        else:
            left_out += (f"left out: {candidate.name} {refusal}",)
    if not first and not frozen_paths:
        raise UsageError("; ".join(left_out))
    made_elsewhere = _frozen_jobs(suite, frozen_paths, first, device, describe, data_root)
    if cache_root is not None:
        hashed = cache(
            partial(data.content_hash, data_root=data_root, cache_root=cache_root, report=report)
        )
        first = [dataclasses.replace(job, content=hashed(job.spec.name)) for job in first]
        made_elsewhere = [
            (dataclasses.replace(job, content=hashed(job.spec.name)), source)
            for job, source in made_elsewhere
        ]
    jobs = tuple(dataclasses.replace(job, seed=seed) for seed in seeds for job in first)
    jobs += tuple(
        dataclasses.replace(job, seed=seed)
        for job, source in made_elsewhere
        for seed in frozen.seeds_of(source, seeds)
    )
    return Plan(jobs, left_out, _unused(suite, jobs))


def _unused(suite: Suite, jobs: Sequence[Job]) -> tuple[str, ...]:
    """Say that weights were given for a network that no run uses, or a margin for no test."""
    unused = []
    if "margin" in suite.model_fields_set and suite.seeds_as_needed is None:
        unused.append(
            "--margin has no effect: equivalence is tested where seeds are added as needed, "
            "with --seeds auto"
        )
    if suite.inception_weights is not None and not any(job.may_use_inception for job in jobs):
        why = f"the backbone is {suite.backbone}"
        if suite.backbone in ("auto", POINTS_BACKBONE):
            why = (
                "without --backbone inception, grey images and points are not described by "
                "inception"
            )
        unused.append(f"--inception-weights has no effect: {why}")
    return tuple(unused)


def _job(
    suite: Suite,
    candidate: Resolved,
    settings: dict[str, str],
    seed: int,
    device: str,
    describe: Callable[[str], DatasetSpec],
    data_root: Path,
) -> Job:
    flags = {"dataset": suite.dataset, "budget": suite.budget, "sample_every": suite.sample_every}
    given = {key: value for key, value in flags.items() if value is not None}
    with _named(candidate.name):
        recipe = candidate.variant.recipe.override({**given, **settings})
        suite.execution.check_optimizer(recipe.optimizer)
    spec = describe(recipe.dataset)
    _refuse_too_few(spec)
    if spec.kind == "points":
        with _named(candidate.name):
            recipe, notes = _fitted_to_points(suite, candidate, recipe, spec, settings)
    else:
        recipe, notes = fitted(candidate.name, recipe, spec, settings, candidate.variant.accepts)
    if suite.compile:
        notes += (
            f"{candidate.name}: its step is compiled first, which is not charged to training",
        )
    with _named(candidate.name):
        refuse_batches(recipe, spec)
        refuse_shares(recipe, suite.processes_per_run, candidate.variant.group)
    if not candidate.variant.accepts.refusal(spec, recipe.image_size):
        with _named(candidate.name):
            _build_without_weights(candidate.variant, recipe, spec, device, suite)
    return Job(
        variant=candidate.name,
        title=candidate.variant.title,
        request=_request(candidate),
        source_hash=candidate.source_hash,
        recipe=recipe.model_dump(),
        spec=spec,
        seed=seed,
        budget=Budget.parse(recipe.budget),
        sample_every=Budget.parse(recipe.sample_every),
        device=device,
        backbone=suite.backbone,
        evaluate_every=Budget.parse(suite.evaluate_every) if suite.evaluate_every else None,
        execution=suite.execution,
        processes=suite.processes_per_run,
        notes=notes,
        data_notes=data.notes(spec.name, data_root),
    )


def _frozen_jobs(
    suite: Suite,
    paths: Sequence[str],
    trained: Sequence[Job],
    device: str,
    describe: Callable[[str], DatasetSpec],
    data_root: Path,
) -> list[tuple[Job, Source]]:
    """Jobs that score images or generators made elsewhere, and what these are.

    They are on the dataset that is named, or on that of all variants beside them.
    """
    datasets = [suite.dataset] if suite.dataset else sorted({job.spec.name for job in trained})
    if paths and len(datasets) != 1:
        raise UsageError(
            f"frozen:{paths[0]} needs the data that it is scored against: give --dataset"
        )
    jobs: list[tuple[Job, Source]] = []
    for path in paths:
        source, spec = frozen.opened(path), describe(datasets[0])
        _refuse_too_few(spec)
        name = frozen.frozen_name(
            path, [job.variant for job in (*trained, *(job for job, _ in jobs))]
        )
        where = Path(path).expanduser().resolve()
        job = Job(
            variant=name,
            title=f"{source.kind} {source.name}, made elsewhere",
            request=f"{frozen.PREFIX}{where}",
            source_hash=source.hash(),
            recipe={"image_size": spec.native_size, "dataset": spec.name},
            spec=spec,
            seed=0,
            budget=Budget(1, "steps"),
            sample_every=Budget(1, "steps"),
            device=device,
            backbone=suite.backbone,
            data_notes=data.notes(spec.name, data_root),
            frozen=str(where),
        )
        jobs.append((job, source))
    return jobs


def _refuse_too_few(spec: DatasetSpec) -> None:
    """Refuse a dataset on which the scores have nothing to compare, before it is trained on.

    Raises:
        DataError: It has too few images.
    """
    if spec.train_count < _FEWEST_TRAINING or spec.test_count < _FEWEST_HELD_OUT:
        raise DataError(
            f"{spec.name} has {spec.train_count} training and {spec.test_count} held-out images: "
            f"the scores need at least {_FEWEST_TRAINING} and {_FEWEST_HELD_OUT}; add images"
        )


@contextmanager
def _named(variant: str) -> Iterator[None]:
    """Say whose numbers a refusal is about."""
    try:
        yield
    except UsageError as error:
        raise UsageError(f"{variant}: {error}") from error


def _request(candidate: Resolved) -> str:
    """How to ask for a variant again: by its name, or by its path where it came from a file."""
    return (
        candidate.name
        if any(entry.name == candidate.name for entry in entries())
        else str(Path(candidate.origin).resolve())
    )


def _fitted_to_points(
    suite: Suite, candidate: Resolved, recipe: Recipe, spec: DatasetSpec, settings: dict[str, str]
) -> tuple[Recipe, tuple[str, ...]]:
    """Give a recipe the networks and numbers for points, unless the user set the number.

    Raises:
        UsageError: Something was asked for that only images have.
    """
    if candidate.variant.accepts.points is None:
        return recipe, ()
    refuse_image_options(settings, spec.name)
    if suite.backbone not in ("auto", POINTS_BACKBONE):
        raise UsageError(
            f"--backbone {suite.backbone} describes images, and {spec.name} holds points, which "
            "are scored as they are: leave it out"
        )
    changes = changes_on_points(candidate.variant, recipe, settings)
    if not changes:
        return recipe, ()
    values = ", ".join(f"{key} {value}" for key, value in changes.items())
    note = (
        f"{candidate.name}: the networks and numbers of PacGAN, as {spec.name} holds points: "
        f"{values} (--set decides)"
    )
    return recipe.override(changes), (note,)


def _way_out(spec: DatasetSpec) -> str:
    """What to do where a variant does not accept a dataset."""
    if spec.kind == "image":
        return "give another --dataset or --set image_size"
    on_points = [
        name
        for name in (entry.name for entry in entries() if entry.kind == "built-in")
        if resolve([name])[0].variant.accepts.points is not None
    ]
    return f"points are for {', '.join(on_points)}"


def _build_without_weights(
    variant: Variant, recipe: Recipe, spec: DatasetSpec, device: str, suite: Suite
) -> None:
    """Refuse a recipe that a builder of the variant refuses, before anything is trained.

    This process does not train: what a plugin leaves in it reaches no run. Other errors than a
    `UsageError` are left to the run, which reports them in its row.
    """
    import torch

    from ganbench.machine.meta_device import WithoutRandomWeights
    from ganbench.training.state import build

    with StopRequest() as request:  # so that a Ctrl-C is not taken for the plugin's
        try:
            with torch.device("meta"), WithoutRandomWeights():
                networks = build(variant, recipe, spec).networks
            refuse_networks(recipe, networks.values())
            refuse_activations(
                recipe, networks, spec, device, suite.execution, suite.processes_per_run
            )
        except UsageError:
            raise
        except BaseException as error:  # a plugin may raise anything
            numbers = [value for value in recipe.model_dump().values() if isinstance(value, int)]
            if isinstance(error, Exception) and max(numbers) >= LARGE:
                raise UsageError(
                    f"networks of such sizes cannot be built ({sizes_of(recipe)}): give smaller "
                    "numbers with --set"
                ) from error
    if request.asked:
        raise KeyboardInterrupt
