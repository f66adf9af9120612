"""Names, shapes and classes of the datasets, known without reading any."""

from __future__ import annotations

from pathlib import Path

from ganbench.variant.definition import DatasetSpec

__all__ = [
    "DOWNLOADED",
    "IMAGEFOLDER_PREFIX",
    "SPECS",
    "STACKED_DIGITS",
    "SUMMARIES",
    "TRIANGLES",
    "short_dataset",
]

IMAGEFOLDER_PREFIX = "imagefolder:"

_DIGIT_NAMES = tuple("0123456789")
_FASHION_NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
_CIFAR10_NAMES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)
_DIGIT_CAPTION = "a handwritten digit {}"
_TRIPLE_NAMES = tuple(f"{triple:03}" for triple in range(1000))
_TRIPLE_CAPTION = "the handwritten digits {}"
_CORNER_NAMES = ("upper left", "upper right", "lower left", "lower right")

TRIANGLES = "triangles"
"""The dataset on whose manifold precision and recall are computed."""

STACKED_DIGITS: dict[str, str] = {"stacked-digits": "digits", "stacked-mnist": "mnist"}
"""The datasets of three digits as red, green and blue, and where the digits are from."""


DOWNLOADED = ("cifar10", "fashion-mnist", "mnist")
"""The datasets that torchvision reads, and downloads where they are not there."""


def _points(name: str, dimensions: int, modes: int, count: int) -> DatasetSpec:
    """A mixture of `ganbench.data.points`, each of whose modes is a class."""
    names = tuple(map(str, range(modes)))
    return DatasetSpec(name, dimensions, 1, names, count, 10_000, "mode {}", kind="points")


SPECS: dict[str, DatasetSpec] = {
    "cifar10": DatasetSpec("cifar10", 3, 32, _CIFAR10_NAMES, 50_000, 10_000),
    "digits": DatasetSpec("digits", 1, 8, _DIGIT_NAMES, 1_438, 359, _DIGIT_CAPTION),
    "fashion-mnist": DatasetSpec("fashion-mnist", 1, 28, _FASHION_NAMES, 60_000, 10_000),
    "gauss1200": _points("gauss1200", 1200, 10, 20_000),
    "grid25": _points("grid25", 2, 25, 100_000),
    "mnist": DatasetSpec("mnist", 1, 28, _DIGIT_NAMES, 60_000, 10_000, _DIGIT_CAPTION),
    "ring8": _points("ring8", 2, 8, 100_000),
    "stacked-digits": DatasetSpec(
        "stacked-digits", 3, 8, _TRIPLE_NAMES, 32_000, 26_000, _TRIPLE_CAPTION
    ),
    "stacked-mnist": DatasetSpec(
        "stacked-mnist", 3, 28, _TRIPLE_NAMES, 128_000, 26_000, _TRIPLE_CAPTION
    ),
    TRIANGLES: DatasetSpec(TRIANGLES, 1, 32, _CORNER_NAMES, 20_000, 10_000, "a triangle at the {}"),
}
"""The datasets whose content never changes, by name."""

SUMMARIES: dict[str, str] = {
    "cifar10": "60,000 colour photos of 10 kinds of things, 32×32; downloaded once (170 MB)",
    "digits": "1,797 handwritten digits, 8×8; ships with scikit-learn, needs no network",
    "fashion-mnist": "70,000 grey photos of 10 kinds of clothes, 28×28; downloaded once (31 MB)",
    "gauss1200": "20,000 points of 10 modes in 1,200 dimensions, drawn from a fixed seed",
    "grid25": "100,000 points of 25 modes on a square grid in the plane, drawn from a fixed seed",
    "mnist": "70,000 handwritten digits, 28×28; downloaded once (12 MB)",
    "ring8": "100,000 points of 8 modes on a circle in the plane, drawn from a fixed seed",
    "stacked-digits": "32,000 triples of digits as red, green and blue, 8×8: 1,000 modes; embedded",
    "stacked-mnist": "128,000 triples of MNIST digits as red, green and blue, 28×28: 1,000 modes",
    "triangles": "30,000 grey triangles, 32×32, whose manifold is known; made, needs no network",
    "imagefolder:DIR": "any folder of class folders or images, or train and test with those",
}
"""One line per dataset, for people."""


def short_dataset(name: str) -> str:
    """The dataset's name without the place where it lies: of an image folder, its last part."""
    kind, _, path = name.partition(":")
    return Path(path).name or kind if path else kind
