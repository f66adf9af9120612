import csv
import io
import itertools
import math

import numpy as np
import pytest
import results_doubles as doubles
from scipy import integrate, stats

from ganbench.report.comparison.contrasts import contrast, corrected
from ganbench.report.comparison.ranking import ranking_csv, rankings_of
from ganbench.report.comparison.statistics import (
    detectable,
    holm,
    paired_difference,
    power,
    seeds_needed,
)
from ganbench.report.gather import gather


def by_seed(*values):
    return dict(enumerate(values))


# --- Numbers ---


def test_a_difference_is_taken_seed_by_seed_over_the_seeds_that_both_have():
    difference = paired_difference(
        {0: 10.0, 1: 21.0, 2: 33.0, 7: 1.0}, {2: 30.0, 1: 20.0, 0: 8.0, 9: 5.0}
    )
    assert difference.estimate.n == 3
    assert difference.estimate.mean == pytest.approx(2.0)
    t = 2.0 / (1.0 / math.sqrt(3))
    assert difference.p_value == pytest.approx(2 * stats.t.sf(t, 2))
    assert difference.test == "paired t"


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
    assert (difference.estimate.mean, difference.p_value) == (-3.0, None)


def test_equal_differences_are_judged_by_flipping_signs():
    sums = [sum(signs) for signs in itertools.product([-1, 1], repeat=4)]
    wanted = sum(abs(total) >= 4 for total in sums) / len(sums)
    difference = paired_difference(by_seed(10, 10, 10, 10), by_seed(9, 9, 9, 9))
    assert (difference.p_value, difference.test) == (wanted, "sign flip")
    assert paired_difference(by_seed(1, 2, 3), by_seed(1, 2, 3)).p_value == 1.0
    rounded = paired_difference(by_seed(40.0, 40.7, 41.0), by_seed(10.2, 10.9, 11.2))
    assert rounded.test == "sign flip"


def test_holm_corrects_as_in_a_worked_example():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def holm_by_its_definition(p_values):
    """Each p-value times the number of those no smaller, made monotonic (Holm 1979)."""
    ranked = sorted(p_values)
    steps = [min(1.0, (len(ranked) - rank) * p) for rank, p in enumerate(ranked)]
    return [max(steps[: ranked.index(p) + 1]) for p in p_values]


@pytest.mark.parametrize("count", [1, 2, 7, 60])
def test_holm_follows_its_definition(count):
    p_values = list(np.random.default_rng(count).random(count) ** 3)
    assert holm(p_values) == pytest.approx(holm_by_its_definition(p_values), rel=1e-9)


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


def test_more_pairs_or_fewer_seeds_detect_only_larger_differences():
    assert detectable(1.0, 5) < detectable(1.0, 5, pairs=10) < detectable(1.0, 3, pairs=10)
    assert detectable(1.0, 1) is None
    assert detectable(0.0, 5) is None


def test_the_seeds_needed_are_the_fewest_with_enough_power():
    needed = seeds_needed(1.0, 1.0)
    assert needed == 10  # as tables of the paired t-test have it
    assert power(1.0, needed) >= 0.8 > power(1.0, needed - 1)
    assert seeds_needed(0.0, 1.0) is None
    assert seeds_needed(0.001, 1.0) is None
    assert seeds_needed(5.0, 0.0) == 6  # 2**(1 - 6) is the first below 0.05


# --- Verdicts and sentences ---


def contrasted(name, first, second, backbone="classifier"):
    (item,) = corrected([contrast(name, backbone, ("a", by_seed(*first)), ("b", by_seed(*second)))])
    return item


@pytest.mark.parametrize(
    ("name", "first", "verdict"),
    [
        ("fid", (1.0, 1.1, 0.9), "better"),
        ("fid", (9.0, 9.1, 8.8), "worse"),
        ("recall", (9.0, 9.1, 8.8), "better"),
        ("density", (6.5, 6.6, 6.3), "worse"),
        ("memorisation", (1.1, 0.9, 1.0), "better"),
    ],
)
def test_the_verdict_follows_the_direction_of_the_score(name, first, verdict):
    item = contrasted(name, first, (5.0, 5.0, 5.1))
    assert item.verdict == verdict
    best, other = ("a", "b") if verdict == "better" else ("b", "a")
    assert item.sentence.startswith(f"{best} is better than {other} on ")


