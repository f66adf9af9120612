"""Scores beyond the plain ones: Vendi, near-duplicates, memorisation, FID at infinity, KID, IS."""

import math

import numpy as np
import pytest
import scipy.linalg
import torch
from metrics_doubles import clusters, digits
from scipy.special import softmax
from scipy.stats import entropy

from ganbench.scoring.metrics.copies import duplicates, memorisation
from ganbench.scoring.metrics.diversity import vendi
from ganbench.scoring.metrics.fid import Statistics, fid
from ganbench.scoring.metrics.fid_infinity import fid_infinity
from ganbench.scoring.metrics.inception_score import inception_score
from ganbench.scoring.metrics.kid import kid, subset_size


def normal(count: int, entries: int, seed: int, scale: float = 1.0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).standard_normal((count, entries)) * scale)


def test_vendi_counts_unlike_images():
    unlike = torch.eye(6)
    assert vendi(unlike) == pytest.approx(6)
    assert vendi(unlike[[0, 0, 0, 1, 1, 1]]) == pytest.approx(2)
    shares = np.array([3, 1]) / 4  # unequally frequent: the exponential of the entropy
    expected = math.exp(-(shares * np.log(shares)).sum())
    assert vendi(unlike[[0, 0, 0, 1]]) == pytest.approx(expected)


@pytest.mark.parametrize("shape", [(40, 8), (8, 40)])
def test_vendi_agrees_with_the_eigenvalues_of_all_similarities(shape):
    features = normal(*shape, seed=0).numpy()
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    values = np.linalg.eigvalsh(unit @ unit.T / len(unit))
    values = values[values > 1e-12]
    expected = np.exp(-(values * np.log(values)).sum())
    assert vendi(torch.from_numpy(features)) == pytest.approx(expected, rel=1e-6)


def test_vendi_does_not_depend_on_the_length_of_features_and_bears_zeros():
    features = normal(40, 8, seed=1)
    assert vendi(features * 7) == pytest.approx(vendi(features))
    assert vendi(torch.zeros(5, 3)) == 1


def test_vendi_leaves_the_features_as_they_are():
    features = normal(40, 8, seed=1)
    before = features.clone()
    vendi(features)
    assert torch.equal(features, before)


def test_near_duplicates_are_counted_where_images_repeat():
    real, fake = clusters(1000, 0).vectors.double(), clusters(1000, 1).vectors.double()
    assert duplicates(real, fake) < 0.03
    fake[:300] = fake[300:600] + 1e-3 * normal(300, 16, seed=2)
    assert duplicates(real, fake) == pytest.approx(0.6, abs=0.02)


def test_repeated_real_images_do_not_hide_repeated_generated_ones():
    real = clusters(100, 0).vectors.double().repeat(2, 1)
    assert duplicates(real, clusters(200, 1).vectors.double()) == 0
    assert duplicates(real, real[:1].repeat(200, 1)) == 1


def test_near_duplicates_ask_for_equal_counts():
    real = clusters(30, 0).vectors.double()
    with pytest.raises(ValueError, match="30 real and 20 generated images: expected equal counts"):
        duplicates(real, real[:20])
    assert duplicates(real[:1], real[:1]) is None


def test_two_images_can_be_near_duplicates():
    apart, near, far = (torch.tensor([[5.0], [5.0 + gap]]) for gap in (1, 0.5, 2))
    assert (duplicates(apart, near), duplicates(apart, far)) == (1, 0)


def test_near_duplicates_and_memorisation_refuse_features_that_are_no_numbers():
    good = clusters(30, 0).vectors
    bad = good.clone()
    bad[4, 1] = math.nan
    with pytest.raises(ValueError, match="NaN or infinity in 1 of 30 rows"):
        duplicates(good, bad)
    for fake, held_out in ((good, bad), (bad, good)):
        with pytest.raises(ValueError, match="NaN or infinity in 1 of 30 rows"):
            memorisation(good, fake, held_out)


def test_memorisation_is_zero_for_copies_one_for_new_images_and_more_for_noise():
    real, held_out = (split.vectors for split in digits())
    first, second = held_out[::2], held_out[1::2]
    assert memorisation(real, first, second) == pytest.approx(1, abs=0.05)
    assert memorisation(real, real[100:400], held_out) == pytest.approx(0, abs=1e-3)
    assert memorisation(real, real[100:400] + 0.1, held_out) < 0.1
    assert memorisation(real, torch.rand_like(first) * 16, held_out) > 2


def test_memorisation_is_the_ratio_of_the_medians_that_scipy_finds():
    from scipy.spatial import cKDTree

    real, fake, held_out = (clusters(n, s).vectors for n, s in ((200, 0), (101, 1), (99, 2)))
    tree = cKDTree(real.double().numpy())
    medians = [np.median(tree.query(points.double().numpy())[0]) for points in (fake, held_out)]
    assert memorisation(real, fake, held_out) == pytest.approx(medians[0] / medians[1], rel=1e-9)


