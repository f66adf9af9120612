"""From flags and a suite file to a plan: a list of jobs, each told by its record alone.

Making a plan reads no images, touches no device and writes nothing; `--dry-run` stops here.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from ganbench import data
from ganbench.budget import Budget
from ganbench.errors import UsageError, unknown
from ganbench.registry import Resolved, entries, resolve
from ganbench.result import short_hash

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ganbench.variant import DatasetSpec, Recipe, Variant

__all__ = ["Job", "Plan", "Suite", "make", "parse_seeds", "parse_settings", "read_suite"]

_LARGEST_ENLARGEMENT = 4
_FEWEST_BATCHES = 16
_SMALLEST_BATCH = 2


class Suite(BaseModel):
    """What to compare, as a suite file or the flags say it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    variants: tuple[str, ...] = ()
    dataset: str | None = None
    device: str = "auto"
    seeds: str = "1"
    budget: str | None = None
    set: tuple[str, ...] = ()
    data_root: Path | None = None
    backbone: Literal["auto", "inception", "classifier"] = "auto"
    inception_weights: Path | None = None
    out: Path | None = None
    jobs: int = 1
    sample_every: str | None = None

    @field_validator("variants", "set", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        if isinstance(value, dict):
            return tuple(f"{key}={item}" for key, item in value.items())
        return value

    @field_validator("seeds", mode="before")
    @classmethod
    def _seeds_text(cls, value: Any) -> Any:
        return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


@dataclass(frozen=True)
class Job:
    """One run to do.

    Attributes:
        variant: Name of the variant.
        request: A name or path by which another process finds the variant again.
        source_hash: Hash of its source text.
        recipe: Every number, after all overrides, as plain values.
        spec: The dataset.
        seed: Of everything random in the run.
        budget: How long to train.
        sample_every: How often to draw a grid.
        device: Kind of device, as its numbers differ from kind to kind.
        backbone: As asked for.
        notes: What was chosen for the user, in full sentences.
    """

    variant: str
    request: str
    source_hash: str
    recipe: dict[str, Any]
    spec: DatasetSpec
    seed: int
    budget: Budget
    sample_every: Budget
    device: str
    backbone: str
    notes: tuple[str, ...] = ()

    @property
    def image_size(self) -> int:
        """Height and width of the images that the networks see, in pixels."""
        return int(self.recipe["image_size"])

    @property
    def id(self) -> str:
        """Variant, seed, and a short hash of all that decides the numbers."""
        decisive = {
            "variant": self.variant,
            "source": self.source_hash,
            "recipe": {
                key: value
                for key, value in self.recipe.items()
                if key not in ("dataset", "budget", "sample_every")
            },
            "dataset": dataclasses.asdict(self.spec),
            "seed": self.seed,
            "budget": str(self.budget),
            "device": self.device,
            "backbone": self.backbone,
        }
        return f"{self.variant}-s{self.seed}-{short_hash(decisive, 8)}"


@dataclass(frozen=True)
class Plan:
    """All jobs of one comparison, in the order in which they run."""

    jobs: tuple[Job, ...]

    @property
    def topic(self) -> str:
        """A word for the results folder's name: the dataset or datasets."""
        names = {job.spec.name.removeprefix("imagefolder:") for job in self.jobs}
        return "-".join(sorted(Path(name).name for name in names))


def read_suite(path: Path | None, flags: dict[str, Any]) -> Suite:
    """Join a suite file with the flags; flags win.

    Args:
        path: A YAML file, or None.
        flags: The flags that were given, by the names of `Suite`'s fields.

    Raises:
        UsageError: The file cannot be read, or holds an unknown key or a value out of range.
    """
    values: dict[str, Any] = {}
    if path is not None:
        try:
            loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise UsageError(f"suite file {path} cannot be read: {error.strerror}") from error
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            summary = " ".join(str(error).split())
            raise UsageError(f"suite file {path} is not valid YAML: {summary}") from error
        if not isinstance(loaded, dict):
            raise UsageError(
                f"suite file {path} must hold keys and values, for example 'variants: dcgan,mlp'"
            )
        values = loaded
    where = f"suite file {path}: " if path is not None else ""
    for key in values:
        if key not in Suite.model_fields:
            raise UsageError(f"{where}{unknown('suite key', str(key), Suite.model_fields)}")
    try:
        return Suite.model_validate({**values, **flags})
    except ValidationError as error:
        first = error.errors()[0]
        key = str(first["loc"][0]) if first["loc"] else "?"
        origin = "" if key in flags else where
        raise UsageError(
            f"{origin}{key}: {first['input']!r} is not allowed: {first['msg']}"
        ) from error


def parse_seeds(text: str) -> tuple[int, ...]:
    """Read `3` as seeds 0, 1 and 2, and `0,7,9` as those.

    Raises:
        UsageError: It is neither.
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdigit() for part in parts):
        raise UsageError(f"seeds {text!r} cannot be read: give a count such as 3, or a list 0,7,9")
    numbers = [int(part) for part in parts]
    if len(numbers) == 1:
        if numbers[0] < 1:
            raise UsageError("seeds 0 is no run at all: give a count such as 3, or a list 0,7,9")
        return tuple(range(numbers[0]))
    if len(set(numbers)) < len(numbers):
        raise UsageError(f"seeds {text!r} names a seed twice: give each once")
    return tuple(numbers)


def parse_settings(settings: Sequence[str], variants: Iterable[str]) -> dict[str, dict[str, str]]:
    """Sort `KEY=VALUE` and `VARIANT.KEY=VALUE` by variant; the latter win.

    Raises:
        UsageError: One has no `=`, or names a variant that does not take part.
    """
    names = list(variants)
    general: dict[str, str] = {}
    special: dict[str, dict[str, str]] = {name: {} for name in names}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals or not key.strip() or not value.strip():
            raise UsageError(
                f"--set {setting!r} cannot be read: give KEY=VALUE, for example lr_g=1e-4 "
                "or dcgan.generator_width=32"
            )
        owner, dot, name = key.strip().rpartition(".")
        if not dot:
            general[name] = value.strip()
        elif owner.replace("_", "-") in special:
            special[owner.replace("_", "-")][name] = value.strip()
        else:
            raise unknown("variant in --set", owner, names)
    return {name: {**general, **special[name]} for name in names}


def make(suite: Suite, *, device: str, data_root: Path) -> Plan:
    """Turn a suite into jobs: each variant on its dataset, once a seed.

    Args:
        suite: What was asked for.
        device: Kind of the device that was chosen.
        data_root: Where datasets are looked for.

    Raises:
        UsageError: A variant, dataset, key, value, seed or budget is not right.
    """
    if not suite.variants:
        raise UsageError("no variant was named: give --variants, for example --variants mlp,dcgan")
    resolved = resolve(suite.variants)
    seeds = parse_seeds(suite.seeds)
    settings = parse_settings(suite.set, [found.name for found in resolved])
    describe = cache(partial(data.describe, data_root=data_root))  # a folder is listed once
    return Plan(
        tuple(
            _job(suite, found, settings[found.name], seed, device, describe)
            for seed in seeds
            for found in resolved
        )
    )


def _job(
    suite: Suite,
    found: Resolved,
    settings: dict[str, str],
    seed: int,
    device: str,
    describe: Callable[[str], DatasetSpec],
) -> Job:
    flags = {"dataset": suite.dataset, "budget": suite.budget, "sample_every": suite.sample_every}
    given = {key: value for key, value in flags.items() if value is not None}
    recipe = found.variant.recipe.override({**given, **settings})
    spec = describe(recipe.dataset)
    recipe, notes = _fitted(found.name, recipe, spec, settings)
    _build_without_weights(found.variant, recipe, spec)
    return Job(
        variant=found.name,
        request=_request(found),
        source_hash=found.source_hash,
        recipe=recipe.model_dump(),
        spec=spec,
        seed=seed,
        budget=Budget.parse(recipe.budget),
        sample_every=Budget.parse(recipe.sample_every),
        device=device,
        backbone=suite.backbone,
        notes=notes,
    )


def _request(found: Resolved) -> str:
    """How to ask for a variant again: by its name, or by its path where it came from a file."""
    return (
        found.name
        if any(entry.name == found.name for entry in entries())
        else str(Path(found.origin).resolve())
    )


def _fitted(
    name: str, recipe: Recipe, spec: DatasetSpec, settings: dict[str, str]
) -> tuple[Recipe, tuple[str, ...]]:
    """Fit a recipe to a dataset much smaller than its own, unless the user set the number."""
    changes: dict[str, Any] = {}
    notes = []
    size = recipe.image_size
    while size > _LARGEST_ENLARGEMENT * spec.native_size:
        size //= 2
    if size != recipe.image_size and "image_size" not in settings:
        changes["image_size"] = size
        notes.append(
            f"{name}: image_size {size} instead of {recipe.image_size}, as {spec.name} has "
            f"{spec.native_size}x{spec.native_size} pixels (--set image_size decides)"
        )
    batch = recipe.batch_size
    while batch > _SMALLEST_BATCH and batch * _FEWEST_BATCHES > spec.train_count:
        batch //= 2
    if batch != recipe.batch_size and "batch_size" not in settings:
        changes["batch_size"] = batch
        notes.append(
            f"{name}: batch_size {batch} instead of {recipe.batch_size}, as {spec.name} has "
            f"{spec.train_count:,} training images (--set batch_size decides)"
        )
    return recipe.override(changes), tuple(notes)


def _build_without_weights(variant: Variant, recipe: Recipe, spec: DatasetSpec) -> None:
    """Refuse a recipe that the variant cannot be built with, before anything is trained.

    Other errors than a `UsageError` are left to the run, which reports them in its row.
    """
    import torch

    with torch.device("meta"):
        try:
            variant.generator(recipe, spec)
            variant.discriminator(recipe, spec)
        except UsageError:
            raise
        except Exception:  # noqa: BLE001 - a plugin may raise anything; its run will say what
            return
