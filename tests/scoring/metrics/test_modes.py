"""Class histograms, within-class diversity and prompt alignment."""

import math

import numpy as np
import pytest
import torch
from metrics_doubles import certain, clusters
from scipy.stats import entropy

from ganbench.scoring.metrics.diversity import class_diversity
from ganbench.scoring.metrics.modes import COVERED_STRICT, Modes
from ganbench.scoring.metrics.prompt_alignment import prompt_alignment


def labels(*counts: int) -> torch.Tensor:
    return torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))


def modes(fake_counts, real_counts, probability: float = 0.9) -> Modes:
    named = certain(labels(*fake_counts), len(fake_counts), probability)
    return Modes.of(named, labels(*real_counts))


def test_a_class_is_covered_from_a_tenth_of_its_real_share():
    histograms = modes(
        (10, 9, 981), (100, 100, 800)
    )  # shares 0.010, 0.009; a tenth of 0.1 is 0.010
    assert histograms.covered().tolist() == [True, False, True]
    assert histograms.total == 3


def test_a_class_is_strictly_covered_from_half_of_its_real_share():
    histograms = modes((50, 49, 901), (100, 100, 800))
    assert histograms.covered(COVERED_STRICT).tolist() == [True, False, True]


def test_images_that_the_judge_is_unsure_of_cover_nothing_but_count_in_the_histogram():
    sure = modes((50, 50, 0), (50, 50, 0), probability=0.5)
    unsure = Modes.of(certain(labels(50, 50, 0), 3, 0.49), labels(50, 50, 0))
    assert sure.covered().tolist() == [True, True, False]
    assert not unsure.covered().any()
    assert unsure.fake.tolist() == [0.5, 0.5, 0]


def test_images_outside_the_distribution_cover_nothing_and_have_no_class():
    named = certain(labels(50, 50, 0), 3, 0.9)
    inside = torch.arange(100) < 75  # half of the second class is outside
    histograms = Modes.of(named, labels(50, 50, 0), inside)
    assert histograms.fake.tolist() == [0.5, 0.25, 0]
    assert histograms.confident.tolist() == [0.5, 0.25, 0]
    assert histograms.outside == pytest.approx((0.25 - 0.01) / 0.99)
    nothing = Modes.of(named, labels(50, 50, 0), torch.zeros(100, dtype=torch.bool))
    assert not nothing.covered().any()
    assert (nothing.outside, nothing.entropy) == (1, 0)
    assert nothing.kl == pytest.approx(math.log(3))


def test_as_many_images_outside_as_real_ones_have_change_neither_divergence_nor_entropy():
    counts, real = labels(30, 50, 20), labels(10, 60, 20)
    order = torch.randperm(100, generator=torch.Generator().manual_seed(0))
    named = certain(counts.repeat(10), 3)
    inside = torch.ones(1000, dtype=torch.bool)
    inside[order[:10]] = False
    histograms = Modes.of(named, real, inside)
    kept = np.bincount(counts.repeat(10)[inside].numpy())
    assert histograms.outside == pytest.approx(0)
    assert histograms.kl == pytest.approx(entropy(kept, [10, 60, 20]), rel=1e-9)
    assert histograms.entropy == pytest.approx(entropy(kept), rel=1e-9)


def test_divergence_of_balanced_classes_and_entropy_make_up_the_logarithm_of_the_classes():
    inside = torch.arange(200) % 5 > 1
    histograms = Modes.of(certain(labels(80, 70, 50), 3), labels(5, 5, 5), inside)
    assert histograms.kl + histograms.entropy == pytest.approx(math.log(3))


def test_divergence_and_entropy_agree_with_scipy():
    histograms = modes((30, 50, 20, 0), (10, 60, 20, 10))
    assert histograms.kl == pytest.approx(entropy([30, 50, 20, 0], [10, 60, 20, 10]), rel=1e-12)
    assert histograms.entropy == pytest.approx(entropy([30, 50, 20, 0]), rel=1e-12)


def test_one_class_alone_is_at_the_floor():
    histograms = modes((0, 100, 0, 0, 0), (20, 20, 20, 20, 20))
    assert int(histograms.covered().sum()) == 1
    assert histograms.kl == pytest.approx(math.log(5))
    assert histograms.entropy == 0


def test_a_class_without_real_images_is_no_mode_and_keeps_the_divergence_finite():
    histograms = modes((50, 50), (100, 0))
    assert histograms.total == 1
    assert histograms.covered().tolist() == [True, False]
    real = np.array([100, 0.5])  # the class is taken for one of half an image
    assert histograms.kl == pytest.approx(entropy([0.5, 0.5], real / real.sum()))


def test_a_dataset_of_one_class_has_one_mode():
    histograms = modes((7,), (9,))
    assert (histograms.total, histograms.kl, histograms.entropy) == (1, 0, 0)
    assert histograms.covered().tolist() == [True]


def test_labels_and_probabilities_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="classes 0 to 1"):
        Modes.of(certain(labels(2, 2), 2), labels(1, 1, 1))
    with pytest.raises(ValueError, match="empty"):
        Modes.of(certain(labels(2, 2), 2), labels(0))
    with pytest.raises(ValueError, match="NaN"):
        Modes.of(torch.full((3, 2), math.nan), labels(2, 2))
    with pytest.raises(ValueError, match="one integer for each of 2"):
        prompt_alignment(certain(labels(1, 1)), torch.zeros(2))
    with pytest.raises(ValueError, match="probabilities of prompted images hold NaN"):
        prompt_alignment(torch.full((2, 2), math.nan), labels(1, 1))


