"""Features of images, from which all scores are computed; the networks have random weights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ganbench import data
from ganbench.data.dataset import ignore_progress
from ganbench.data.noise import noise
from ganbench.scoring.backbones.backbone import Backbone
from ganbench.scoring.backbones.fuse import fuse_batchnorm
from ganbench.scoring.backbones.inception import obtain_inception

from .workloads import random_inception_weights, untrained_classifier

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

    from ganbench.machine.device import Device

_COUNTS = {"classifier": 1000, "inception": 32}  # two batches each
_TINY_COUNT = 2


def time_extraction(
    benchmark: BenchmarkFixture, backbone: Backbone, size: int, *, tiny: bool
) -> None:
    """Time `extract` on images of `size`, which it resizes to the backbone's resolution first."""
    count = _TINY_COUNT if tiny else _COUNTS[backbone.name]
    channels = backbone.classifier.network.mean.shape[1]
    images = noise(count, channels, size).images
    if benchmark.enabled:
        backbone.extract(images)

    features = benchmark(backbone.extract, images)

    assert features.probabilities.shape == (count, 10)
    benchmark.extra_info.update(images=count, entries=features.vectors.shape[1], image_size=size)
    if benchmark.stats is not None:
        benchmark.extra_info["images_per_second"] = count / benchmark.stats.stats.median


@pytest.mark.benchmark(group="features")
@pytest.mark.parametrize(("dataset", "size"), [("mnist", 28), ("cifar10", 64)])
def test_classifier(
    dataset: str, size: int, benchmark: BenchmarkFixture, device: Device, *, tiny: bool
) -> None:
    """The dataset's own classifier, on images of the size that `mlp` and `dcgan` make."""
    spec = data.describe(dataset, Path())
    backbone = Backbone(
        "classifier",
        "random",
        untrained_classifier(spec.channels, spec.native_size, device),
        "benchmark",
        spec.native_size,
        device.torch,
    )
    time_extraction(benchmark, backbone, size, tiny=tiny)


@pytest.mark.benchmark(group="features")
def test_inception(
    benchmark: BenchmarkFixture,
    device: Device,
    tmp_path: Path,
    *,
    tiny: bool,
) -> None:
    """torch-fidelity's InceptionV3 at 299×299, with the classifier beside it."""
    network = fuse_batchnorm(
        obtain_inception(random_inception_weights(tmp_path), tmp_path, ignore_progress)
    ).to(device.torch)
    backbone = Backbone(
        "inception",
        "random",
        untrained_classifier(3, 32, device),
        "benchmark",
        32,
        device.torch,
        network,
    )
    time_extraction(benchmark, backbone, 64, tiny=tiny)
