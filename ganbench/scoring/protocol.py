"""All that a score depends on besides the generator, and a short name for it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from typing import Any

__all__ = ["Protocol", "short_hash"]


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
