"""Power of a paired t-test, and the seeds that would be needed."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import integrate, stats

from ganbench.report.comparison.power import (
    detectable,
    effect_interval,
    power,
    seeds_needed,
    seeds_range,
)


def power_by_integration(effect, n, alpha):
    """The normal chance to lie beyond the critical value, averaged over the sample's spread."""
    degrees, critical, shift = n - 1, stats.t.isf(alpha / 2, n - 1), effect * math.sqrt(n)

    def density(spread):
        beyond = stats.norm.sf(critical * spread - shift) + stats.norm.cdf(
            -critical * spread - shift
        )
        return beyond * 2 * spread * degrees * stats.chi2.pdf(degrees * spread**2, degrees)

    edges = sorted({0.0, 0.5 * shift / critical, shift / critical, 2 * shift / critical, 1.0, 9.0})
    return sum(
        integrate.quad(density, low, high, epsabs=1e-13, limit=200)[0]
        for low, high in itertools.pairwise(edges)
    )


@pytest.mark.parametrize("n", [2, 3, 5, 30])
@pytest.mark.parametrize("effect", [0.0, 0.1, 1.0, 3.0])
@pytest.mark.parametrize("alpha", [0.05, 0.05 / 45])
def test_power_is_that_of_integration_over_the_samples_spread(n, effect, alpha):
    expected = power_by_integration(effect, n, alpha)
    assert power(effect, n, alpha) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("effect", "n", "alpha"), [(5.0, 3, 0.005), (30.0, 2, 0.0011)])
def test_power_is_a_number_where_one_tail_vanishes(effect, n, alpha):
    expected = power_by_integration(effect, n, alpha)
    assert power(effect, n, alpha) == pytest.approx(expected, abs=1e-9)
    assert power(1e5, 20, alpha) == 1.0


def test_the_detectable_difference_is_found_in_four_of_five_trials():
    random, std, n = np.random.default_rng(1), 3.0, 5
    shift = detectable(std, n)
    trials = random.normal(shift, std, (4000, n))
    significant = stats.ttest_1samp(trials, 0.0, axis=1).pvalue < 0.05
    assert significant.mean() == pytest.approx(0.8, abs=0.025)


def test_more_tests_or_fewer_seeds_detect_only_larger_differences():
    assert detectable(1.0, 5) < detectable(1.0, 5, tests=10) < detectable(1.0, 3, tests=10)
    assert detectable(1.0, 1) is None
    assert detectable(0.0, 5) is None


def test_the_seeds_needed_are_the_fewest_with_enough_power():
    needed = seeds_needed(1.0)
    assert needed == 10  # as tables of the paired t-test have it
    assert power_by_integration(1.0, needed, 0.05) >= 0.8
    assert power_by_integration(1.0, needed - 1, 0.05) < 0.8
    assert seeds_needed(0.0) is None
    assert seeds_needed(0.001) is None


def test_more_seeds_are_needed_where_more_is_tested():
    needed = seeds_needed(1.0, tests=20)
    assert power_by_integration(1.0, needed, 0.05 / 20) >= 0.8
    assert power_by_integration(1.0, needed - 1, 0.05 / 20) < 0.8
    assert needed > seeds_needed(1.0)
    few, many = seeds_range(1.2, 5)
    few_of_20, many_of_20 = seeds_range(1.2, 5, tests=20)
    assert (few_of_20, many_of_20) > (few, many)
    assert many_of_20 > many


def test_the_interval_of_an_effect_is_that_of_the_noncentral_t_distribution():
    low, high = effect_interval(1.2, 5, 0.8)
    t, root = 1.2 * math.sqrt(5), math.sqrt(5)
    assert stats.nct.sf(t, 4, low * root) == pytest.approx(0.1, abs=1e-6)
    assert stats.nct.cdf(t, 4, high * root) == pytest.approx(0.1, abs=1e-6)
    assert effect_interval(-1.2, 5, 0.8) == (-high, -low)


@pytest.mark.parametrize("n", [2, 3, 10, 50])
@pytest.mark.parametrize("effect", [0.0, 1e-9, 0.3, 5.0, 500.0])
def test_an_interval_is_found_for_any_effect(n, effect):
    low, high = effect_interval(effect, n)
    assert low < high
    assert low < effect + 1e-6
    assert high > 0


def test_seeds_that_say_nothing_leave_the_range_open():
    few, many = seeds_range(0.3, 3)
    assert few > 3
    assert many is None  # perhaps there is no difference at all
    assert seeds_range(0.0, 900) == (None, None)  # at best, more than 1000


def test_three_seeds_give_a_range_that_admits_how_little_they_know():
    few, many = seeds_range(2.0, 3)  # an effect for which 5 seeds would do, were it certain
    assert few == 4
    assert many > 40


def test_a_range_holds_more_seeds_than_were_taken_in_vain():
    assert seeds_needed(3.0) < 10  # what ten seeds would nearly always have found
    assert seeds_range(5.0, 10) == (11, 11)


@pytest.mark.parametrize(("n", "effect"), [(3, 0.3), (5, 0.6), (10, 0.6)])
def test_the_range_holds_the_seeds_that_are_truly_needed_in_at_least_four_of_five_cases(n, effect):
    needed, random, cases = seeds_needed(effect), np.random.default_rng(5), 150
    held = 0
    for sample in random.normal(effect, 1.0, (cases, n)):
        few, many = seeds_range(sample.mean() / sample.std(ddof=1), n)
        held += (few or math.inf) <= needed <= (many or math.inf)
    # An effect near 0 may be of either sign, and both tails then fall on its safe side.
    assert 0.8 - 2 * math.sqrt(0.16 / cases) <= held / cases <= 0.97