def class_spread(fake, real, *, covered=None) -> float | None:
    every = torch.ones(10, dtype=torch.bool)
    return class_diversity(
        real.vectors, real.labels, fake.vectors, fake.labels, every if covered is None else covered
    )


def test_held_out_images_are_about_as_diverse_as_real_ones():
    assert 0.95 < class_spread(clusters(2000, 1), clusters(2000, 0)) <= 1


def test_diversity_of_a_class_larger_than_a_block_is_the_ratio_of_its_deviations():
    random = np.random.default_rng(3)
    real, fake = random.normal(50, 2, (5000, 3)), random.normal(50, 1, (4500, 3))
    diversity = class_diversity(
        torch.from_numpy(real).float(), torch.zeros(5000, dtype=torch.int64),
        torch.from_numpy(fake).float(), torch.zeros(4500, dtype=torch.int64), torch.tensor([True]),
    )  # fmt: skip
    expected = np.sqrt(fake.var(axis=0, ddof=1).sum() / real.var(axis=0, ddof=1).sum())
    assert diversity == pytest.approx(expected, rel=1e-6)


def test_diversity_is_the_ratio_of_the_spreads_that_images_have():
    real, fake = clusters(2000, 0), clusters(2000, 0)
    centres = torch.stack([real.vectors[real.labels == label].mean(dim=0) for label in range(10)])
    closer = centres[fake.labels] + 0.3 * (fake.vectors - centres[fake.labels])
    assert class_spread(type(fake)(closer, fake.probabilities, fake.labels), real) == pytest.approx(
        0.3, rel=1e-5
    )


def test_classes_that_are_missing_or_uncovered_count_nothing():
    real = clusters(2000, 0)
    half = real[real.labels < 5]
    assert class_spread(half, real) == pytest.approx(0.5)
    covered = torch.arange(10) < 3
    assert class_spread(real, real, covered=covered) == pytest.approx(0.3)


def test_a_class_that_scatters_does_not_make_up_for_a_missing_one():
    real = clusters(2000, 0)
    half = real[real.labels < 5]
    wide = type(half)(half.vectors * 10, half.probabilities, half.labels)
    assert class_spread(wide, real) == pytest.approx(0.5)


def test_one_repeated_image_has_no_diversity():
    real = clusters(500, 0)
    assert class_spread(real.repeat(3, 500), real) == pytest.approx(0, abs=1e-9)


def test_diversity_needs_a_class_of_two_unlike_real_images():
    real = clusters(10, 0)
    assert class_spread(clusters(500, 1), real) is None


def test_the_unit_of_the_features_does_not_matter_for_diversity():
    real, fake = clusters(2000, 0), clusters(2000, 1)
    small = [type(one)(one.vectors / 1000, one.probabilities, one.labels) for one in (fake, real)]
    assert class_spread(*small) == pytest.approx(class_spread(fake, real), rel=1e-5)


def test_two_images_of_a_class_have_a_spread():
    named, covered = torch.zeros(2, dtype=torch.int64), torch.tensor([True])
    real, fake = torch.tensor([[0.0], [4.0]]), torch.tensor([[9.0], [10.0]])
    assert class_diversity(real, named, fake, named, covered) == pytest.approx(1 / 4)


def test_features_and_labels_that_do_not_fit_have_no_diversity():
    real, fake = clusters(50, 0), clusters(40, 1)
    every = torch.ones(10, dtype=torch.bool)
    broken = fake.vectors.clone()
    broken[3] = math.nan
    with pytest.raises(ValueError, match="generated features hold NaN"):
        class_diversity(real.vectors, real.labels, broken, fake.labels, every)
    with pytest.raises(ValueError, match="generated labels run from 1 to 10"):
        class_diversity(real.vectors, real.labels, fake.vectors, fake.labels + 1, every)


def test_only_images_in_the_distribution_spread_a_class():
    real, fake = clusters(2000, 0), clusters(2000, 1)
    inside = torch.arange(2000) % 3 > 0
    fake.vectors[~inside] *= 50
    every = torch.ones(10, dtype=torch.bool)
    spread = class_diversity(real.vectors, real.labels, fake.vectors, fake.labels, every, inside)
    assert spread == pytest.approx(class_spread(fake[inside], real))
    nothing = torch.zeros(2000, dtype=torch.bool)
    assert (
        class_diversity(real.vectors, real.labels, fake.vectors, fake.labels, every, nothing) == 0
    )


def test_alignment_is_the_share_of_images_of_the_class_asked_for():
    named = certain(torch.tensor([0, 1, 2, 2]))
    assert prompt_alignment(named, torch.tensor([0, 1, 2, 3])) == 0.75
    inside = torch.tensor([True, False, True, True])
    assert prompt_alignment(named, torch.tensor([0, 1, 2, 3]), inside) == 0.5


# --- Stacked digits ---


def test_by_the_published_protocol_one_image_finds_a_class_however_unsure():
    counted = Modes.by_argmax(certain(labels(97, 1, 2, 0), 4, 0.3))
    assert counted.found.tolist() == [True, True, True, False]
    assert counted.total == 4
    assert counted.kl == pytest.approx(entropy([97, 1, 2, 0], [25] * 4))
    assert counted.entropy == pytest.approx(entropy([97, 1, 2, 0]))


def test_by_the_published_protocol_one_class_alone_is_as_far_from_all_as_can_be():
    assert Modes.by_argmax(certain(labels(50, 0, 0), 3)).kl == pytest.approx(math.log(3))
    assert Modes.by_argmax(certain(labels(50, 50, 50), 3)).kl == pytest.approx(0, abs=1e-12)