def test_memorisation_can_be_measured_near_the_training_images_but_not_on_them():
    real = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    beside, farther = (torch.tensor([[1.0, gap]], dtype=torch.float64) for gap in (1e-5, 2e-5))
    assert memorisation(real, farther, beside) == pytest.approx(2, rel=1e-3)
    nothing = torch.zeros(5, 2)
    assert memorisation(nothing, nothing, nothing) is None


def test_memorisation_has_no_answer_where_held_out_images_are_training_images():
    real = clusters(100, 0).vectors
    assert memorisation(real, clusters(50, 1).vectors, real) is None


def test_fid_at_infinity_is_nearer_to_the_true_distance_than_fid():
    entries, shift = 32, 0.5
    unit = torch.eye(entries, dtype=torch.float64)
    exact = Statistics(torch.zeros(entries, dtype=torch.float64), unit, count=10**9)
    errors = []
    for seed in range(5):
        fake = normal(800, entries, seed)
        fake[:, 0] += shift
        biased, extrapolated = fid(exact, Statistics.of(fake)), fid_infinity(exact, fake, seed=seed)
        errors.append((biased - shift**2, extrapolated - shift**2))
    biased_error, extrapolated_error = np.mean(errors, axis=0)
    assert biased_error > 0.2
    assert abs(extrapolated_error) < 0.2 * biased_error


def test_fid_at_infinity_needs_ten_images_an_entry():
    real = Statistics.of(normal(200, 16, 0))
    assert fid_infinity(real, normal(159, 16, 1)) is None
    assert fid_infinity(real, normal(160, 16, 1)) is not None
    narrow = Statistics.of(normal(200, 1, 0))
    assert fid_infinity(narrow, normal(19, 1, 1)) is None  # two for each point of the line
    assert fid_infinity(narrow, normal(20, 1, 1)) is not None


def test_fid_at_infinity_refuses_features_that_are_no_numbers():
    fake = normal(200, 3, 1)
    fake[7, 1] = math.inf
    with pytest.raises(ValueError, match="generated features hold NaN or infinity in 1 of 200"):
        fid_infinity(Statistics.of(normal(200, 3, 0)), fake)


def test_a_seed_that_is_not_given_is_0():
    real, fake = normal(300, 3, 0), normal(300, 3, 1)
    statistics, held_out = Statistics.of(real), normal(300, 3, 2)
    for score in (
        lambda **seed: fid_infinity(statistics, fake, **seed),
        lambda **seed: kid(real, fake, **seed),
        lambda **seed: memorisation(real, fake, held_out, limit=40, **seed),
        lambda **seed: inception_score(normal(1100, 5, 3), **seed),
    ):
        assert score() == score(seed=0) != score(seed=1)


# From a tenth of the images, rounded down, or twice the entries.
@pytest.mark.parametrize(("all_images", "fewest"), [(200, 20), (209, 20), (45, 6)])
def test_each_point_of_fid_at_infinity_has_images_of_its_own_choice(all_images, fewest):
    real, fake = normal(300, 3, 0), normal(all_images, 3, 1, scale=2.0)
    inverses = np.linspace(1 / fewest, 1 / all_images, 10)
    counts = [round(1 / inverse) for inverse in inverses]
    distances = []
    for index, count in enumerate(counts):
        order = torch.randperm(all_images, generator=torch.Generator().manual_seed(7 + index))
        some = fake[order[:count]].numpy()
        moments = [(part.mean(0), np.cov(part, rowvar=False)) for part in (real.numpy(), some)]
        (mean, covariance), (fake_mean, fake_covariance) = moments
        roots = scipy.linalg.sqrtm(covariance @ fake_covariance).real
        spreads = np.trace(covariance + fake_covariance - 2 * roots)
        distances.append(((mean - fake_mean) ** 2).sum() + spreads)
    _, at_infinity = np.polyfit(1 / np.array(counts), distances, 1)
    assert fid_infinity(Statistics.of(real), fake, seed=7) == pytest.approx(at_infinity, rel=1e-6)


def test_kid_agrees_with_the_estimator_written_out():
    real, fake = normal(8, 3, 0), normal(8, 3, 1, scale=2.0)
    size = subset_size(8, 8)
    assert size == 4
    random = np.random.RandomState(0)  # as torch-fidelity chooses
    values = []
    for _ in range(100):
        x = fake.numpy()[random.choice(8, size, replace=False)]
        y = real.numpy()[random.choice(8, size, replace=False)]

        def kernel(a, b):
            return (a @ b / 3 + 1) ** 3

        pairs = [(i, j) for i in range(size) for j in range(size)]
        within = sum(kernel(x[i], x[j]) + kernel(y[i], y[j]) for i, j in pairs if i != j)
        between = sum(kernel(x[i], y[j]) for i, j in pairs)
        values.append(within / (size * (size - 1)) - 2 * between / size**2)
    assert kid(real, fake, seed=0)[0] == pytest.approx(np.mean(values), rel=1e-9)