def test_a_resolved_sentence_names_the_backbone_and_the_difference():
    item = contrasted("fid", (1.0, 1.1, 0.9), (5.0, 5.0, 5.1))
    assert item.sentence.startswith("a is better than b on FID (classifier) (difference 4.03, ")
    assert "3 seeds" in item.sentence


def test_an_unresolved_sentence_says_how_many_seeds_would_do():
    item = contrasted("fid", (1.0, 3.0, 2.0), (2.0, 1.5, 4.5))
    assert item.verdict == "not resolved"
    assert f"not resolved at 3 seeds; about {item.seeds_needed} would be needed" in item.sentence
    assert item.seeds_needed > 3


def test_one_seed_resolves_nothing_and_says_so():
    item = contrasted("fid", (1.0,), (100.0,))
    assert (item.verdict, item.p_holm, item.seeds_needed) == ("not resolved", None, None)
    assert "one seed" in item.sentence


def test_what_is_equal_in_every_seed_is_called_no_difference():
    assert contrasted("modes_covered", (10, 10), (10, 10)).sentence.endswith(
        "no difference at 2 seeds"
    )


def test_many_pairs_tested_together_raise_the_bar():
    one = contrast("fid", "", ("a", by_seed(1.0, 1.2, 0.9)), ("b", by_seed(1.9, 2.0, 2.2)))
    (alone,) = corrected([one])
    together = corrected([one] * 10)
    assert alone.verdict == "better"
    assert {item.verdict for item in together} == {"not resolved"}
    assert together[0].p_holm == pytest.approx(10 * alone.p_value)


# --- Rankings ---


@pytest.fixture
def results(tmp_path):
    runs = [
        doubles.result(variant, seed, scores={"fid": fid, "recall": None})
        for variant, fids in {
            "mlp": (40.0, 40.5, 41.0),
            "dcgan": (10.0, 10.8, 11.0),
            "texthash": (10.3, 10.6, 11.2),
        }.items()
        for seed, fid in enumerate(fids)
    ]
    return gather([doubles.write(tmp_path, runs, files=False)])


def test_variants_are_ordered_from_the_best_to_the_worst(results):
    (group,) = results.groups
    rankings = {ranking.heading: ranking for ranking in rankings_of(group)}
    assert [label for label, _ in rankings["FID (classifier) ↓"].order] == [
        "dcgan",
        "texthash",
        "mlp",
    ]
    assert rankings["Training images/s ↑"].order[0][0] == "mlp"
    assert rankings["FID (classifier) ↓"].resolved == "2 of 3"
    assert len(rankings["FID (classifier) ↓"].sentences) == 3


def test_ranking_csv_has_one_row_per_pair_and_score(results):
    rows = list(csv.DictReader(io.StringIO(ranking_csv(results))))
    fid = [row for row in rows if row["score"] == "fid"]
    assert [(row["variant_a"], row["variant_b"]) for row in fid] == [
        ("mlp", "dcgan"), ("mlp", "texthash"), ("dcgan", "texthash"),
    ]  # fmt: skip
    assert [row["verdict"] for row in fid] == ["worse", "worse", "not resolved"]
    assert {row["pairs"] for row in fid} == {"3"}
    assert float(fid[0]["difference"]) == pytest.approx(30.0, abs=0.5)
    assert "recall" not in {row["score"] for row in rows}


def test_one_seed_has_no_ranking(tmp_path):
    runs = [doubles.result(variant) for variant in ("mlp", "dcgan")]
    results = gather([doubles.write(tmp_path, runs, files=False)])
    assert ranking_csv(results) is None
    assert rankings_of(results.groups[0]) == []
