"""What a run leaves behind: a protocol for its scores, timings, and the record of the whole."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any, Literal, Self

import numpy as np

from ganbench.execution import Precision

__all__ = ["SCHEMA", "Protocol", "RunResult", "Status", "Timing", "short_hash"]

SCHEMA = 1
Status = Literal["ok", "diverged", "failed", "skipped"]


def short_hash(value: Any, length: int = 10) -> str:
    """Hash anything that JSON can hold to a few hexadecimal digits, the same in every process."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:length]


@dataclass(frozen=True)
class Protocol:
    """All that a score depends on besides the generator.

    Scores of unequal protocols are never put in one table column.

    Attributes:
        dataset: Name of the dataset.
        dataset_fingerprint: Hash of its images and labels.
        real_split: Split whose images stand for the real ones.
        real_count: Real images compared with.
        fake_count: Generated images.
        neighbour_count: Images of each kind that precision, recall and coverage look at.
        backbone: `inception`, `efficientnet` or `classifier`.
        backbone_hash: Hash of the backbone's weights.
        judge_hash: Hash of the classifier that names the class of an image.
        judge_accuracy: Share of the test split that this classifier names rightly, in [0, 1].
        resolution: Height and width to which generated images are resized first, in pixels.
        resize: How.
        dtype: Number format of the features.
        ema: Whether the generator's moving average made the images.
        batchnorm: `running` statistics or those of each `batch`.
        metrics_version: Raised whenever the arithmetic of a score changes by more than rounding.
    """

    dataset: str
    dataset_fingerprint: str
    real_split: str
    real_count: int
    fake_count: int
    neighbour_count: int
    backbone: str
    backbone_hash: str
    judge_hash: str
    judge_accuracy: float
    resolution: int
    resize: str = "bilinear, antialiased, to uint8"
    dtype: str = "float32"
    ema: bool = False
    batchnorm: str = "running"
    metrics_version: int = 1

    @property
    def hash(self) -> str:
        """A short name for this protocol."""
        return short_hash(dataclasses.asdict(self))


@dataclass(frozen=True)
class Timing:
    """Seconds of each timed step, and what follows from them.

    Attributes:
        warmup_steps: Steps that were run but not timed.
        step_seconds: Seconds of each timed step, in order, data included.
        batch_size: Real images a step.
        train_seconds: Seconds on the training clock, warm-up included; drawing samples, saving
            and scoring are not.
    """

    warmup_steps: int
    step_seconds: tuple[float, ...]
    batch_size: int
    train_seconds: float

    @property
    def images_per_second(self) -> float | None:
        """Real images consumed a second in steady state; None where no step was timed."""
        total = sum(self.step_seconds)
        return self.batch_size * len(self.step_seconds) / total if total > 0 else None

    def quantile(self, share: float) -> float | None:
        """Seconds of a step at a quantile in [0, 1]; None where no step was timed."""
        return float(np.quantile(self.step_seconds, share)) if self.step_seconds else None


@dataclass(frozen=True)
class RunResult:
    """One run, as stored in its `result.json`. Fields that do not apply are None, never 0.

    `request` is the name or path by which the variant is found again, `asked` what the suite said
    beyond the recipe (by the names of its keys), `recipe` all the variant's numbers,
    `dataset_fields` the fields of `DatasetSpec`. `captured` says that the step was one CUDA graph;
    `compile_seconds` is what compiling and capturing took, apart from `train_seconds`.
    `phase_seconds` holds the mean seconds of each phase of a step, `outside_seconds` all that
    evaluation, samples and saving took outside the training clock. `scores` holds the numbers by
    name, `class_histogram` the share of each class among the generated images beside the real ones,
    `protocol` the hash of the `Protocol` whose fields `protocol_fields` holds. `course` is what
    scoring during training told (`ganbench.course.Course.summary`), empty where there was none.
    `timing_shared` says whether other runs had a part of the machine while speeds were measured;
    None where none was.
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
    compile_seconds: float | None = None
    phase_seconds: dict[str, float] = field(default_factory=dict)
    scores: dict[str, float | None] = field(default_factory=dict)
    class_histogram: dict[str, dict[str, float]] = field(default_factory=dict)
    backbone: str = ""
    protocol: str = ""
    protocol_fields: dict[str, Any] = field(default_factory=dict)
    course: dict[str, Any] = field(default_factory=dict)
    outside_seconds: dict[str, float] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)
    command: str = ""
    schema: int = SCHEMA

    def to_json(self) -> str:
        """Write the record as JSON; a number that is not finite becomes null."""
        return json.dumps(_finite(dataclasses.asdict(self)), indent=1, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a record, leaving out fields that this version does not know.

        Raises:
            ValueError: The text is no JSON object, lacks a field that every run has, or has a
                schema newer than this version's.
        """
        values = json.loads(text)
        schema = values.get("schema") if isinstance(values, dict) else None
        if type(schema) is not int:
            raise ValueError("not a run's result")
        if schema > SCHEMA:
            raise ValueError(f"schema {schema} is newer than {SCHEMA}: update ganbench")
        names = {item.name for item in dataclasses.fields(cls)}
        try:
            return cls(**{key: value for key, value in values.items() if key in names})
        except TypeError as error:  # names the missing fields
            raise ValueError(f"not a run's result: {error}") from error


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