def discrepancy(x, y):
    """Squared maximum mean discrepancy with the kernel (x @ y / entries + 1)**3, pair by pair."""
    within, across = (x.shape[0] * (x.shape[0] - 1)), x.shape[0] ** 2
    kernels = [(a @ b.T / x.shape[1] + 1) ** 3 for a, b in ((x, x), (y, y), (x, y))]
    own = sum(kernel[~np.eye(len(x), dtype=bool)].sum() for kernel in kernels[:2])
    return own / within - 2 * kernels[2].sum() / across


@pytest.mark.parametrize(("count", "blocks"), [(40, 10), (25, 10), (13, 6)])
def test_the_standard_error_of_kid_is_that_of_the_mean_of_disjoint_blocks(count, blocks):
    real, fake = normal(count + 2, 3, 0), normal(count, 3, 1, scale=2.0)
    dealer = torch.Generator().manual_seed(5)
    dealt = [part[torch.randperm(len(part), generator=dealer)].numpy() for part in (fake, real)]
    size = count // blocks
    rows = [slice(start, start + size) for start in range(0, blocks * size, size)]
    estimates = [discrepancy(*(part[some] for part in dealt)) for some in rows]
    expected = np.std(estimates, ddof=1) / math.sqrt(blocks)
    assert kid(real, fake, seed=5)[1] == pytest.approx(expected, rel=1e-9)


def kid_of_independent_draws(shift, count=120, entries=6, draws=40):
    """Scores with their standard errors, each from images that no other draw has seen."""
    estimates = []
    for seed in range(draws):
        fake = normal(count, entries, 2 * seed + 1)
        fake[:, 0] += shift
        estimates.append(kid(normal(count, entries, 2 * seed), fake, seed=seed))
    scores, errors = np.array(estimates).T
    return scores.std(ddof=1), np.sqrt(np.square(errors).mean())


@pytest.mark.slow
def test_the_standard_error_of_kid_is_the_spread_of_independent_draws():
    spread, standard_error = kid_of_independent_draws(shift=1.0)
    assert standard_error == pytest.approx(spread, rel=0.3)


@pytest.mark.slow
def test_the_standard_error_of_kid_errs_towards_caution_where_nothing_differs():
    spread, standard_error = kid_of_independent_draws(shift=0.0)
    assert spread < standard_error < 4 * spread


def test_the_standard_error_of_kid_does_not_depend_on_the_order_of_the_images():
    real, fake = normal(400, 4, 0), normal(400, 4, 1, scale=1.5)
    in_order = fake[fake[:, 0].argsort()]  # as images that are sorted by class
    expected, reported = (
        np.mean([kid(real, images, seed=seed)[1] for seed in range(4)])
        for images in (fake, in_order)
    )
    assert reported == pytest.approx(expected, rel=0.6)  # undealt, it would be 12 times as large


@pytest.mark.parametrize("count", [4, 5, 19, 21, 1001])
def test_every_count_of_images_that_kid_allows_has_a_standard_error(count):
    _, error = kid(normal(count, 4, 0), normal(count + 3, 4, 1))
    assert 0 < error < math.inf


def test_kid_takes_subsets_of_at_most_half_of_the_images():
    assert subset_size(50_000, 10_000) == 1000
    assert subset_size(50_000, 300) == 150
    assert kid(normal(100, 4, 0), normal(3, 4, 1)) is None


def test_inception_score_runs_from_one_to_the_classes_that_are_surely_named():
    labels = torch.arange(2000) % 8
    sure = 60 * torch.nn.functional.one_hot(labels, 30).double()
    assert inception_score(sure) == pytest.approx(8, rel=0.02)
    assert inception_score(sure[:1].repeat(2000, 1)) == pytest.approx(1)
    assert inception_score(torch.zeros(2000, 30)) == pytest.approx(1)


@pytest.mark.parametrize(("count", "splits"), [(1000, 2), (999, 1), (5500, 10)])
def test_inception_score_is_the_mean_over_shuffled_splits_of_500_images_or_more(count, splits):
    logits = normal(count, 4, 6).sort(dim=0).values  # in order, each split would be of one kind
    order = np.random.RandomState(3).permutation(count)
    shares = softmax(logits.numpy()[order], axis=1)
    parts = np.array_split(shares, splits)  # the counts divide evenly
    expected = [np.exp(entropy(part, part.mean(axis=0)[None], axis=1).mean()) for part in parts]
    assert inception_score(logits, seed=3) == pytest.approx(np.mean(expected), rel=1e-9)


def test_inception_score_refuses_logits_that_are_no_numbers():
    logits = normal(20, 4, 6)
    logits[2, 1] = math.nan
    with pytest.raises(ValueError, match="inception logits hold NaN or infinity in 1 of 20 rows"):
        inception_score(logits)


def test_inception_score_agrees_with_its_formula_on_one_split():
    logits = normal(400, 12, 5, scale=3.0)
    odds = np.exp(logits.numpy())
    shares = odds / odds.sum(axis=1, keepdims=True)
    divergence = (shares * np.log(shares / shares.mean(axis=0))).sum(axis=1).mean()
    assert inception_score(logits) == pytest.approx(np.exp(divergence), rel=1e-9)
