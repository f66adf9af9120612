"""The Fréchet distance: closed forms, torch-fidelity, blocks, bad input."""

import math
import pickle

import numpy as np
import pytest
import torch
from metrics_doubles import clusters
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric

from ganbench.scoring.metrics.fid import Statistics, fid


def gaussian(mean, covariance) -> Statistics:
    as_tensor = (
        torch.tensor(mean, dtype=torch.float64),
        torch.tensor(covariance, dtype=torch.float64),
    )
    return Statistics(*as_tensor, count=1000)


def correlated(count: int, entries: int, seed: int) -> torch.Tensor:
    random = np.random.default_rng(seed)
    mixing = random.standard_normal((entries, entries)) * np.exp(-np.arange(entries) / entries)
    vectors = random.standard_normal((count, entries)) @ mixing + random.standard_normal(entries)
    return torch.from_numpy(vectors).float()


def reference_fid(real: torch.Tensor, fake: torch.Tensor) -> float:
    first, second = (fid_features_to_statistics(features.double()) for features in (real, fake))
    return fid_statistics_to_metric(first, second, verbose=False)["frechet_inception_distance"]


def test_distance_of_gaussians_with_independent_entries_has_its_closed_form():
    first = gaussian([0.0, 1.0, 2.0], [[4.0, 0, 0], [0, 9.0, 0], [0, 0, 0.25]])
    second = gaussian([1.0, 1.0, 0.0], [[1.0, 0, 0], [0, 16.0, 0], [0, 0, 1.0]])
    by_means, by_deviations = 1.0 + 0.0 + 4.0, (2 - 1) ** 2 + (3 - 4) ** 2 + (0.5 - 1) ** 2
    assert fid(first, second) == pytest.approx(by_means + by_deviations, rel=1e-12)


def test_distance_of_correlated_plane_gaussians_has_its_closed_form():
    A, B = np.array([[2.0, 0.6], [0.6, 1.0]]), np.array([[1.0, -0.4], [-0.4, 3.0]])
    root_trace = math.sqrt(np.trace(A @ B) + 2 * math.sqrt(np.linalg.det(A @ B)))  # 2 x 2 only
    expected = 0.25 + np.trace(A) + np.trace(B) - 2 * root_trace
    distance = fid(gaussian([0.0, 0.0], A.tolist()), gaussian([0.0, 0.5], B.tolist()))
    assert distance == pytest.approx(expected, rel=1e-12)


def test_distance_of_samples_nears_the_closed_form():
    random = np.random.default_rng(0)
    real = torch.from_numpy(random.standard_normal((50_000, 4)))
    fake = torch.from_numpy(random.standard_normal((50_000, 4)) * 2 + 1)
    assert fid(Statistics.of(real), Statistics.of(fake)) == pytest.approx(4 * (1 + 1), rel=0.02)


@pytest.mark.parametrize(("real_count", "fake_count"), [(500, 300), (500, 40), (30, 40)])
def test_distance_agrees_with_torch_fidelity(real_count, fake_count):
    real, fake = correlated(real_count, 64, 1), correlated(fake_count, 64, 2)
    distance = fid(Statistics.of(real), Statistics.of(fake))
    assert distance == pytest.approx(reference_fid(real, fake), rel=1e-6)


def test_statistics_agree_with_torch_fidelity():
    features = correlated(500, 64, 3)
    statistics, expected = Statistics.of(features), fid_features_to_statistics(features.double())
    np.testing.assert_allclose(statistics.mean.numpy(), expected["mu"], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(
        statistics.covariance.numpy(), expected["sigma"], rtol=1e-9, atol=1e-12
    )


def test_the_size_of_the_blocks_does_not_matter():
    real, fake = correlated(500, 64, 4), correlated(500, 64, 5)
    whole = fid(Statistics.of(real), Statistics.of(fake))
    pieces = fid(Statistics.of(real, block=7), Statistics.of(fake, block=499))
    assert pieces == pytest.approx(whole, rel=1e-9)


def test_float32_features_far_from_zero_keep_their_covariance():
    near = correlated(500, 8, 6)
    far = (near + 4096).float()
    expected = np.cov(far.double().numpy(), rowvar=False)
    np.testing.assert_allclose(Statistics.of(far).covariance.numpy(), expected, rtol=1e-9)


def test_two_images_have_a_covariance():
    pair = correlated(2, 3, 7)
    expected = np.cov(pair.double().numpy(), rowvar=False)
    np.testing.assert_allclose(Statistics.of(pair).covariance.numpy(), expected, rtol=1e-9)


def test_statistics_that_were_saved_are_read_with_the_root_of_their_covariance(tmp_path):
    statistics = Statistics.of(correlated(50, 4, 8))
    statistics.save(tmp_path / "statistics.pt")
    read = Statistics.load(tmp_path / "statistics.pt")
    assert read.count == 50
    assert torch.equal(read.mean, statistics.mean)
    assert torch.equal(read.covariance, statistics.covariance)
    root = vars(read)["root"].numpy()  # stored, not computed when it is asked for
    np.testing.assert_allclose(root @ root, statistics.covariance.numpy(), atol=1e-12)


def test_a_file_of_anything_but_tensors_and_numbers_is_not_read(tmp_path):
    torch.save({"mean": print, "covariance": print, "count": 1, "root": print}, tmp_path / "it.pt")
    with pytest.raises(pickle.UnpicklingError):
        Statistics.load(tmp_path / "it.pt")


def test_equal_features_are_at_distance_zero_and_one_repeated_image_is_not():
    real = clusters(500, 0)
    statistics = Statistics.of(real.vectors)
    assert fid(statistics, Statistics.of(real.vectors)) == pytest.approx(0, abs=1e-6)
    repeated = Statistics.of(real.repeat(0, 500).vectors)
    assert fid(statistics, repeated) > float(statistics.covariance.trace())


def test_bad_features_are_refused_by_name_of_the_fault():
    good = clusters(20, 0).vectors
    broken = good.clone()
    broken[3, 2] = math.nan
    with pytest.raises(ValueError, match="NaN or infinity in 1 of 20 rows"):
        Statistics.of(broken)
    with pytest.raises(ValueError, match=r"shape \(20,\)"):
        Statistics.of(good[:, 0])
    with pytest.raises(ValueError, match="at least 2 images"):
        Statistics.of(good[:1])
    with pytest.raises(ValueError, match="16 entries and generated ones 5"):
        fid(Statistics.of(good), Statistics.of(good[:, :5]))
