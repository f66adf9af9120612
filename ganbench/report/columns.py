"""The columns of all tables: their names, order, labels and units."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ganbench.experiment.conditions import condition_of
from ganbench.experiment.result import NO_BUDGET, RunResult
from ganbench.scoring.metrics.catalogue import METRICS, POINTS_BACKBONE, SCORES, Quantity

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "CONDITIONS",
    "CONTRACT",
    "COUNTS",
    "MAIN",
    "OUTSIDE",
    "OVER_TRAINING_SHOWN",
    "PHASES",
    "RECIPE",
    "SHARED_MARK",
    "SIZE",
    "SPEED",
    "TIMED",
    "Column",
    "Direction",
    "column",
    "further_scores",
    "measured",
    "run_columns",
    "score_names",
    "value",
]

Direction = Literal["lower", "higher", "one", ""]

CONTRACT = (
    "run_id", "status", "reason", "variant", "dataset", "seed", "device", "device_name", "steps",
    "images_seen", "train_seconds", "images_per_second", "sample_images_per_second",
    "peak_memory_bytes", "fid", "modes_covered", "modes_total", "mode_kl", "mode_entropy",
    "diversity", "recall", "coverage", "prompt_alignment", "backbone", "protocol",
    "parameters_generator", "parameters_discriminator",
)  # fmt: skip
"""The first columns of runs.csv, on which scripts may rely."""

_FIELDS = frozenset(item.name for item in dataclasses.fields(RunResult))
_NOT_IN_TABLES = ("command", "schema")
_FURTHER = tuple(
    item.name
    for item in dataclasses.fields(RunResult)
    if item.name not in (*CONTRACT, *_NOT_IN_TABLES) and item.default_factory is not dict
)

MAIN = (
    "fid", "modes_covered", "high_quality", "mode_kl", "diversity", "precision", "recall",
    "coverage", "prompt_alignment", "manifold_precision", "manifold_recall",
)  # fmt: skip
"""The scores that every table for people begins with."""

SPEED = (
    "images_per_second", "step_seconds_median", "step_seconds_p95", "sample_images_per_second",
    "peak_memory_bytes", "peak_host_memory_bytes", "train_seconds", "compile_seconds", "steps",
    "images_seen",
)  # fmt: skip
TIMED = (
    "images_per_second", "sample_images_per_second", "step_seconds_median", "step_seconds_p95",
)  # fmt: skip
"""Speeds, which other runs on the same machine change."""
SHARED_MARK = "†"
"""Marks a number of `TIMED` that was measured while other runs shared the machine."""
SIZE = ("parameters_generator", "parameters_discriminator")
PHASES = ("share_data", "share_discriminator", "share_generator", "share_average", "share_step")
"""Shares of a step's time by phase, in percent; a captured step has only `share_step`."""
OUTSIDE = ("evaluation_seconds", "samples_seconds", "saving_seconds")
"""Seconds that a run spends while its training clock is stopped."""
COUNTS = ("steps", "images_seen", *SIZE)
"""Counts that are set rather than measured: their spread is left out where it is 0."""

CONDITIONS = ("processes_per_run", "threads", "torch")
"""Conditions under which a run was made; its result.json holds all of them."""

OVER_TRAINING_SHOWN = ("best_fid", "best_images_seen", "best_seconds", "last_fid", "fid_gap")
"""Results of scoring during training, in the order of their table."""

_OF_TRAINING = ("steps", "images_seen", "epochs", "warmup_steps", "timed_steps")

_OVER_TRAINING = (
    "over_training_protocol",
    "evaluations",
    "best_step",
    *OVER_TRAINING_SHOWN,
    "collapsed_step",
)
_MADE = frozenset((*_OVER_TRAINING, *CONDITIONS, *PHASES, *OUTSIDE))
_PLACES = {
    "over_training_protocol": ("protocol",),
    "evaluations": ("evaluations",),
    "best_step": ("best", "step"),
    "best_images_seen": ("best", "images_seen"),
    "best_seconds": ("best", "seconds"),
    "best_fid": ("best", "scores", "fid"),
    "last_fid": ("last", "scores", "fid"),
    "fid_gap": ("gap",),
    "collapsed_step": ("collapsed", "step"),
}  # where a column lies in the summary of scores during training
RECIPE = "recipe_"
"""Begins the name of a column of runs.csv that holds a hyperparameter."""
_ON_BACKBONE = ("fid", "kid", "mind", "fid_infinity", "best_fid", "last_fid")
_COMPANIONS = tuple(name for metric in METRICS for name in metric.companions)


