"""The protocol: all that a score depends on besides the generator."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ganbench.scoring.metrics.constants import PROMPT_IMAGE_LIMIT

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "MODES_BY_ARGMAX",
    "MODES_BY_SHARE",
    "Noise",
    "Protocol",
    "current_names",
    "hash_of",
    "short_hash",
]

Noise = Literal["all", "choosing", "reporting"]
"""Which latents images are drawn from: all of them, or one of two halves that share none. What is
chosen by its score on the one half is reported by its score on the other."""

MODES_BY_SHARE = "share"
MODES_BY_ARGMAX = "argmax of each channel, one image or more"
"""Rules of counting modes: ours, and that of published tables of stacked MNIST."""

_OLD_NAMES = {"classifier_hash": "judge_hash", "classifier_accuracy": "judge_accuracy"}
"""Names that stored results had before; hashes are taken over them, so that old ones stay valid."""

_IMPLIED = {"prompt_image_limit": 1000, "modes_rule": "share"}
"""Fields that protocols did not always have, and the values that those without them were scored by.
These are constants of the past, so they do not follow a default that changes."""


def current_names(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a stored protocol under the names that `Protocol` has now.

    Whether the generator's moving average made the images was a field once, and is left out: it is
    part of a method and not of how it is scored. `RunResult.ema` says it. Fields that it did not
    have once get the value that was the only one then.

    Args:
        fields: As a result stores them, under old names or present ones.
    """
    present = {old: new for new, old in _OLD_NAMES.items()}
    named = {present.get(name, name): value for name, value in fields.items() if name != "ema"}
    return _IMPLIED | named if named else {}


def short_hash(value: Any, length: int = 10) -> str:
    """Hash anything that JSON can hold to a few hexadecimal digits, the same in every process."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def hash_of(fields: Mapping[str, Any]) -> str:
    """The hash of a protocol's fields, as stored or as `Protocol` has them.

    It counts the field `ema` that protocols had once as false, so that stored hashes of runs
    without a moving average stay valid, and those with one have the same hash. A field that
    protocols did not always have counts where it differs from what those without it imply.
    """
    named = {
        _OLD_NAMES.get(name, name): value
        for name, value in fields.items()
        if name not in _IMPLIED or value != _IMPLIED[name]
    }
    return short_hash({**named, "ema": False})


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
        backbone: `inception`, `efficientnet` or `classifier`; `points` for points.
        backbone_hash: Hash of the backbone's weights; for points, of the mixture and its version.
        classifier_hash: Hash of the classifier that names the class of an image.
        classifier_accuracy: Share of the test split that it classifies correctly, in [0, 1].
        resolution: Height and width at which images are scored, in pixels.
        resize: How images are brought to the size of a recipe, and back.
        dtype: Number format of the features.
        batchnorm: `running` statistics or those of each `batch`.
        prompt_image_limit: The most images that `prompt_alignment` draws from all prompts together;
            the classes of the dataset and `fake_count` decide the rest.
        modes_rule: How `modes_covered` counts: by the `share` of the images that are in the
            distribution of the real ones; or, as published tables of stacked MNIST do, by the most
            likely digit of each channel, and `mode_kl` from equally frequent classes.
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
    classifier_hash: str
    classifier_accuracy: float
    resolution: int
    resize: str = "border, or bilinear and least squares, to uint8"
    dtype: str = "float32"
    batchnorm: str = "running"
    prompt_image_limit: int = PROMPT_IMAGE_LIMIT
    metrics_version: int = 2
    modes_rule: str = MODES_BY_SHARE

    @property
    def hash(self) -> str:
        """A short name for this protocol, which equals that of results stored with old names."""
        return hash_of(dataclasses.asdict(self))
