"""Contrasts: verdicts, and the sentences that say them."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from scipy import optimize, stats
from statsmodels.stats.power import TTestPower

from ganbench.report.columns import COUNTS, SPEED
from ganbench.report.comparison.contrasts import Side, contrast, is_ranked
from ganbench.report.comparison.families import corrected
from ganbench.report.comparison.sentences import sentence_of
from ganbench.report.comparison.statistics import ALPHA

QUANTITIES = {"modes": 10.0, "images": 10_000.0}


def contrasted(name, first, second, heading="FID (classifier)", **sides):
    return corrected([uncorrected(name, first, second, heading, **sides)])[0]


def uncorrected(name, first, second, heading="FID (classifier)", a=None, b=None):
    values = [one if isinstance(one, dict) else dict(enumerate(one)) for one in (first, second)]
    counts = [own or (len(v), len(v)) for own, v in zip((a, b), values, strict=True)]
    sides = [Side(n, v, *c) for n, v, c in zip("ab", values, counts, strict=True)]
    return contrast(name, heading, *sides, QUANTITIES)


@pytest.mark.parametrize(
    ("name", "first", "verdict"),
    [
        ("fid", (1.0, 1.1, 0.9), "better"),
        ("fid", (9.0, 9.1, 8.8), "worse"),
        ("vendi", (9.0, 9.1, 8.8), "better"),
        ("density", (6.5, 6.6, 6.3), "worse"),
        ("memorisation", (1.1, 0.9, 1.0), "better"),
    ],
)
def test_the_verdict_follows_the_direction_of_the_score(name, first, verdict):
    item = contrasted(name, first, (5.0, 5.0, 5.1))
    assert item.verdict == verdict
    best, other = ("a", "b") if verdict == "better" else ("b", "a")
    assert sentence_of(item).startswith(f"{best} is better than {other} on ")


def test_a_collapse_in_every_seed_is_resolved():
    item = contrasted("modes_covered", [10] * 5, [1] * 5, "Modes covered")
    assert item.verdict == "better"
    low, high = item.interval
    assert 8 < low < 9 < high < 10


def test_counts_that_are_set_are_not_compared():
    assert not any(is_ranked(name) for name in (*COUNTS, "modes_total", "train_seconds"))
    assert {name for name in SPEED if is_ranked(name)} >= {"images_per_second", "peak_memory_bytes"}


def test_a_resolved_sentence_names_the_backbone_the_difference_and_its_p_values():
    item = contrasted("fid", (1.0, 1.1, 0.9), (5.0, 5.0, 5.1))
    text = sentence_of(item)
    assert text.startswith("a is better than b on FID (classifier) (difference 4.03, 95% interval ")
    assert "3 seeds" in text
    first, _ = corrected([uncorrected("fid", (1.0, 1.1, 0.9), (5.0, 5.0, 5.1))] * 2)
    assert "97.5% interval" in sentence_of(first)
    assert ", corrected" in sentence_of(first)


def test_an_unresolved_sentence_gives_a_range_of_seeds():
    item = contrasted("fid", (1.0, 3.0, 2.0), (2.0, 3.5, 3.7))
    few, many = item.seeds_needed
    assert 3 < few < many
    assert f"not resolved at 3 seeds; about {few} to {many} seeds would be needed" in sentence_of(
        item
    )
    open_ended = contrasted("fid", (1.0, 3.0, 2.0), (2.0, 1.5, 4.5))
    assert open_ended.seeds_needed[1] is None
    assert f"at least {open_ended.seeds_needed[0]} seeds would be needed" in sentence_of(open_ended)


@pytest.mark.parametrize("tests", [1, 20])
def test_the_seeds_needed_follow_from_the_spread_of_the_differences_not_of_the_seeds(tests):
    """The seeds' own spread is 13 here, that of the differences 0.7."""
    first = [10.0, 20.0, 30.0, 40.0]
    differences = np.array([1.0, 0.2, -0.5, 0.9])
    one = uncorrected("fid", first, list(first + differences))
    few, many = corrected([one] * tests)[0].seeds_needed
    t = differences.mean() / (differences.std(ddof=1) / 2)
    largest = optimize.brentq(lambda shift: stats.nct.cdf(t, 3, shift) - 0.1, t, t + 9) / 2
    wanted = TTestPower().solve_power(largest, alpha=0.05 / tests, power=0.8)
    assert few == max(5, math.ceil(wanted))
    assert many is None  # four such seeds allow that there is no difference at all