@dataclass(frozen=True)
class Column:
    """How a number is shown.

    Attributes:
        name: As in runs.csv.
        label: A few words for the head of a table or a chart, the backbone left out.
        direction: Which way is better: `lower`, `higher`, the nearer to `one`, or neither.
        unit: `""` for a plain number.
        summary: One sentence on what the number says.
        bounds: The least and the most that it can be; the most may be a quantity of the comparison.
        resolution: Its smallest step, or the quantity of which it counts a share; 0 where it is
            continuous.
    """

    name: str
    label: str
    direction: Direction = ""
    unit: str = ""
    summary: str = ""
    bounds: tuple[float, float | Quantity] = (0.0, math.inf)
    resolution: float | Quantity = 0.0

    @property
    def is_share(self) -> bool:
        """Whether it lies between 0 and 1."""
        return self.bounds == (0.0, 1.0)

    @property
    def arrow(self) -> str:
        """The direction as one sign: ↓, ↑, →1 or nothing."""
        return {"lower": "↓", "higher": "↑", "one": "→1", "": ""}[self.direction]

    def heading(self, backbone: str) -> str:
        """The label, with the backbone beside a distance of features: `FID (classifier)`.

        Points have no images: `Training points/s`.
        """
        label = self.label
        if backbone == POINTS_BACKBONE:
            label = label.replace("images", "points").replace("Images", "Points")
        return f"{label} ({backbone})" if self.name in _ON_BACKBONE and backbone else label


_SPEED_COLUMNS = (
    Column("images_per_second", "Training images/s", "higher", "images/s",
           "Real images consumed per second in steady state, data included."),
    Column("sample_images_per_second", "Sampling images/s", "higher", "images/s",
           "Images that the trained generator draws per second."),
    Column("train_seconds", "Training time", "", "s",
           "Seconds on the training clock, warm-up included; scoring and saving are not."),
    Column("evaluation_seconds", "Evaluation", "", "s",
           "Drawing images to score, their features and all scores, during training and after."),
    Column("samples_seconds", "Sample grids", "", "s", "Drawing and writing grids of samples."),
    Column("saving_seconds", "Saving", "", "s", "Writing checkpoints and histories."),
    Column("compile_seconds", "Compiling", "lower", "s",
           "Seconds in which the step was compiled or captured, before and apart from training."),
    Column("step_seconds_median", "Step, median", "lower", "s", "Half of the steps took less."),
    Column("step_seconds_p95", "Step, 95th percentile", "lower", "s",
           "19 of 20 steps took less."),
    Column("peak_memory_bytes", "Peak memory", "lower", "bytes",
           "The most memory held on the device in training; on a CPU, by the whole process.",
           resolution=1.0),
    Column("peak_host_memory_bytes", "Peak host memory", "lower", "bytes",
           "The most that the process held in main memory.", resolution=1.0),
    Column("steps", "Steps", "", "", "Training steps."),
    Column("images_seen", "Images seen", "", "", "Real images consumed in training."),
    Column("parameters_generator", "Parameters of G", "", "", "Numbers that the generator learns."),
    Column("best_fid", "Best FID", "lower", "",
           "FID of the best moment, which was chosen on other noise."),
    Column("best_images_seen", "Best at, images", "", "", "Images seen at the best moment."),
    Column("best_seconds", "Best at, time", "", "s", "Training time at the best moment."),
    Column("last_fid", "Last FID", "lower", "", "FID at the end on the noise of the best FID."),
    Column("fid_gap", "Gap", "lower", "", "By how much the best moment was better than the last.",
           bounds=(-math.inf, math.inf)),
    Column("parameters_discriminator", "Parameters of D", "", "",
           "Numbers that the discriminator learns."),
)  # fmt: skip

_PHASE_COLUMNS = (
    Column("share_data", "Data, %", summary="Time of a step in which it gathers its images and "
           "latents.", bounds=(0.0, 100.0)),
    Column("share_discriminator", "Discriminator, %", summary="Time of a step in which the "
           "discriminator learns; drawing generated images is included.",
           bounds=(0.0, 100.0)),
    Column("share_generator", "Generator, %", summary="Time of a step in which the generator "
           "learns.", bounds=(0.0, 100.0)),
    Column("share_average", "Average, %", summary="Time of a step in which the generator's moving "
           "average is kept.", bounds=(0.0, 100.0)),
    Column("share_step", "Captured step, %", summary="Time of a step in one CUDA graph, which is "
           "not split any further.", bounds=(0.0, 100.0)),
)  # fmt: skip


