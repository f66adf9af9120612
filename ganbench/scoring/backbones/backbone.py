"""Features and class probabilities of images, from which scores are computed.

Backbones of images: `inception`, torch-fidelity's port of the network of the FID paper, and
`efficientnet`, whose weights come with a package, for natural images; and `classifier`, the
dataset's own classifier, which needs neither. Points are their own features. Distances in the
features of one backbone say nothing of distances in those of another.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor, nn

from ganbench.data.cache import UNREADABLE, is_intact, say_damaged, whole
from ganbench.data.catalogue import STACKED_DIGITS
from ganbench.data.dataset import Progress, ignore_progress, resize
from ganbench.errors import DataError, UsageError, unknown
from ganbench.machine.memory import release_host_memory
from ganbench.machine.whole_files import save_torch
from ganbench.scoring.backbones.channels import describe_channels
from ganbench.scoring.backbones.classifier import obtain_classifier
from ganbench.scoring.backbones.classifier_network import (
    Classifier,
    ClassifierNetwork,
    exact,
    weights_hash,
)
from ganbench.scoring.backbones.efficientnet import obtain_efficientnet
from ganbench.scoring.backbones.fuse import fuse_batchnorm
from ganbench.scoring.backbones.inception import check_inception, obtain_inception
from ganbench.scoring.backbones.points import ModesOfPoints
from ganbench.scoring.metrics.catalogue import POINTS_BACKBONE

if TYPE_CHECKING:
    from pathlib import Path

    from ganbench.data.dataset import Dataset, Split
    from ganbench.variant.definition import DatasetSpec

__all__ = [
    "BACKBONES",
    "Backbone",
    "Features",
    "cached_file",
    "check_backbone",
    "foreseen_backbone",
    "obtain_backbone",
    "obtain_network",
    "real_features",
]

BACKBONES = ("auto", "inception", "efficientnet", "classifier")

BackboneName = Literal["inception", "efficientnet", "classifier", "points"]

_ARITHMETIC = 2  # raised whenever the same network would give other features: part of the key

_BATCH = {
    "inception": 16,
    "efficientnet": 32,
    "classifier": 500,
    POINTS_BACKBONE: 5000,
}  # more are no faster on the CPU
_TIMES_ON_A_CARD = 4  # a graphics card works on more images at once; not measured


@dataclass(frozen=True)
class Features:
    """What is known of n images; all on the CPU.

    Attributes:
        vectors: float32 of shape (n, d), the backbone's features.
        probabilities: float32 of shape (n, classes), the classifier's softmax; of stacked digits
            (n, 30), that of each channel, as the 1,000 of each image would fill memory.
        distances: float32 of shape (n, 1), how far an image is from the data: the Mahalanobis
            distance of the classifier's features from the mean of the most likely class, over the
            threshold that 99% of held-out real images keep (Lee et al. 2018, arXiv:1807.03888).
            Up to 1 an image is in the distribution. None where nothing is known of it, and every
            image counts.
        logits: float32 of shape (n, 1008), inception's logits without their bias, from which the
            inception score is computed; None with the other backbones, and where they were not
            asked for.
    """

    vectors: Tensor
    probabilities: Tensor
    distances: Tensor | None = None
    logits: Tensor | None = None

    def __len__(self) -> int:
        return len(self.vectors)

    @property
    def inside(self) -> Tensor:
        """Which images are in the distribution: bool (n,)."""
        if self.distances is None:
            return torch.ones(len(self), dtype=torch.bool)
        return self.distances[:, 0] <= 1

    def rows(self, chosen: Tensor) -> Features:
        """The features of chosen images.

        Args:
            chosen: int64, their places.
        """
        known = {name: values for name, values in vars(self).items() if values is not None}
        return Features(**{name: values[chosen] for name, values in known.items()})


@dataclass(frozen=True)
class Backbone:
    """A feature extractor with the dataset's classifier.

    Attributes:
        name: `inception`, `efficientnet`, `classifier` or `points`.
        hash: Of the weights of the network that gives the vectors.
        classifier: The dataset's, which names the class of an image, or the mode of a point.
        reason: Why this backbone, for people.
        resolution: Height and width to which all images are resized first, in pixels; 0 for points,
            which stay as they are.
        device: Where the networks are.
        network: Maps uint8 images of three channels to vectors and, for inception, logits; None
            where the classifier gives the vectors.
        stacked: Whether images are stacked digits, of which the classifier sees one channel at a
            time.
    """

    name: BackboneName
    hash: str
    classifier: Classifier | ModesOfPoints
    reason: str
    resolution: int
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    network: nn.Module | None = None
    stacked: bool = False

    def extract(
        self,
        images: Tensor,
        report: Progress = ignore_progress,
        *,
        logits: bool = True,
        batch_size: int | None = None,
    ) -> Features:
        """Compute the features of images.

        Args:
            images: uint8 of shape (n, channels, height, width), or points, on any device.
            report: Called with the progress.
            logits: Whether inception's logits are kept too.
            batch_size: Images at a time; if left out, as many as suit the network and the device.
        """
        extracted: list[Tensor] = []
        usual = _BATCH[self.name] * (1 if self.device.type == "cpu" else _TIMES_ON_A_CARD)
        step = batch_size or usual
        for start in range(0, len(images), step):
            with torch.inference_mode(), exact():
                batch = images[start : start + step].to(self.device)
                if self.resolution:
                    batch = resize(batch, self.resolution)
                parts = self._batch(batch, logits=logits)
            # Filled in as images come: joined from parts, they would be held twice
            if not extracted:
                extracted = [torch.empty(len(images), part.shape[1]) for part in parts]
            for rows, part in zip(extracted, parts, strict=True):
                rows[start : start + step] = part
            report(f"{self.name} features", min(start + step, len(images)), len(images))
        return Features(*extracted)

    def _batch(self, images: Tensor, *, logits: bool) -> tuple[Tensor, ...]:
        """The fields of `Features` for some images, without those that are not wanted."""
        network = self.classifier.network
        described: tuple[Tensor, ...]
        if self.stacked and isinstance(network, ClassifierNetwork):
            described = describe_channels(network, images)
        else:
            described = network.describe(images)
        if self.network is None:
            return described
        vectors, *rest = self.network(images.expand(-1, 3, -1, -1))
        return vectors, *described[1:], *(rest if logits else ())


def check_backbone(requested: str, cache_root: Path, inception_weights: Path | None = None) -> str:
    """See within seconds that the weights of a backbone are there, or could be downloaded.

    Args:
        requested: As `obtain_backbone` takes it; `auto` does without weights that are missing.
        cache_root: Where downloaded weights are kept.
        inception_weights: As `obtain_backbone` takes them.

    Returns:
        What will be downloaded, as a sentence; empty where nothing is.

    Raises:
        UsageError: `requested` is no backbone.
        DataError: Weights that were asked for cannot be had, or a file holds others.
    """
    if requested not in BACKBONES:
        raise unknown("backbone", requested, BACKBONES)
    if requested == "efficientnet":
        obtain_efficientnet()
    elif requested == "inception" or (requested == "auto" and inception_weights is not None):
        return check_inception(inception_weights, cache_root)
    return ""


def foreseen_backbone(
    requested: str, spec: DatasetSpec, cache_root: Path, inception_weights: Path | None = None
) -> tuple[BackboneName, str]:
    """Find out within seconds which backbone `obtain_backbone` would choose.

    Args:
        requested: As `obtain_backbone` takes it.
        spec: Of the dataset.
        cache_root: Where downloaded weights are kept; nothing is written.
        inception_weights: As `obtain_backbone` takes them.

    Returns:
        Its name, and as a sentence what will be downloaded for it, or why the weights of a better
        one cannot be had; empty where there is nothing to say.

    Raises:
        UsageError: `requested` is no backbone.
        DataError: Weights that were asked for cannot be had, or a file holds others.
    """
    if spec.kind == "points":
        return POINTS_BACKBONE, ""
    told = check_backbone(requested, cache_root, inception_weights)
    if requested == "efficientnet":
        return "efficientnet", told
    if _why_classifier(requested, spec):
        return "classifier", told
    if requested == "inception" or inception_weights is not None:
        return "inception", told
    try:
        return "inception", check_inception(None, cache_root)
    except DataError as error:
        return "classifier", f"{error}; without them the dataset's classifier gives the features"


def _why_classifier(requested: str, spec: DatasetSpec) -> str:
    """Why the classifier gives the features, whatever weights there are; empty where it may not."""
    if requested == "classifier":
        return "asked for"
    if requested == "auto" and spec.channels == 1:
        return "the images are grey, and inception was trained on colour photos"
    if requested == "auto" and spec.name in STACKED_DIGITS:
        return "each channel is a digit, which the classifier of single digits describes"
    return ""


def obtain_network(
    requested: str,
    spec: DatasetSpec,
    cache_root: Path,
    inception_weights: Path | None = None,
    report: Progress = ignore_progress,
) -> tuple[nn.Module | None, str]:
    """Build the network of a backbone, whose weights may be missing.

    Args:
        requested: As `obtain_backbone` takes it.
        spec: Of the dataset.
        cache_root: Where downloaded weights are kept.
        inception_weights: As `obtain_backbone` takes them.
        report: Called with the progress of a download.

    Returns:
        Inception or EfficientNet, or None where the classifier is to give the features; and why.

    Raises:
        UsageError: `requested` is no backbone.
        DataError: Inception or EfficientNet was asked for, or a weights file given, and it cannot
            be had.
    """
    if requested not in BACKBONES:
        raise unknown("backbone", requested, BACKBONES)
    if requested == "efficientnet":
        return obtain_efficientnet(), "asked for"
    if why := _why_classifier(requested, spec):
        return None, why
    try:
        network = obtain_inception(inception_weights, cache_root, report)
    except DataError as error:
        if requested == "inception" or inception_weights is not None:
            raise
        return None, str(error)
    return network, "asked for" if requested == "inception" else "the images are in colour"


def obtain_backbone(
    requested: str,
    dataset: Dataset,
    device: torch.device,
    cache_root: Path,
    inception_weights: Path | None = None,
    report: Progress = ignore_progress,
) -> Backbone:
    """Choose a backbone and make it ready, with the dataset's classifier.

    Args:
        requested: `inception`, `efficientnet`, `classifier`, or `auto`, which takes inception for
            colour images when its weights can be had, else the classifier, also for stacked digits.
        dataset: Decides the classifier and the resolution.
        device: Where the networks will run.
        cache_root: Where the classifier and the downloaded weights are kept.
        inception_weights: File of torch-fidelity's inception weights, instead of a download.
        report: Called with the progress of training and download.

    Raises:
        UsageError: `requested` is none of the four, or describes images and the dataset holds
            points.
        DataError: Inception or EfficientNet was asked for, or a weights file given, and it cannot
            be had; or the cache cannot be written.
    """
    if dataset.spec.kind == "points":
        return _of_points(requested, dataset)
    network, why = obtain_network(requested, dataset.spec, cache_root, inception_weights, report)
    classifier = obtain_classifier(dataset, device, cache_root, report)
    name: BackboneName = "classifier"
    source, reason = classifier.hash, f"features of the classifier: {why}"
    if network is not None:
        name = "efficientnet" if requested == "efficientnet" else "inception"
        reason = f"features of {name}: {why}"
        source = weights_hash(
            network
        )  # before BatchNorm is fused: the hash names the published weights
        network = fuse_batchnorm(network).to(device)
    resolution = dataset.spec.native_size
    stacked = dataset.spec.name in STACKED_DIGITS
    return Backbone(name, source, classifier, reason, resolution, device, network, stacked)


def _of_points(requested: str, dataset: Dataset) -> Backbone:
    """What describes points: themselves, and the modes of the mixture that they are of.

    On the CPU, as distances are computed in float64, which Apple's graphics do not have.
    """
    if requested not in ("auto", POINTS_BACKBONE):
        raise UsageError(
            f"backbone {requested} describes images, and {dataset.spec.name} holds points, which "
            "are scored as they are: leave --backbone out"
        )
    modes = ModesOfPoints.of(dataset)
    reason = "points are scored as they are, by the centres of their modes"
    return Backbone(POINTS_BACKBONE, modes.hash, modes, reason, resolution=0)


def real_features(
    backbone: Backbone,
    dataset: Dataset,
    cache_root: Path,
    report: Progress = ignore_progress,
    split: Literal["train", "test"] = "train",
    *,
    logits: bool = False,
) -> Features:
    """Features of a split, from the cache where they are known.

    Args:
        backbone: Extracts the features.
        dataset: Holds the images.
        cache_root: Where features are kept.
        report: Called with the progress.
        split: Which images.
        logits: Whether inception's logits are wanted; no score uses those of the real images.

    Raises:
        DataError: The cache cannot be written.
    """
    if backbone.name == POINTS_BACKBONE:  # quicker than a file
        return backbone.extract(getattr(dataset, split).images, report)
    logits = logits and backbone.name == "inception"
    path = cached_file(backbone, dataset, cache_root, f"{split}-logits" if logits else split)
    try:
        if is_intact(path):
            known = Features(**torch.load(path, weights_only=True))
            return known if logits else replace(known, logits=None)
    except UNREADABLE as error:
        say_damaged(path, type(error).__name__)
    images: Split = getattr(dataset, split)

    def release_and_report(text: str, done: int, total: int) -> None:
        images.release()  # their features are known, so their memory is not needed
        report(text, done, total)

    features = backbone.extract(images.images, release_and_report, logits=logits)
    release_host_memory()
    with whole(path, sealed=True) as temporary:
        save_torch(vars(features), temporary)
    return features


def cached_file(backbone: Backbone, dataset: Dataset, cache_root: Path, what: str) -> Path:
    """Path in the cache of `what`, which follows from a dataset's features."""
    hashes = f"{backbone.hash}-{backbone.classifier.hash}"
    # Features of one device differ from those of another in the last bits
    arithmetic = f"{backbone.device.type}-{_ARITHMETIC}"
    key = f"{dataset.fingerprint}-{backbone.resolution}-{hashes}-{arithmetic}"
    return cache_root / "features" / f"{key}-{what}.pt"
