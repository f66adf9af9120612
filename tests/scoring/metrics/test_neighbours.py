"""Neighbourhood scores against scikit-learn's neighbours, and the nearest distances."""

import math

import numpy as np
import pytest
import torch
from metrics_doubles import clusters
from sklearn.neighbors import NearestNeighbors
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode
from torch_fidelity.metric_prc import (
    KEY_METRIC_PRECISION,
    KEY_METRIC_RECALL,
    prc_features_to_metric,
)

from ganbench.scoring.metrics import neighbours
from ganbench.scoring.metrics.clipped import clipped_density_coverage
from ganbench.scoring.metrics.copies import duplicates, memorisation


def some_pair(seed: int = 0, real_count: int = 300, fake_count: int = 300):
    """Real clusters, and generated ones that miss two classes and scatter more."""
    real = clusters(real_count, seed)
    fake = clusters(2 * fake_count, seed + 1)
    fake = fake[fake.labels < 8].vectors[:fake_count] * 1.1
    return real.vectors.double(), fake.double()


def radii(points: np.ndarray, k: int) -> np.ndarray:
    """Distance to the k-th other neighbour, by scikit-learn."""
    search = NearestNeighbors(n_neighbors=k, algorithm="ball_tree").fit(points)
    return search.kneighbors()[0][:, -1]  # without an argument, a point is not its own neighbour


