import math

import numpy as np
import pytest
from scipy import stats

from ganbench.report.comparison.statistics import estimate, method_for


def test_one_value_has_a_mean_and_no_interval():
    summary = estimate([3.5])
    assert (summary.n, summary.mean, summary.std, summary.low, summary.high) == (
        1,
        3.5,
        None,
        None,
        None,
    )
    assert summary.method == "none"


def test_no_value_has_no_estimate_and_empty_ones_are_left_out():
    assert estimate([]) is None
    assert estimate([None, None]) is None
    assert estimate([None, 2.0, 4.0]).n == 2


def test_below_ten_values_the_interval_is_students_t():
    values = [1.0, 2.0, 4.0]
    summary = estimate(values)
    mean, std = sum(values) / 3, math.sqrt(sum((v - 7 / 3) ** 2 for v in values) / 2)
    half = 4.302652729911275 * std / math.sqrt(3)  # the table's t for 2 degrees of freedom
    assert summary.method == "t"
    assert summary.std == pytest.approx(std)
    assert (summary.low, summary.high) == pytest.approx((mean - half, mean + half))


def test_from_ten_values_on_the_interval_is_the_bootstrap_and_leans_with_skewed_values():
    values = np.random.default_rng(1).exponential(size=30)
    summary = estimate(values)
    assert summary.method == "bootstrap BCa"
    assert summary.high - summary.mean > summary.mean - summary.low
    symmetric = stats.t.interval(0.95, 29, loc=summary.mean, scale=summary.std / math.sqrt(30))
    assert summary.low > symmetric[0]
    assert summary.high > symmetric[1]


def test_the_same_values_give_the_same_interval_again():
    values = list(np.random.default_rng(2).normal(size=12))
    assert estimate(values) == estimate(values)


@pytest.mark.parametrize("count", [2, 12])
def test_equal_values_have_an_interval_without_width(count):
    summary = estimate([10.0] * count)
    assert (summary.mean, summary.std, summary.low, summary.high) == (10.0, 0.0, 10.0, 10.0)
    assert summary.method == method_for(count)


def test_an_interval_ends_where_the_number_cannot_be():
    free, bounded = estimate([0.9, 0.99]), estimate([0.9, 0.99], (0.0, 1.0))
    assert free.high > 1.0
    assert (bounded.low, bounded.high) == (free.low, 1.0)
    assert bounded.mean == free.mean


def test_about_95_of_100_intervals_hold_the_true_mean():
    random = np.random.default_rng(3)
    means = [estimate(random.normal(5.0, 2.0, 5)) for _ in range(400)]
    assert sum(e.low <= 5.0 <= e.high for e in means) / 400 == pytest.approx(0.95, abs=0.03)
