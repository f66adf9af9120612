"""Means with intervals, paired tests and Holm's correction."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from ganbench.report.comparison.statistics import (
    estimate,
    holm,
    method_for,
    paired_difference,
)


def by_seed(*values):
    return dict(enumerate(values))


# --- The mean of one variant ---


def test_one_value_has_a_mean_and_no_interval():
    summary = estimate([3.5])
    assert (summary.n, summary.mean) == (1, 3.5)
    assert (summary.std, summary.low, summary.high, summary.method) == (None, None, None, "none")


def test_no_value_has_no_estimate_and_empty_ones_are_left_out():
    assert estimate([]) is None
    assert estimate([None, None]) is None
    assert estimate([None, 2.0, 4.0]).n == 2


def test_the_interval_is_students_t():
    values = [1.0, 2.0, 4.0]
    summary = estimate(values)
    mean, std = sum(values) / 3, math.sqrt(sum((v - 7 / 3) ** 2 for v in values) / 2)
    half = 4.302652729911275 * std / math.sqrt(3)  # the table's t for 2 degrees of freedom
    assert summary.method == "t"
    assert summary.std == pytest.approx(std)
    assert (summary.low, summary.high) == pytest.approx((mean - half, mean + half))


@pytest.mark.parametrize("n", [10, 30])
def test_many_seeds_have_the_same_interval_as_few(n):
    values = np.random.default_rng(1).exponential(size=n)
    summary = estimate(values)
    expected = stats.t.interval(0.95, n - 1, loc=values.mean(), scale=stats.sem(values))
    assert (summary.low, summary.high) == pytest.approx(expected)
    assert summary.method == method_for(n) == "t"


@pytest.mark.parametrize("value", [2.5, 0.1])  # the sum of three times 0.1 is rounded
def test_equal_values_of_a_continuous_score_have_an_interval_without_width(value):
    summary = estimate([value] * 3)
    assert (summary.mean, summary.std, summary.low, summary.high) == (value, 0.0, value, value)


def test_counts_that_differ_by_one_have_the_spread_that_they_have():
    summary = estimate([9.0, 10.0, 10.0], step=1.0)
    assert summary.mean == pytest.approx(29 / 3)
    assert summary.std == pytest.approx(math.sqrt(1 / 3))


def test_equal_counts_have_the_interval_of_their_rounding_cut_at_the_bounds():
    summary = estimate([10.0] * 5, (0.0, 10.0), step=1.0)
    half = 2.7764451051977987 / math.sqrt(12) / math.sqrt(5)  # the table's t for 4 degrees
    assert (summary.mean, summary.std) == (10.0, 0.0)
    assert summary.low == pytest.approx(10 - half)
    assert summary.high == 10.0


def test_an_interval_ends_where_the_number_cannot_be_but_keeps_its_mean():
    free, bounded = estimate([0.9, 0.99]), estimate([0.9, 0.99], (0.0, 1.0))
    assert free.high > 1.0
    assert (bounded.low, bounded.high) == (free.low, 1.0)
    below = estimate([-0.02, -0.01], (0.0, math.inf))  # unbiased estimates of 0
    assert below.low == below.mean == -0.015


@pytest.mark.parametrize("n", [5, 20])
def test_about_95_of_100_intervals_hold_the_true_mean(n):
    random = np.random.default_rng(3)
    means = [estimate(random.normal(5.0, 2.0, n)) for _ in range(2000)]
    assert sum(e.low <= 5.0 <= e.high for e in means) / 2000 == pytest.approx(0.95, abs=0.014)


# --- The difference of two ---


def test_a_difference_is_taken_seed_by_seed_over_the_seeds_that_both_have():
    difference = paired_difference(
        {0: 10.0, 1: 21.0, 2: 33.0, 7: 1.0}, {2: 30.0, 1: 20.0, 0: 8.0, 9: 5.0}
    )
    assert difference.n == 3
    assert difference.mean == pytest.approx(2.0)
    t = 2.0 / (1.0 / math.sqrt(3))
    assert difference.p_value == pytest.approx(2 * stats.t.sf(t, 2))
    expected = stats.t.interval(0.99, 2, loc=2.0, scale=1 / math.sqrt(3))
    assert difference.interval(0.99) == pytest.approx(expected)


def test_pairing_finds_what_the_spread_of_the_seeds_would_hide():
    random = np.random.default_rng(0)
    seeds = random.normal(0, 10, 6)
    difference = paired_difference(
        by_seed(*(seeds + 1 + random.normal(0, 0.1, 6))), by_seed(*seeds)
    )
    assert difference.p_value < 1e-4


def test_no_common_seed_has_no_difference_and_one_has_no_p_value():
    assert paired_difference({0: 1.0}, {1: 2.0}) is None
    difference = paired_difference({0: 1.0, 1: 2.0}, {1: 5.0})
    assert (difference.mean, difference.p_value, difference.interval(0.95)) == (-3.0, None, None)


def test_the_clearest_collapse_is_resolved_as_well_as_one_that_varies():
    all_lost = paired_difference(by_seed(*[10] * 5), by_seed(*[1] * 5), step=1)
    t = 9 / (1 / math.sqrt(6) / math.sqrt(5))  # the spread of two rounded counts
    assert all_lost.p_value == pytest.approx(2 * stats.t.sf(t, 4))
    assert all_lost.p_value < 2e-6
    nearly = paired_difference(by_seed(*[10] * 5), by_seed(1, 1, 1, 1, 2), step=1)
    assert nearly.p_value == pytest.approx(1.6e-6, rel=0.02)


def test_a_step_between_counts_in_few_seeds_is_no_certainty():
    assert paired_difference(by_seed(10, 10), by_seed(9, 9), step=1).p_value > 0.05
    low, high = paired_difference(by_seed(9, 9, 9), by_seed(9, 9, 9), step=1).interval(0.95)
    assert low < 0 < high


def test_the_interval_of_a_difference_ends_where_the_bounds_do():
    difference = paired_difference(by_seed(10, 1, 10), by_seed(1, 1, 1), step=1, most=10)
    low, high = difference.interval(0.95)
    assert high == 10
    assert low == pytest.approx(6 - 4.302652729911275 * math.sqrt(27 / 3))


def test_differences_of_rounding_are_none():
    equal = paired_difference(by_seed(0.3, 0.3, 0.3), by_seed(*[0.1 + 0.2] * 3))
    assert (equal.mean, equal.p_value, equal.interval(0.95)) == (0.0, 1.0, None)
    apart = paired_difference(by_seed(40.0, 40.7, 41.0), by_seed(10.2, 10.9, 11.2))
    assert apart.p_value < 1e-12


def trials(random, comparisons, seeds, correlation):
    """Counts of covered modes of two equal variants, whose seeds may be alike."""
    shared, *own = random.normal(0, 1, (3, comparisons, seeds))
    return [
        np.clip(np.round(7 + correlation**0.5 * shared + (1 - correlation) ** 0.5 * one), 0, 10)
        for one in own
    ]


@pytest.mark.parametrize("correlation", [0.0, 0.8])
def test_counts_of_equal_variants_are_told_apart_in_at_most_one_of_20_cases(correlation):
    first, second = trials(np.random.default_rng(7), 3000, 5, correlation)
    p_values = [
        paired_difference(by_seed(*a), by_seed(*b), step=1).p_value
        for a, b in zip(first, second, strict=True)
    ]
    assert np.mean(np.array(p_values) < 0.05) <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / 3000)


# --- Holm's correction ---


def test_holm_corrects_as_in_a_worked_example():
    corrected = [item.p_value for item in holm([0.01, 0.04, 0.03, 0.005])]
    assert corrected == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert [item.p_value for item in holm([0.9, 0.8])] == [1.0, 1.0]
    assert holm([]) == []


@pytest.mark.parametrize("count", [1, 2, 7, 60])
def test_holm_gives_the_p_values_of_statsmodels(count):
    p_values = list(np.random.default_rng(count).random(count) ** 3)
    _, expected, *_ = multipletests(p_values, method="holm")
    assert [item.p_value for item in holm(p_values)] == pytest.approx(list(expected))


def test_the_level_of_an_interval_is_that_by_which_the_p_value_was_multiplied():
    first, second = holm([0.01, 0.04])
    assert first.level == pytest.approx(1 - 0.05 / 2)
    assert second.level == pytest.approx(0.95)
    assert holm([0.0, 0.5])[0].level == pytest.approx(1 - 0.05 / 2)
    held_up = holm([0.030, 0.031])[1]  # no smaller than the one before it, 0.06
    assert held_up.level == pytest.approx(1 - 0.05 * 0.031 / 0.06)


@pytest.mark.parametrize(("step", "most"), [(0.0, math.inf), (1.0, 10.0)])
def test_an_interval_excludes_0_exactly_where_its_corrected_p_value_is_below_5_percent(step, most):
    random, outcomes = np.random.default_rng(11), []
    for _ in range(200):
        n, far = int(random.integers(2, 9)), 10 ** random.uniform(-1, 1)
        differences = []
        for shift in far * random.normal(size=8):
            a, b = random.normal(5 + shift, 1, n), random.normal(5, 1, n)
            if step:
                a, b = (np.clip(np.round(one), 0, 10) for one in (a, b))
            differences.append(paired_difference(by_seed(*a), by_seed(*b), step=step, most=most))
        corrections = holm([one.p_value for one in differences])
        for one, correction in zip(differences, corrections, strict=True):
            low, high = one.interval(correction.level)
            outcomes.append(not low <= 0 <= high)
            assert outcomes[-1] == (correction.p_value < 0.05)
    assert 100 < sum(outcomes) < len(outcomes) - 100  # both happen often
