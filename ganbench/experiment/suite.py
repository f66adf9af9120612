"""What to compare, as a suite file and the flags say it."""

from __future__ import annotations

import reprlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from ganbench.errors import UsageError, unknown
from ganbench.experiment.seed_range import SeedRange, parse_margin, parse_seed_range
from ganbench.training.execution import Execution, Precision
from ganbench.variant import registry

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Suite", "is_for", "parse_seeds", "parse_settings", "read_suite"]

_MOST_ALIASES = 20
_LONGEST = 1_000_000  # characters of a suite file
_MOST_SEEDS = 10_000  # of each variant: more than a machine trains in its life
_LARGEST_SEED = 2**63 - 1


class Suite(BaseModel):
    """What to compare, as a suite file or the flags say it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    variants: tuple[str, ...] = ()
    dataset: str | None = None
    device: str = "auto"
    seeds: str = "1"
    primary: str = "fid"
    margin: str = "10%"
    budget: str | None = None
    set: tuple[str, ...] = ()
    data_root: Path | None = None
    backbone: Literal["auto", "inception", "efficientnet", "classifier"] = "auto"
    inception_weights: Path | None = None
    out: Path | None = None
    jobs: int = Field(1, ge=1)
    exclusive_timing: bool = False
    processes_per_run: int = Field(1, ge=1)
    launcher: Literal["local", "ray", "slurm"] = "local"
    ray_address: str | None = None
    ray: tuple[str, ...] = ()
    slurm: tuple[str, ...] = ()
    sample_every: str | None = None
    evaluate_every: str | None = None
    precision: Precision = "fp32"
    compile: bool = False
    cuda_graphs: bool = False
    track: tuple[str, ...] = ()

    @property
    def execution(self) -> Execution:
        """How the steps are carried out."""
        return Execution(self.precision, self.compile, self.cuda_graphs)

    @property
    def seeds_as_needed(self) -> SeedRange | None:
        """From how many seeds to how many, where they are added as needed; None where given."""
        return parse_seed_range(self.seeds)

    @property
    def equivalence_margin(self) -> float:
        """The share of the primary score below which variants do not differ."""
        return parse_margin(self.margin)

    @field_validator("variants", "set", "track", "ray", "slurm", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        if isinstance(value, dict):
            return tuple(f"{key}={item}" for key, item in value.items())
        return value

    @field_validator("data_root", "inception_weights", "out", mode="before")
    @classmethod
    def _not_empty(cls, value: Any) -> Any:
        if value == "":
            raise ValueError("an empty path would mean the working directory")
        return value

    @field_validator("seeds", mode="before")
    @classmethod
    def _seeds_text(cls, value: Any) -> Any:
        return ",".join([*map(str, value), ""]) if isinstance(value, list | tuple) else str(value)

    @field_validator("margin", mode="before")
    @classmethod
    def _margin_text(cls, value: Any) -> Any:
        return str(value) if isinstance(value, int | float) else value

    @field_validator("data_root", "inception_weights", "out")
    @classmethod
    def _expanded(cls, path: Path | None) -> Path | None:
        """Put the home folder in the place of `~`; one that is not known stays as it is."""
        if path is None:
            return None
        try:
            return path.expanduser()
        except RuntimeError:
            return path


class _SuiteLoader(yaml.SafeLoader):
    """YAML in which no key is there twice, and few things stand for others."""

    _aliases = 0

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - as in yaml
        """Refuse a key that is there twice, of which YAML would take the last."""
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise yaml.YAMLError(f"the key {key.value!r} is there twice: give it once")
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Refuse so many aliases that a short file would stand for a very long one."""
        self._aliases += self.check_event(yaml.AliasEvent)
        if self._aliases > _MOST_ALIASES:
            raise yaml.YAMLError(f"it has more than {_MOST_ALIASES} aliases")
        return super().compose_node(parent, index)


def read_suite(path: Path | None, flags: dict[str, Any]) -> Suite:
    """Join a suite file with the flags; flags win.

    A path of a variant in a file means the one beside the file, where there is one. Settings of
    variants that the file names and the flags leave out are left out too.

    Args:
        path: A YAML file, or None.
        flags: The flags that were given, by the names of `Suite`'s fields.

    Raises:
        UsageError: The file cannot be read, or holds an unknown key or a value out of range.
    """
    where = f"suite file {path}: " if path is not None else ""
    values = _underscored(_loaded(path), where) if path is not None else {}
    for key in values:
        if not isinstance(key, str) or key not in Suite.model_fields:
            raise UsageError(f"{where}{unknown('suite key', str(key), Suite.model_fields)}")
    joined = {**values, **flags}
    try:
        if "set" in values and "set" in flags:  # the later one of two settings of a number wins
            joined["set"] = (*Suite.model_validate({"set": values["set"]}).set, *flags["set"])
        suite = Suite.model_validate(joined)
        _refuse_no_names(suite, "variants", joined, "for example mlp,dcgan")
        _refuse_no_names(suite, "track", joined, "for example tensorboard")
        if "margin" in flags and suite.seeds_as_needed is None:
            raise UsageError(
                f"--margin {suite.margin} has no effect on seeds that are given: it says when "
                "--seeds auto need not add more; leave it out, or give --seeds auto"
            )
        if path is not None and "variants" in flags:  # fewer of the file's, or others
            file = Suite.model_validate(values)
            left_out = _names(file.variants) - _names(suite.variants)
            idle = {each for each in file.set if is_for(each, left_out)}
            kept = tuple(each for each in suite.set if each not in idle)
            return suite.model_copy(update={"set": kept})
        if path is None:
            return suite
        named = tuple(_beside(path, name) for name in suite.variants)
        return suite.model_copy(update={"variants": named})
    except ValidationError as error:
        first = error.errors()[0]
        key = str(first["loc"][0]) if first["loc"] else "?"
        origin = "" if key in flags else where
        raise UsageError(
            f"{origin}{key}: {reprlib.repr(first['input'])} is not allowed: "
            f"{first['msg'].removeprefix('Value error, ')}"
        ) from error


