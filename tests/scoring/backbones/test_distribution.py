"""Which images count as images of a class: real ones, and not what a classifier is sure of too."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from sklearn.covariance import LedoitWolf

from ganbench import data
from ganbench.data.dataset import ignore_progress
from ganbench.scoring.backbones.backbone import obtain_backbone
from ganbench.scoring.backbones.classifier import obtain_classifier
from ganbench.scoring.backbones.classifier_network import weights_hash
from ganbench.scoring.reference import Reference

CPU = torch.device("cpu")
COUNT = 1000


@pytest.fixture(scope="module", params=["digits", pytest.param("mnist", marks=pytest.mark.slow)])
def reference(request, cache_root, tmp_path_factory) -> Reference:
    """The real side of digits, and of MNIST where it can be had."""
    cache, root = cache_root, cache_root
    if request.param == "mnist":
        given = os.environ.get("GANBENCH_REAL_DATA")
        if given is None:
            pytest.skip("GANBENCH_REAL_DATA names no folder of real data")
        root, cache = Path(given), tmp_path_factory.mktemp("mnist")
    dataset = data.load(request.param, data_root=root, cache_root=cache, image_size=32)
    backbone = obtain_backbone("classifier", dataset, CPU, cache)
    return Reference.of(dataset, backbone, cache, ignore_progress)


def scores_of(reference: Reference, images: torch.Tensor) -> dict[str, float | None]:
    return reference.score(reference.backbone.extract(images.to(torch.uint8)), 0).scores


def held_out(reference: Reference) -> torch.Tensor:
    """The half of the test split that the threshold was not fitted on, at most COUNT images."""
    return reference.dataset.test.images[1::2][:COUNT]


def random(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0))


def smooth_blobs(reference: Reference, share: float) -> torch.Tensor:
    """Gaussian noise, smoothed over a share of the width and stretched to the whole range."""
    size = reference.dataset.spec.native_size
    noise = np.random.default_rng(0).standard_normal((COUNT, 1, size, size))
    smooth = gaussian_filter(noise, (0, 0, share * size, share * size))
    low, high = (edge(smooth, axis=(2, 3), keepdims=True) for edge in (np.min, np.max))
    return torch.from_numpy(255 * (smooth - low) / (high - low))


def shuffled(images: torch.Tensor, side: int) -> torch.Tensor:
    """Each image with its square patches in a random order of its own."""
    count, _, size, _ = images.shape
    across = size // side
    patches = images[:, 0].unfold(1, side, side).unfold(2, side, side)
    patches = patches.reshape(count, across**2, side, side)
    order = random(count, across**2).argsort(1)
    patches = patches.gather(1, order[:, :, None, None].expand_as(patches))
    rows = patches.view(count, across, across, side, side).transpose(2, 3)
    return rows.reshape(count, 1, size, size)


def test_real_images_cover_every_class_and_hardly_any_is_refused(reference):
    images = held_out(reference)
    scores = scores_of(reference, images)
    assert scores["modes_covered"] == scores["modes_covered_strict"] == 10
    inside = reference.backbone.extract(images).inside
    assert 0.97 <= float(inside.float().mean()) < 1


def test_noise_covers_nothing(reference):
    size = reference.dataset.spec.native_size
    noise = 256 * random(COUNT, 1, size, size)
    for images in (noise, noise * (random(COUNT, 1, size, size).flip(0) < 0.2)):
        scores = scores_of(reference, images)
        assert (scores["modes_covered"], scores["modes_covered_strict"]) == (0, 0)
        assert scores["mode_kl"] == pytest.approx(np.log(10), rel=0.02)
        assert scores["mode_entropy"] == pytest.approx(0, abs=0.05)
        assert scores["diversity"] == 0


@pytest.mark.parametrize("share", [1 / 16, 1 / 8, 1 / 4])
def test_smooth_blobs_cover_nothing(reference, share):
    scores = scores_of(reference, smooth_blobs(reference, share))
    assert scores["modes_covered"] == 0


def test_shuffled_digits_cover_nothing(reference):
    images = held_out(reference)
    for side in (1, images.shape[-1] // 4):  # pixels, and a quarter of the width
        scores = scores_of(reference, shuffled(images, side))
        assert scores["modes_covered"] == 0


def test_digits_with_faint_noise_or_blur_still_count(reference):
    images = held_out(reference).float()
    noisy = images + 16 * (2 * random(*images.shape) - 1)
    blurred = gaussian_filter(images.numpy(), (0, 0, 0.5, 0.5))
    for changed in (noisy.clamp(0, 255).round(), torch.from_numpy(blurred)):
        inside = reference.backbone.extract(changed.to(torch.uint8)).inside
        assert float(inside.float().mean()) > 0.8


def test_distances_are_those_of_the_formula(digits, digits_backbone):
    network = digits_backbone.classifier.network
    with torch.inference_mode():
        depths = network.depths(digits.train.images)[0].double().numpy()
        test_depths, vectors = network.depths(digits.test.images)
        named = network.head(vectors).argmax(1).numpy()
    means = np.stack([depths[digits.train.labels == label].mean(0) for label in range(10)])
    around = depths - means[digits.train.labels.numpy()]
    precision = LedoitWolf(assume_centered=True).fit(around).precision_
    apart = test_depths.double().numpy() - means[named]
    expected = np.sqrt(np.einsum("ij,jk,ik->i", apart, precision, apart))
    threshold = np.quantile(expected[::2], 0.99)
    extracted = digits_backbone.extract(digits.test.images)
    np.testing.assert_allclose(extracted.distances[:, 0], expected / threshold, rtol=0.01)
    assert digits_backbone.classifier.kept == pytest.approx(
        float(extracted.inside[1::2].double().mean())
    )


def test_the_distances_are_part_of_the_classifiers_hash(digits, tmp_path):
    network = obtain_classifier(digits, CPU, tmp_path).network
    hashes = {weights_hash(network)}
    for values in (network.class_means, network.whitening, network.threshold):
        values.add_(0.5)
        hashes.add(weights_hash(network))
    assert len(hashes) == 4
