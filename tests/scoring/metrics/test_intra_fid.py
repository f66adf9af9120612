"""FID within each class, against scipy's matrix root."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
import torch

from ganbench.scoring.metrics.intra_fid import fid_by_class, intra_fid


def frechet(first: np.ndarray, second: np.ndarray) -> float:
    means = first.mean(0) - second.mean(0)
    covariances = np.cov(first, rowvar=False), np.cov(second, rowvar=False)
    root = scipy.linalg.sqrtm(covariances[0] @ covariances[1]).real
    return float(means @ means + np.trace(covariances[0] + covariances[1] - 2 * root))


@pytest.fixture
def features():
    generator = torch.Generator().manual_seed(0)
    real, fake = torch.randn(2, 90, 4, generator=generator)
    labels = torch.arange(90) % 3
    return real + labels[:, None], labels, fake * 2 + labels[:, None], labels.flip(0)


def test_each_class_is_compared_with_its_own_images(features):
    real, real_labels, fake, fake_labels = features
    distances = fid_by_class(*features)
    assert set(distances) == {0, 1, 2}
    for label, distance in distances.items():
        expected = frechet(
            real[real_labels == label].double().numpy(), fake[fake_labels == label].double().numpy()
        )
        assert distance == pytest.approx(expected, rel=1e-6)
    assert intra_fid(distances, 3) == pytest.approx(sum(distances.values()) / 3)


def test_a_class_with_few_images_has_no_distance_and_then_there_is_no_mean(features):
    real, real_labels, fake, _ = features
    fake_labels = torch.cat([torch.zeros(4), torch.ones(86)]).long()
    distances = fid_by_class(real, real_labels, fake, fake_labels)
    assert set(distances) == {1}
    assert intra_fid(distances, 3) is None


def test_swapped_classes_are_seen_where_the_whole_looks_the_same():
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(200) % 2
    real = torch.randn(200, 3, generator=generator) + 10 * labels[:, None]
    same = fid_by_class(real, labels, real, labels)
    swapped = fid_by_class(real, labels, real, 1 - labels)
    assert max(same.values()) < 1e-6
    assert min(swapped.values()) > 100


def test_features_and_labels_that_do_not_fit_are_refused(features):
    real, real_labels, fake, fake_labels = features
    broken = fake.clone()
    broken[5] = torch.nan
    with pytest.raises(ValueError, match="generated features hold NaN or infinity in 1 of 90"):
        fid_by_class(real, real_labels, broken, fake_labels)
    with pytest.raises(ValueError, match=r"real labels are .* expected one integer for each of 90"):
        fid_by_class(real, real_labels[:9], fake, fake_labels)
    with pytest.raises(ValueError, match=r"labels of generated images .* for each of 90 images"):
        fid_by_class(real, real_labels, fake, fake_labels[:9])