def _names(variants: Sequence[str]) -> set[str]:
    """Names of variants, with those of all that are installed in the place of `all`."""
    if registry.ALL not in variants:
        return set(variants)
    return {*variants, *registry.installed_names()}


def is_for(setting: str, variants: set[str]) -> bool:
    """Whether `VARIANT.KEY=VALUE` is about one of these variants."""
    owner, dot, _ = setting.partition("=")[0].strip().rpartition(".")
    return bool(dot) and owner.replace("_", "-") in variants


def _loaded(path: Path) -> dict[Any, Any]:
    """The keys and values of a suite file.

    Raises:
        UsageError: It cannot be read, or holds something else.
    """
    try:
        with path.open(encoding="utf-8") as file:  # a pipe too, as shells make them
            text = file.read(_LONGEST + 1)
        if len(text) > _LONGEST:
            raise UsageError(
                f"suite file {path} holds more than {_LONGEST:,} characters, and is no suite: "
                "give a YAML file such as `ganbench run SUITE.yaml` reads"
            )
        loaded = yaml.load(text, _SuiteLoader)  # noqa: S506 - a SafeLoader
    except OSError as error:
        raise UsageError(f"suite file {path} cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        summary = " ".join(str(error).split())  # also of dates, of numbers, and of 5,000 brackets
        raise UsageError(f"suite file {path} is not valid YAML: {summary}") from error
    if not isinstance(loaded, dict):
        raise UsageError(
            f"suite file {path} must hold keys and values, for example 'variants: dcgan,mlp'"
        )
    return loaded


def _underscored(values: dict[Any, Any], where: str) -> dict[Any, Any]:
    """The same values under keys with `_` for `-`, as flags are spelt.

    Raises:
        UsageError: A key is there in both spellings.
    """
    spelt: dict[Any, Any] = {}
    for key, value in values.items():
        name = key.replace("-", "_") if isinstance(key, str) else key
        if name in spelt:
            raise UsageError(f"{where}the key {name!r} is there twice, with - and with _: give one")
        spelt[name] = value
    return spelt


def _refuse_no_names(suite: Suite, key: str, given: dict[Any, Any], example: str) -> None:
    """Refuse variants or trackers that were given, but of which none is a name."""
    if given.get(key) and not getattr(suite, key):
        raise UsageError(f"{key} {given[key]!r} names none: give names, {example}")


def _beside(suite: Path, name: str) -> str:
    """The path of a variant beside a suite file; the name as it is where none is there."""
    path = suite.parent / name
    return str(path) if name.endswith(".py") and path.is_file() else name


def parse_seeds(text: str) -> tuple[int, ...]:
    """Read `3` as seeds 0, 1 and 2, `0,7,9` as those, and `7,` as seed 7 alone.

    `auto:3-20` is the 20 seeds that there may be at most.

    Raises:
        UsageError: It is none of them, or too large.
    """
    as_needed = parse_seed_range(text)
    if as_needed is not None:
        return tuple(range(as_needed.limit))
    parts = [part.strip() for part in text.removesuffix(",").split(",")]
    if not all(part.isdecimal() for part in parts):
        raise UsageError(
            f"seeds {text!r} cannot be read: give a count such as 3, a list 0,7,9 (7, for one), "
            "or auto"
        )
    if max(map(len, parts)) > len(str(_LARGEST_SEED)) or max(map(int, parts)) > _LARGEST_SEED:
        raise UsageError(f"seeds {text!r} are too large: give numbers up to {_LARGEST_SEED}")
    numbers = [int(part) for part in parts]
    if "," not in text and numbers[0] > _MOST_SEEDS:
        raise UsageError(
            f"seeds {text} asks for {numbers[0]:,} runs of each variant: give a count of at most "
            f"{_MOST_SEEDS:,}, or a list such as {text}, for one seed"
        )
    if "," not in text:
        if numbers[0] < 1:
            raise UsageError(
                "seeds 0 is no run at all: give a count such as 3, or 0, (with the comma) for "
                "seed 0 alone"
            )
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