def test_means_are_those_of_the_seeds_that_both_have():
    item = contrasted("fid", {0: 1.0, 1: 2.0, 5: 90.0}, {1: 3.0, 0: 5.0, 7: 80.0})
    assert item.seeds == [0, 1]
    assert (item.mean_a, item.mean_b) == (1.5, 4.0)
    assert item.unpaired == ((5,), (7,))


def test_a_score_that_is_best_at_1_is_compared_by_its_distance_from_1():
    item = contrasted("memorisation", (0.5, 0.6, 0.4), (1.6, 1.7, 1.9))
    assert item.paired.mean == pytest.approx(0.5 - (0.6 + 0.7 + 0.9) / 3)


@pytest.mark.parametrize(
    ("name", "most"), [("vendi", 10_000 - 1), ("precision", 1), ("modes_covered", 10)]
)
def test_no_difference_is_larger_than_the_range_of_the_score(name, most):
    assert contrasted(name, (0.5, 0.6, 0.4), (0.6, 0.7, 0.9)).paired.most == most


def test_a_difference_is_resolved_only_below_the_level():
    item = contrasted("fid", (1.0, 1.1, 0.9), (5.0, 5.0, 5.1))
    assert dataclasses.replace(item, p_holm=ALPHA).verdict == "not resolved"
    assert dataclasses.replace(item, p_holm=ALPHA - 1e-9).verdict == "better"


def test_what_was_resolved_needs_no_seeds():
    assert contrasted("fid", (1.0, 1.1, 0.9), (5.0, 5.0, 5.1)).seeds_needed == (None, None)


def test_one_seed_resolves_nothing_and_says_so():
    item = contrasted("fid", (1.0,), (100.0,))
    assert (item.verdict, item.p_holm, item.seeds_needed) == ("not resolved", None, (None, None))
    assert "one seed" in sentence_of(item)


def test_what_is_equal_in_every_seed_is_called_no_difference_and_has_no_interval_without_width():
    counted = contrasted("modes_covered", (10, 10), (10, 10))
    assert "no difference at 2 seeds" in sentence_of(counted)
    assert counted.interval[0] < 0 < counted.interval[1]
    continuous = contrasted("mode_kl", (2.3, 2.3), (2.3, 2.3))
    assert continuous.interval is None
    assert "interval" not in sentence_of(continuous)


def test_a_difference_that_the_bounds_do_not_allow_is_not_detectable():
    assert contrasted("precision", (0.1, 0.9, 0.4), (0.9, 0.2, 0.3)).detectable is None
    assert contrasted("precision", (0.50, 0.51, 0.49), (0.9, 0.91, 0.92)).detectable < 1


def test_many_tests_together_raise_the_bar():
    one = uncorrected("fid", (1.0, 1.2, 0.9), (1.9, 2.0, 2.2))
    (alone,) = corrected([one])
    together = corrected([one] * 10)
    assert alone.verdict == "better"
    assert {item.verdict for item in together} == {"not resolved"}
    assert together[0].p_holm == pytest.approx(10 * alone.paired.p_value)


def test_more_seeds_are_needed_where_more_is_tested_together():
    one = uncorrected("fid", (1.0, 3.0, 2.0), (2.0, 3.5, 3.7))
    (few, many), (few_of_20, many_of_20) = (
        corrected([one] * count)[0].seeds_needed for count in (1, 20)
    )
    assert few < few_of_20 < many_of_20
    assert many < many_of_20


def test_a_sentence_names_runs_that_did_not_complete_and_seeds_without_a_partner():
    item = contrasted(
        "fid", (1.0, 1.1, 0.9, 1.0, 1.2), {0: 5.0, 2: 5.0, 4: 5.1}, a=(5, 5), b=(3, 5)
    )
    assert sentence_of(item).endswith(
        "; a completed 5 of 5, b completed 3 of 5 seeds; seeds 1, 3 of a have no partner; "
        "compared on the 3 seeds that both have"
    )
    one = contrasted("fid", (1.0, 1.1), (1.3, 1.1, 1.0))
    assert "seed 2 of b has no partner; compared on the 2 seeds that both have" in sentence_of(one)
    assert "partner" not in sentence_of(contrasted("fid", (1.0, 1.1), (1.3, 1.1)))
