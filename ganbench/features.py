"""Features of images, and what the judge says of them, from which all scores are computed.

Two backbones: `inception`, torch-fidelity's port of the network of the FID paper (Heusel et al.
2017, arXiv:1706.08500), for natural images; and `classifier`, the dataset's own judge, which needs
no download. Distances in one say nothing of distances in the other.
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor, nn
from torch_fidelity.feature_extractor_inceptionv3 import (
    URL_INCEPTION_V3,
    FeatureExtractorInceptionV3,
)

from ganbench.classifier import Classifier, obtain_classifier
from ganbench.data.cache import folder, whole
from ganbench.data.dataset import Progress, ignore_progress, resize
from ganbench.data.download import downloading, one_line
from ganbench.errors import DataError, unknown
from ganbench.judge import exact, weights_hash

if TYPE_CHECKING:
    from ganbench.data.dataset import Dataset

__all__ = ["BACKBONES", "Backbone", "Features", "obtain_backbone", "real_features"]

BACKBONES = ("auto", "inception", "classifier")

_BATCH = {"inception": 32, "classifier": 500}
_WEIGHTS_FILE = Path(URL_INCEPTION_V3).name
_WEIGHTS_HASH_PREFIX = _WEIGHTS_FILE.removesuffix(".pth").rpartition("-")[2]
_UNREADABLE = (OSError, EOFError, KeyError, RuntimeError, TypeError, pickle.UnpicklingError)


@dataclass(frozen=True)
class Features:
    """What is known of n images; all on the CPU.

    Attributes:
        vectors: float32 of shape (n, d), the backbone's features.
        probabilities: float32 of shape (n, classes), the judge's softmax.
        logits: float32 of shape (n, 1008), inception's logits without their bias, from which the
            inception score is computed; None with the other backbone.
    """

    vectors: Tensor
    probabilities: Tensor
    logits: Tensor | None = None

    def __len__(self) -> int:
        return len(self.vectors)


@dataclass(frozen=True)
class Backbone:
    """A feature extractor with its judge.

    Attributes:
        name: `inception` or `classifier`.
        hash: Of the weights of the network that gives the vectors.
        judge: The dataset's classifier.
        reason: Why this backbone, for people.
        resolution: Height and width to which all images are resized first, in pixels.
        device: Where the networks are.
        inception: The network, with the backbone of that name.
    """

    name: Literal["inception", "classifier"]
    hash: str
    judge: Classifier
    reason: str
    resolution: int
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    inception: nn.Module | None = None

    def extract(self, images: Tensor, report: Progress = ignore_progress) -> Features:
        """Compute the features of images.

        Args:
            images: uint8 of shape (n, channels, height, width), on any device.
            report: Called with the progress.
        """
        parts: list[tuple[Tensor, ...]] = []
        step = _BATCH[self.name]
        for start in range(0, len(images), step):
            with torch.inference_mode(), exact():
                batch = resize(images[start : start + step].to(self.device), self.resolution)
                parts.append(tuple(values.float().cpu() for values in self._batch(batch)))
            report(f"{self.name} features", min(start + step, len(images)), len(images))
        return Features(*(torch.cat(values) for values in zip(*parts, strict=True)))

    def _batch(self, images: Tensor) -> tuple[Tensor, ...]:
        """Vectors, probabilities and, with inception, logits of some images."""
        vectors = self.judge.network.features(images)
        probabilities = self.judge.network.head(vectors).softmax(1)
        if self.inception is None:
            return vectors, probabilities
        vectors, logits = self.inception(images.expand(-1, 3, -1, -1))
        return vectors, probabilities, logits


def obtain_backbone(
    requested: str,
    dataset: Dataset,
    device: torch.device,
    cache_root: Path,
    inception_weights: Path | None = None,
    report: Progress = ignore_progress,
) -> Backbone:
    """Choose a backbone and make it ready, with the judge.

    Args:
        requested: `inception`, `classifier`, or `auto`, which takes inception for colour images
            when its weights can be had, else the classifier.
        dataset: Decides the judge and the resolution.
        device: Where the networks will run.
        cache_root: Where the judge and the downloaded weights are kept.
        inception_weights: File of torch-fidelity's inception weights, instead of a download.
        report: Called with the progress of training and download.

    Raises:
        UsageError: `requested` is none of the three.
        DataError: Inception was asked for, or a weights file given, and it cannot be had; or the
            cache cannot be written.
    """
    if requested not in BACKBONES:
        raise unknown("backbone", requested, BACKBONES)
    judge = obtain_classifier(dataset, device, cache_root, report)
    resolution = dataset.spec.native_size

    def classifier(reason: str) -> Backbone:
        reason = f"features of the classifier: {reason}"
        return Backbone("classifier", judge.hash, judge, reason, resolution, device)

    if requested == "classifier":
        return classifier("asked for")
    if requested == "auto" and dataset.spec.channels == 1:
        return classifier("the images are grey, and inception was trained on colour photos")
    try:
        inception = _inception(inception_weights, cache_root, report).to(device)
    except DataError as error:
        if requested == "inception" or inception_weights is not None:
            raise
        return classifier(str(error))
    why = "asked for" if requested == "inception" else "the images are in colour"
    why = f"features of inception: {why}"
    return Backbone("inception", weights_hash(inception), judge, why, resolution, device, inception)


def real_features(
    backbone: Backbone, dataset: Dataset, cache_root: Path, report: Progress = ignore_progress
) -> Features:
    """Features of the training split, from the cache where they are known.

    Raises:
        DataError: The cache cannot be written.
    """
    key = f"{dataset.fingerprint}-{backbone.resolution}-{backbone.hash}-{backbone.judge.hash}"
    path = cache_root / "features" / f"{key}.pt"
    try:
        return Features(**torch.load(path, weights_only=True))
    except _UNREADABLE:
        pass

    def go_on(text: str, done: int, total: int) -> None:
        dataset.train.let_go()  # what has been described
        report(text, done, total)

    features = backbone.extract(dataset.train.images, go_on)
    with whole(path) as temporary:
        torch.save(vars(features), temporary)
    return features


def _inception(given: Path | None, cache_root: Path, report: Progress) -> nn.Module:
    """Build torch-fidelity's InceptionV3 with the weights of the FID paper.

    Raises:
        DataError: The weights cannot be had, or are not those of this network.
    """
    path = given or _inception_weights(cache_root, report)
    try:
        torch.load(path, weights_only=True)  # torch-fidelity itself would run what is in the file
        network: Any = FeatureExtractorInceptionV3(
            "inception-v3-compat", ["2048", "logits_unbiased"], str(path)
        )
    except _UNREADABLE as error:
        raise DataError(
            f"{path} does not hold inception weights ({one_line(error)[:80]}): "
            f"give the file {_WEIGHTS_FILE} with --inception-weights, or take --backbone classifier"
        ) from error
    network.to(memory_format=torch.channels_last)
    return network  # type: ignore[no-any-return]  # torch-fidelity ships no types


def _inception_weights(cache_root: Path, report: Progress) -> Path:
    """Find the weights in the cache or in torch's own, or download them.

    Raises:
        DataError: There is no way to get them.
    """
    ours = cache_root / "inception" / _WEIGHTS_FILE
    for path in (ours, Path(torch.hub.get_dir()) / "checkpoints" / _WEIGHTS_FILE):
        if path.is_file():
            return path
    folder(ours.parent)
    try:
        with downloading("inception weights", report):
            torch.hub.download_url_to_file(
                URL_INCEPTION_V3, str(ours), _WEIGHTS_HASH_PREFIX, progress=False
            )
    except (OSError, RuntimeError) as error:  # URLError is an OSError
        raise DataError(
            f"inception weights cannot be downloaded ({one_line(error)}): "
            f"give the file {_WEIGHTS_FILE} with --inception-weights, or take --backbone classifier"
        ) from error
    return ours
