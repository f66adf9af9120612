"""The record of one run, as it is stored in its `result.json`."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal, Self, get_type_hints

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from ganbench.experiment.stored_values import check_run, first_problem, plain_json
from ganbench.scoring.protocol import hash_of
from ganbench.training.execution import Precision
from ganbench.visible import visible_values

__all__ = ["NO_BUDGET", "SCHEMA", "RunResult", "Status"]

SCHEMA = 1
NO_BUDGET = "none"
"""The budget of images that were made elsewhere, in place of an amount: nothing was trained."""
_RENAMED = {"course": "over_training"}  # fields of runs that were stored before they had this name
Status = Literal["ok", "diverged", "failed", "skipped"]


@dataclass(frozen=True)
class RunResult:
    """One run, as stored in its `result.json`. Fields that do not apply are None, never 0.

    `request` is the name or path by which the variant is found again, `asked` what the suite said
    beyond the recipe (by the names of its keys), `recipe` all the variant's numbers,
    `dataset_fields` the fields of `DatasetSpec`. `captured` says that the step was one CUDA graph;
    `compile_seconds` is what compiling and capturing took, apart from `train_seconds`.
    `phase_seconds` holds the mean seconds of each phase of a step, `outside_seconds` all that
    evaluation, samples, saving and libraries' first use took outside the training clock.
    `peak_memory_bytes` and `peak_host_memory_bytes` are those of training, without scoring.
    `scores` holds the numbers by name, `class_histogram` the share of each class among the
    generated images beside the real ones, `class_scores` the scores within each class of a variant
    that draws by class. `notes` says where scores do not mean what they seem to, in sentences.
    `protocol` the hash of the `Protocol` whose fields `protocol_fields` holds. `references`
    holds what held-out real images and noise score by it (`ganbench.scoring.reference_rows`).
    `over_training` sums up the scores during training (`ganbench.scoring.over_training`), empty
    where there were none.
    `timing_shared` says whether other runs had a part of the machine while speeds were measured;
    None where none was. `source_hash` is that of the variant's source text, empty for runs that
    were stored without one. `ema` says whether the generator's moving average drew the images that
    were scored; None where the run broke down before.
    """

    run_id: str
    status: Status
    variant: str
    dataset: str
    seed: int
    device: str
    reason: str = ""
    variant_title: str = ""
    device_name: str = ""
    request: str = ""
    source_hash: str = ""
    asked: dict[str, Any] = field(default_factory=dict)
    recipe: dict[str, Any] = field(default_factory=dict)
    dataset_fields: dict[str, Any] = field(default_factory=dict)
    budget: str = ""
    steps: int = 0
    images_seen: int = 0
    epochs: float = 0.0
    train_seconds: float | None = None
    images_per_second: float | None = None
    warmup_steps: int = 0
    timed_steps: int = 0
    step_seconds_median: float | None = None
    step_seconds_p95: float | None = None
    timing_shared: bool | None = None
    sample_images_per_second: float | None = None
    peak_memory_bytes: int | None = None
    peak_host_memory_bytes: int | None = None
    parameters_generator: int | None = None
    parameters_discriminator: int | None = None
    training_precision: Precision = "fp32"
    compiled: bool = False
    captured: bool = False
    ema: bool | None = None
    compile_seconds: float | None = None
    phase_seconds: dict[str, float] = field(default_factory=dict)
    scores: dict[str, float | None] = field(default_factory=dict)
    class_histogram: dict[str, dict[str, float]] = field(default_factory=dict)
    class_scores: dict[str, dict[str, float]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    backbone: str = ""
    protocol: str = ""
    protocol_fields: dict[str, Any] = field(default_factory=dict)
    references: dict[str, dict[str, Any]] = field(default_factory=dict)
    over_training: dict[str, Any] = field(default_factory=dict)
    outside_seconds: dict[str, float] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)
    command: str = ""
    schema: int = SCHEMA

    @property
    def is_of_points(self) -> bool:
        """Whether it was trained on points, not on images."""
        return self.dataset_fields.get("kind") == "points"

    @property
    def unit(self) -> str:
        """What it was trained on, as counts and rates name it: `images` or `points`."""
        return "points" if self.is_of_points else "images"

    def to_json(self) -> str:
        """Write the record as JSON; a number that is not finite becomes null."""
        return json.dumps(_finite(dataclasses.asdict(self)), indent=1, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str, *, to_show: bool = False) -> Self:
        """Read a record, leaving out fields that this version does not know.

        Args:
            text: What `to_json` wrote.
            to_show: Give texts as they can be shown (`ganbench.visible`), not as they are stored.

        Raises:
            ValueError: The text is no JSON object, lacks a field that every run has, holds a value
                that no run can have, or has a schema newer than this version's.
        """
        values = plain_json(text)
        schema = values.get("schema") if isinstance(values, dict) else None
        if type(schema) is not int:
            raise ValueError("not a run's result")
        if schema > SCHEMA:
            raise ValueError(f"schema {schema} is newer than {SCHEMA}: update ganbench")
        names = {item.name for item in dataclasses.fields(cls)}
        for before, now in _RENAMED.items():
            if before in values:
                values.setdefault(now, values[before])
        fields = values.get("protocol_fields")
        if isinstance(fields, dict) and "ema" in fields:  # once a field of the protocol
            if values.get("ema") is None:
                values["ema"] = bool(fields["ema"])
            if fields["ema"]:
                values["protocol"] = hash_of(fields)
        if isinstance(values.get("notes"), list):
            values["notes"] = tuple(values["notes"])
        known = {key: value for key, value in values.items() if key in names}
        # Halves of surrogate pairs are no text to pydantic
        shown = known if _is_visible(text) else visible_values(known)
        try:
            _types().model_validate(shown)
        except ValidationError as error:
            raise ValueError(f"not a run's result: {first_problem(error)}") from error
        check_run(shown)
        return cls(**(shown if to_show else known))


def _is_visible(document: str) -> bool:
    """Whether `visible` would leave all texts of a JSON document as they are; False if unsure."""
    # JSON has control characters in its texts as escapes only, but for the last of ASCII
    return document.isascii() and "\\" not in document and "\x7f" not in document


@cache
def _types() -> type[BaseModel]:
    """The types of a record's fields, none of which is converted into another."""
    hints = get_type_hints(RunResult)
    fields: dict[str, Any] = {
        f"{item.name}_": (hints[item.name], Field(_default(item), alias=item.name))
        for item in dataclasses.fields(RunResult)
    }
    return create_model("RunResultTypes", __config__=ConfigDict(strict=True), **fields)


def _default(item: dataclasses.Field[Any]) -> Any:
    is_required = item.default is item.default_factory is dataclasses.MISSING
    return ... if is_required else None


def _finite(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