def inside(points: np.ndarray, centres: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """Whether each point (row) lies within the radius of each centre (column)."""
    return np.linalg.norm(points[:, None] - centres[None], axis=2) <= radius


@pytest.mark.parametrize("counts", [(300, 300), (200, 300), (300, 120)])
def test_precision_and_recall_agree_with_scikit_learn(counts):
    real, fake = some_pair(0, *counts)
    first, second = real.numpy(), fake.numpy()
    precision = inside(second, first, radii(first, 3)).any(axis=1).mean()
    recall = inside(first, second, radii(second, 3)).any(axis=1).mean()
    assert neighbours.precision_recall(real, fake) == pytest.approx((precision, recall), rel=1e-6)
    assert precision != recall  # so that exchanged roles would be seen


@pytest.mark.parametrize("counts", [(300, 300), (200, 300), (300, 120)])
def test_density_and_coverage_agree_with_scikit_learn(counts):
    real, fake = some_pair(2, *counts)
    within = inside(fake.numpy(), real.numpy(), radii(real.numpy(), 5))
    expected = within.sum() / (5 * len(fake)), within.any(axis=0).mean()
    assert neighbours.density_coverage(real, fake) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("block", [7, 30, 299, 10_000])
def test_the_size_of_the_blocks_does_not_matter(block):
    real, fake = some_pair(4)
    for score in (neighbours.precision_recall, neighbours.density_coverage):
        assert score(real, fake, block=block) == pytest.approx(score(real, fake), rel=1e-6)
    for distances, expected in (
        (neighbours.nearest_others(real, 2, block)[:, 1], radii(real.numpy(), 2)),
        (neighbours.nearest_others(real, 2, block)[:, 0], radii(real.numpy(), 1)),
        (
            neighbours.nearest_distance(fake, real.float(), block),
            np.linalg.norm(fake.numpy()[:, None] - real.numpy()[None], axis=2).min(axis=1),
        ),
    ):
        np.testing.assert_allclose(distances.numpy(), expected, rtol=1e-6)


@pytest.mark.parametrize("entries", [3, 128])
def test_precision_and_recall_are_those_of_torch_fidelity(entries):
    generator = torch.Generator().manual_seed(entries)
    real, fake = torch.randn(2, 700, entries, generator=generator)
    theirs = prc_features_to_metric(fake * 1.1, real, prc_neighborhood=3, verbose=False)
    expected = float(theirs[KEY_METRIC_PRECISION]), float(theirs[KEY_METRIC_RECALL])
    both = neighbours.precision_recall(real, fake * 1.1)
    assert both == pytest.approx(expected, rel=1e-6)  # theirs is a float32


def test_distances_are_those_of_numpy():
    points, others = clusters(40, 3).vectors + 1000, clusters(30, 4).vectors + 1000
    expected = np.linalg.norm(others.double().numpy()[:, None] - points.double().numpy(), axis=2)
    nearest = neighbours.nearest_distance(others, points)
    assert nearest.dtype == torch.float64
    np.testing.assert_allclose(nearest.numpy(), expected.min(axis=1), rtol=1e-6)


class LargestTensor(TorchDispatchMode):
    """Notes the largest tensor that any operator returns, in entries."""

    def __init__(self):
        super().__init__()
        self.entries = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        outcome = func(*args, **(kwargs or {}))
        if isinstance(outcome, torch.Tensor):
            self.entries = max(self.entries, outcome.numel())
        return outcome


@pytest.mark.parametrize(
    "score",
    [
        neighbours.precision_recall,
        neighbours.density_coverage,
        clipped_density_coverage,
        duplicates,
        lambda real, fake: memorisation(real.repeat(3, 1), fake, fake, limit=900),
    ],
)
def test_distances_are_computed_in_blocks_and_never_all_at_once(score):
    count = 1700
    real, fake = (
        torch.from_numpy(np.random.default_rng(seed).random((count, 4))) for seed in (0, 1)
    )
    with LargestTensor() as largest:
        score(real, fake)
    assert largest.entries <= 500 * count


def flops_of(work):
    with FlopCounterMode(display=False) as counter:
        outcome = work()
    return counter.get_total_flops(), outcome


def test_known_nearest_distances_change_nothing_and_save_their_products():
    real, fake = some_pair(5)
    nearest = neighbours.nearest_others(real, 7)
    known = {"real_nearest": nearest, "fake_nearest": neighbours.nearest_others(fake, 7)}
    entries = real.shape[1] + 2  # squared lengths stand beside each vector
    across = 2 * len(real) * len(fake) * entries  # one product of all pairs
    for score, given, passes in (
        (neighbours.density_coverage, {"real_nearest": nearest}, 1),
        (neighbours.precision_recall, known, 1),
        (duplicates, known, 0),
    ):
        flops, outcome = flops_of(lambda score=score, given=given: score(real, fake, **given))
        assert flops == passes * across
        more, expected = flops_of(lambda score=score: score(real, fake))
        assert outcome == expected
        assert more > flops


@pytest.mark.parametrize("entries", [1, 3, 130])
def test_equal_points_are_at_distance_zero_whatever_their_length(entries):
    points = torch.from_numpy(np.random.default_rng(0).normal(300, 50, (600, entries)))
    twice = torch.cat([points, points])
    assert (neighbours.nearest_others(twice, 1) == 0).all()
    assert (neighbours.nearest_distance(points, points.flip(0)) == 0).all()
    assert (neighbours.nearest_others(points[:9], 1) > 0).all()


def lines(steps: float, count: int = 60):
    """Ten real points one apart on a line in some direction, and two that lie `steps` beyond."""
    for seed in range(count):
        random = np.random.default_rng(seed)
        direction, origin = random.standard_normal(24), random.normal(0, 20, 24)
        direction /= np.linalg.norm(direction)
        places = [np.arange(10.0), np.array([-steps, 9 + steps])]
        yield [torch.from_numpy(origin + part[:, None] * direction) for part in places]


def test_a_point_on_the_border_of_a_neighbourhood_is_inside_however_sums_are_rounded():
    for real, fake in lines(1.0):  # all radii are 1
        precision, _ = neighbours.precision_recall(real, fake, k=1)
        density, coverage = neighbours.density_coverage(real, fake, k=1)
        assert (precision, density, coverage) == (1, 1, 0.2)
    for real, fake in lines(1.00001):
        precision, _ = neighbours.precision_recall(real, fake, k=1)
        density, coverage = neighbours.density_coverage(real, fake, k=1)
        assert (precision, density, coverage) == (0, 0, 0)


def test_a_real_point_on_the_border_of_a_generated_neighbourhood_is_recalled():
    for fake, real in lines(1.0):
        assert neighbours.precision_recall(real, fake, k=1)[1] == 1
    for fake, real in lines(1.00001):
        assert neighbours.precision_recall(real, fake, k=1)[1] == 0


def test_neighbourhoods_of_equal_real_points_hold_what_equals_them_and_nothing_else():
    real = torch.from_numpy(np.random.default_rng(1).normal(0, 30, (1, 40))).repeat(20, 1)
    near = real + 1e-3
    assert neighbours.precision_recall(real, real) == (1, 1)
    assert neighbours.precision_recall(real, near) == (0, 0)
    assert neighbours.density_coverage(real, near) == (0, 0)


def test_features_that_are_all_zero_are_inside_each_others_neighbourhoods():
    real, fake = torch.zeros(20, 4), torch.zeros(20, 4)
    assert neighbours.precision_recall(real, fake) == (1, 1)
    assert neighbours.density_coverage(real, fake) == (20 / 5, 1)
    assert duplicates(real, fake) == 1


def test_images_as_close_as_the_closest_real_ones_are_near_duplicates():
    for real, _ in lines(1.0):  # each nearest other one is exactly 1 away
        evenly = real + 0.37 * (real[1] - real[0])
        assert duplicates(real, evenly) == 1
        assert duplicates(real, real[0] + 1.00001 * (evenly - real[0])) == 0


def test_missing_classes_lower_recall_and_coverage_but_not_precision_and_density():
    real, other = clusters(1000, 6), clusters(1000, 7)
    few = other[other.labels < 3]
    precision, recall = neighbours.precision_recall(real.vectors.double(), few.vectors.double())
    density, coverage = neighbours.density_coverage(real.vectors.double(), few.vectors.double())
    assert precision > 0.6
    assert density > 0.9
    assert recall < 0.31
    assert coverage < 0.31


def test_one_repeated_image_is_precise_and_recalls_nothing():
    real = clusters(500, 8)
    repeated = real.repeat(0, 500).vectors.double()  # a real image, so surely among the real ones
    precision, recall = neighbours.precision_recall(real.vectors.double(), repeated)
    _, coverage = neighbours.density_coverage(real.vectors.double(), repeated)
    assert precision == 1
    assert recall <= 2 / 500
    assert coverage <= 0.05


def test_too_few_images_for_a_neighbourhood_have_no_score():
    few = clusters(3, 9).vectors.double()
    many = clusters(50, 10).vectors.double()
    assert neighbours.precision_recall(many, few) is None
    assert neighbours.precision_recall(few, many) is None
    assert neighbours.density_coverage(few, many) is None
    assert neighbours.density_coverage(many[:5], many) is None  # each has four others
    assert neighbours.density_coverage(many[:6], many) is not None
    assert neighbours.density_coverage(many, few) is not None  # one generated image would do


def test_counts_are_made_equal_by_a_seeded_choice():
    real, fake = torch.arange(50.0)[:, None], torch.arange(30.0)[:, None]
    chosen, everything = neighbours.equal_counts(real, fake, seed=1)
    again, _ = neighbours.equal_counts(real, fake, seed=1)
    other, _ = neighbours.equal_counts(real, fake, seed=2)
    assert len(chosen) == len(everything) == len(set(chosen[:, 0].tolist())) == 30
    assert torch.equal(chosen, again)
    assert not torch.equal(chosen, other)
    assert torch.equal(everything, fake)
    assert len(neighbours.equal_counts(real, fake, seed=1, limit=8)[1]) == 8
    rows, others = neighbours.equal_counts(real, real, seed=1, limit=8)
    assert not torch.equal(rows, others)  # each kind has a choice of its own


def test_bad_features_are_refused():
    real, fake = some_pair()
    broken = fake.clone()
    broken[0, 0] = math.inf
    for score in (neighbours.precision_recall, neighbours.density_coverage):
        with pytest.raises(ValueError, match="generated features hold NaN or infinity in 1 of 300"):
            score(real, broken)
        with pytest.raises(ValueError, match="16 entries per image and generated ones 4"):
            score(real, fake[:, :4])
        with pytest.raises(ValueError, match="expected floating-point"):
            score(real.long(), fake)
