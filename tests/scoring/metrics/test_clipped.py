"""Clipped Density and Clipped Coverage against loops over images, and what they promise."""

import numpy as np
import pytest
import torch
from scipy import stats

from ganbench.scoring.metrics import neighbours
from ganbench.scoring.metrics.clipped import (
    clipped_density_coverage,
    clipped_radii,
    expected_coverage,
)


def cloud(count: int, seed: int, entries: int = 6, *, shift: float = 0.0) -> torch.Tensor:
    random = np.random.default_rng(seed)
    return torch.from_numpy(random.standard_normal((count, entries)) + shift)


def by_hand(real: np.ndarray, fake: np.ndarray, k: int) -> tuple[float, float]:
    """Both scores, image by image."""
    radii = [sorted(np.linalg.norm(real - centre, axis=1))[k] for centre in real]
    narrow = [min(radius, np.median(radii)) for radius in radii]

    def density(points, *, are_real):
        shares = []
        for place, point in enumerate(points):
            hits = sum(
                np.linalg.norm(point - centre) <= radius
                for other, (centre, radius) in enumerate(zip(real, narrow, strict=True))
                if not (are_real and other == place)
            )
            shares.append(min(hits, k) / k)
        return np.mean(shares)

    covered = np.mean([
        min((np.linalg.norm(fake - centre, axis=1) <= radius).sum(), k) / k
        for centre, radius in zip(real, radii, strict=True)
    ])  # fmt: skip
    counts = np.arange(len(fake) + 1)
    shares = np.minimum(counts, k) / k
    expected = [stats.betabinom.pmf(counts, good, k, len(real) - k) @ shares for good in counts]
    good = int(np.searchsorted(expected, covered))
    ratio = density(fake, are_real=False) / density(real, are_real=True)
    return min(1.0, ratio), good / len(counts)


@pytest.mark.parametrize(("counts", "k"), [((40, 40), 5), ((60, 30), 3), ((30, 50), 5)])
def test_both_agree_with_loops_over_images(counts, k):
    real, fake = cloud(counts[0], 0), 1.2 * cloud(counts[1], 1) + 0.7
    real[0] += 30  # an outlier
    expected = by_hand(real.numpy(), fake.numpy(), k)
    assert clipped_density_coverage(real, fake, k) == pytest.approx(expected, rel=1e-9)
    assert expected[0] != expected[1]
    assert all(0.05 < score < 1 for score in expected)


@pytest.mark.parametrize(("real", "fake", "k"), [(50, 80, 5), (7, 3, 5), (1000, 1000, 5)])
def test_the_expected_coverage_is_that_of_the_beta_binomial_distribution(real, fake, k):
    values = expected_coverage(real, fake, k)
    assert values.shape == (fake + 1,)
    for good in {0, 1, fake // 3, fake}:
        hits = np.arange(good + 1)
        shares = stats.betabinom(good, k, real - k).pmf(hits)
        mean = (shares * np.minimum(hits, k)).sum() / k
        assert float(values[good]) == pytest.approx(mean, abs=1e-9)


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 0.75, 1.0])
def test_a_share_of_bad_images_lowers_both_by_that_share(share):
    good = round(800 * (1 - share))
    fake = torch.cat([cloud(good, 1), cloud(800 - good, 2, shift=50)])
    scores = clipped_density_coverage(cloud(800, 0), fake)
    assert scores == pytest.approx((1 - share, 1 - share), abs=0.06)


def test_images_in_the_wide_neighbourhood_of_a_real_outlier_are_no_good_ones():
    real = cloud(400, 0)
    real[:8] = cloud(8, 3, shift=40) + 3 * torch.arange(8)[:, None]
    fake = real[3:5].mean(dim=0) + 0.1 * cloud(400, 4)
    plain, _ = neighbours.density_coverage(real, fake)
    clipped, _ = clipped_density_coverage(real, fake)
    assert plain > 0.9
    assert clipped == 0


def test_one_good_image_repeated_is_dense_and_covers_next_to_nothing():
    real = cloud(500, 0)
    centre = real[real.norm(dim=1).argmin()]
    density, coverage = clipped_density_coverage(real, centre.repeat(500, 1))
    assert density == 1
    assert coverage < 0.1


def test_the_radii_reach_to_the_median_at_most():
    nearest = torch.tensor([[1.0, 2.0], [1.0, 4.0], [1.0, 9.0], [1.0, 3.0]], dtype=torch.float64)
    assert clipped_radii(nearest, 2).tolist() == [2.0, 3.5, 3.5, 3.0]


@pytest.mark.parametrize("kind", ["all different", "some equal", "on a grid", "few"])
def test_known_distances_and_counts_change_nothing(kind):
    real, fake = cloud(121, 0), cloud(121, 1)  # an odd count: the median is a distance
    if kind == "some equal":
        real[40:50] = real[:10]
        real[60:63] = real[:3]
    elif kind == "on a grid":  # where many neighbours are as far as the fifth
        real, fake = real[:, :2].round(), fake[:, :2].round()
    elif kind == "few":
        real, fake = real[:6], fake[:6]
    nearest, rows = neighbours.nearest(real, min(6, len(real) - 1))
    counts = neighbours.inside(real, fake, nearest[:, 4], clipped_radii(nearest), block=17)
    alone = clipped_density_coverage(real, fake)
    known = {"real_nearest": nearest, "counts": counts}
    assert clipped_density_coverage(real, fake, **known) == alone
    assert clipped_density_coverage(real, fake, real_rows=rows, **known) == alone
    assert alone[0] > 0


def test_equal_images_are_all_good_and_too_few_have_no_score():
    assert clipped_density_coverage(torch.zeros(20, 3), torch.zeros(20, 3)) == (1, 1)
    assert clipped_density_coverage(cloud(5, 0), cloud(20, 1)) is None
    with pytest.raises(ValueError, match="both must come from one backbone"):
        clipped_density_coverage(cloud(9, 0), cloud(9, 1, entries=2))