_COLUMNS: dict[str, Column] = {item.name: item for item in (*_SPEED_COLUMNS, *_PHASE_COLUMNS)}
_COLUMNS |= {
    metric.name: Column(
        metric.name,
        metric.title[0].upper() + metric.title[1:],
        metric.direction,
        summary=metric.summary,
        bounds=metric.bounds,
        resolution=metric.resolution,
    )
    for metric in METRICS
}
_COLUMNS |= {name: Column(name, name.replace("_", " ")) for name in _COMPANIONS}


def column(name: str) -> Column:
    """How the column `name` is shown; a name without a description is shown as it is."""
    return _COLUMNS.get(name) or Column(name, name.replace("_", " "), bounds=(-math.inf, math.inf))


def score_names(results: list[RunResult]) -> list[str]:
    """All scores that the catalogue or any run knows: the catalogue's order, then by name."""
    stored = {name for result in results for name in result.scores}
    return [*SCORES, *sorted(stored.difference(SCORES))]


def further_scores(results: list[RunResult]) -> list[str]:
    """The scores beyond the main ones, without the totals and spreads that qualify another."""
    return [name for name in score_names(results) if name not in (*MAIN, *_COMPANIONS)]


def run_columns(results: list[RunResult]) -> list[str]:
    """Columns of runs.csv: the contract's, the other scores and fields, and the recipes' numbers.

    Those of recipes begin with `recipe_`.
    """
    scores = [name for name in score_names(results) if name not in CONTRACT]
    over_training = _OVER_TRAINING if any(result.over_training for result in results) else ()
    asked = ("dataset", "budget", "sample_every")  # which have columns of their own, or no number
    recipes = sorted({n for result in results for n in result.recipe if n not in asked})
    return [
        *CONTRACT, *scores, *_FURTHER, *CONDITIONS, *over_training,
        *(f"{RECIPE}{name}" for name in recipes),
    ]  # fmt: skip


def measured(results: list[RunResult]) -> list[str]:
    """Names of all numbers that are summarised over seeds: scores first, then speed and cost."""
    over_training = OVER_TRAINING_SHOWN if any(result.over_training for result in results) else ()
    return [*score_names(results), *SPEED, *over_training]


def value(result: RunResult, name: str) -> object:
    """A run's entry in the column `name`, None where it does not apply."""
    return values([result], name)[0]


def values(results: Sequence[RunResult], name: str) -> list[object]:
    """The entries of several runs in the column `name`, None where it does not apply."""
    # Which column it is is asked once, as there may be thousands of runs and a hundred columns
    if name in _OF_TRAINING:
        return [None if one.budget == NO_BUDGET else getattr(one, name) for one in results]
    if name in _FIELDS:
        return [getattr(one, name) for one in results]
    if name in _MADE:
        return _made(results, name)
    if name.startswith(RECIPE):
        setting = name.removeprefix(RECIPE)
        return [one.recipe.get(setting) for one in results]
    return [one.scores.get(name) for one in results]


def _made(results: Sequence[RunResult], name: str) -> list[object]:
    """What is made of several fields of each run, or lies within one."""
    if name in _OVER_TRAINING:
        return [_over_training_value(one.over_training, *_PLACES[name]) for one in results]
    if name in CONDITIONS:
        return [condition_of(one, name) for one in results]
    if name in PHASES:
        return [_share(one.phase_seconds, name.removeprefix("share_")) for one in results]
    return [one.outside_seconds.get(name.removesuffix("_seconds")) for one in results]


def _over_training_value(over_training: dict[str, Any], key: str, *path: str) -> object:
    """One result of scoring during training; None where there was none."""
    value = over_training.get(key)
    for further in path:
        value = (value or {}).get(further)
    return value


def _share(seconds: dict[str, float], phase: str) -> float | None:
    """A phase in percent of a step, without the extra work of the steps that are measured."""
    total = sum(part for name, part in seconds.items() if f"share_{name}" in PHASES)
    return 100 * seconds[phase] / total if phase in seconds and total > 0 else None
