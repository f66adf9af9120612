"""The training images nearest to a generated one, in pixels or in a classifier's features."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import torch

from ganbench import data
from ganbench.data.kinds import form_of
from ganbench.errors import UsageError
from ganbench.scoring.backbones.backbone import obtain_backbone, real_features
from ganbench.scoring.backbones.classifier import classifier_file

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from ganbench.data.dataset import Dataset
    from ganbench.experiment.store import StoredRun
    from ganbench.scoring.backbones.backbone import Backbone, Features

__all__ = ["By", "Near", "TrainingImages", "nearest_rows"]

By = Literal["auto", "features", "pixels"]

_BLOCK = 2000  # training images compared at once
_GREY_VALUES = 255.0


@dataclass(frozen=True)
class Near:
    """The training images nearest to one that was generated, the nearest first.

    Attributes:
        rows: Their places in the training split, int64 (n,).
        distances: float32 (n,).
        images: As they are stored, (n, channels, height, width), or points (n, dimensions).
        classes: Names of their classes.
        said: In what they are near, and of how many they are the nearest, in one sentence.
    """

    rows: Tensor
    distances: Tensor
    images: Tensor
    classes: tuple[str, ...]
    said: str


class TrainingImages:
    """The images that a run was trained on. They are read when they are first asked for.

    Args:
        run: Names the dataset.
        data_root: Where datasets are.
        cache_root: Where classifiers and features are kept.
        device: Where features are computed.
    """

    def __init__(
        self, run: StoredRun, data_root: Path, cache_root: Path, device: torch.device
    ) -> None:
        self._run = run
        self._data_root, self._cache_root, self._device = data_root, cache_root, device

    @cached_property
    def dataset(self) -> Dataset:
        """The dataset, read."""
        result = self._run.result
        return data.load(
            result.dataset,
            data_root=self._data_root,
            cache_root=self._cache_root,
            image_size=data.reading_size(
                result.dataset, int(result.recipe.get("image_size") or 0) or 1
            ),
        )

    @property
    def has_classifier(self) -> bool:
        """Whether the dataset's classifier is at hand, without training it."""
        is_image = self.dataset.spec.kind == "image"
        return is_image and classifier_file(self.dataset, self._cache_root).exists()

    @cached_property
    def _described(self) -> tuple[Backbone, Features]:
        backbone = obtain_backbone("classifier", self.dataset, self._device, self._cache_root)
        return backbone, real_features(backbone, self.dataset, self._cache_root)

    def nearest(self, image: Tensor, by: By, count: int) -> Near:
        """Find the training images that lie nearest to a generated one.

        Args:
            image: As the generator draws it, uint8 (channels, size, size), or a point.
            by: `"features"` of the dataset's classifier, `"pixels"`, or `"auto"`: features where
                the classifier is at hand. Points are compared as they are.
            count: How many.

        Raises:
            UsageError: Features were asked for and the classifier was never trained here.
            DataError: The dataset cannot be had.
        """
        dataset = self.dataset
        spec, real = dataset.spec, dataset.train.images
        stored = form_of(spec).from_size(image[None], spec.native_size)
        if by == "features" and not self.has_classifier:
            raise UsageError(
                f"the classifier of {spec.name} is not at hand, and training it takes long: "
                "compare in pixels, or score a run on this dataset first"
            )
        if by != "pixels" and self.has_classifier:
            backbone, features = self._described
            described = backbone.extract(stored, logits=False).vectors
            rows, distances = nearest_rows(described[0], features.vectors, count)
            what = f"in features of the classifier of {spec.name}"
        else:
            rows, distances = nearest_rows(stored[0], real, count)
            what = "by Euclidean distance"
            if spec.kind == "image":
                distances = distances / (_GREY_VALUES * stored[0].numel() ** 0.5)
                what = "in pixels (root mean square difference, white less black being 1)"
        names = tuple(spec.class_names[int(label)] for label in dataset.train.labels[rows])
        said = f"Nearest of {len(real):,} training {spec.kind.rstrip('s')}s, {what}."
        return Near(rows, distances, real[rows].contiguous(), names, said + self._doubt())

    def _doubt(self) -> str:
        """What to say where the images are not those of the run; empty where they are."""
        known = self._run.result.protocol_fields.get("dataset_fingerprint")
        if not known or known == self.dataset.fingerprint:
            return ""
        return " The images here are not those that the run was trained on."


def nearest_rows(one: Tensor, others: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Rows of the values with the least Euclidean distance to one, and the distances.

    Args:
        one: Of any shape and type.
        others: (n, *the same shape).
        count: Of rows wanted; fewer come where there are fewer.

    Returns:
        int64 (k,) and float32 (k,), the nearest first.
    """
    target = one.float()
    squares = [
        (block.float() - target).square().flatten(1).sum(dim=1) for block in others.split(_BLOCK)
    ]
    nearest = torch.cat(squares).topk(min(count, len(others)), largest=False)
    return nearest.indices, nearest.values.sqrt()
