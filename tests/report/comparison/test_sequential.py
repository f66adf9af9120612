"""Sequential paired t-tests, against simulations and plain t-tests."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from ganbench.report.comparison.look_levels import (
    any_look_below,
    level_of_each_look,
    sequential_p_value,
)
from ganbench.report.comparison.sequential import (
    Stages,
    equivalence_p_value,
    sequential_difference,
)

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"


@pytest.fixture
def simulation(monkeypatch):
    """The simulation of whole studies that docs/seeds.md reports."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    import studies

    return studies


def stages(first, limit, *counts):
    """Looks at the first seeds of two variants, as many as are given."""
    return Stages(first, limit, tuple((frozenset(range(n)),) * 2 for n in counts))


def by_seed(values):
    return dict(enumerate(map(float, values)))


@pytest.mark.parametrize("sides", [1, 2])
@pytest.mark.parametrize("level", [0.2, 0.02])
def test_the_chance_that_any_look_is_below_a_level_is_that_of_simulated_samples(level, sides):
    drawn = np.random.default_rng(0).normal(0.0, 1.0, (20_000, 7))
    hit = np.zeros(len(drawn), bool)
    for n in range(3, 8):
        tested = stats.ttest_1samp(
            drawn[:, :n], 0.0, axis=1, alternative="greater" if sides == 1 else "two-sided"
        )
        hit |= tested.pvalue < level
    error = math.sqrt(hit.mean() * (1 - hit.mean()) / len(hit))
    assert any_look_below(level, 3, 7, sides) == pytest.approx(hit.mean(), abs=4 * error)


def test_a_single_look_is_a_plain_paired_t_test():
    a, b = [3.0, 4.0, 4.5, 5.5], [2.0, 3.5, 3.0, 4.0]
    paired = sequential_difference(by_seed(a), by_seed(b), stages(4, 4, 4))
    assert paired.p_value == pytest.approx(stats.ttest_rel(a, b).pvalue)
    ends = stats.ttest_rel(a, b).confidence_interval(0.9)
    assert paired.interval(0.9) == pytest.approx((ends.low, ends.high))


def test_a_p_value_pays_for_looks_but_less_than_bonferroni():
    p_value = sequential_p_value(0.004, 3, 8)
    assert 0.004 < p_value < 6 * 0.004
    assert sequential_p_value(0.004, 3, 8) < sequential_p_value(0.004, 3, 12)
    assert sequential_p_value(1.0, 3, 8) == 1.0
    assert 1e-12 < sequential_p_value(1e-12, 3, 8) < 6e-12


def test_the_level_of_each_look_gives_the_level_of_all():
    level = level_of_each_look(0.05, 3, 8)
    assert any_look_below(level, 3, 8) == pytest.approx(0.05, rel=0.005)


def test_the_smallest_p_value_of_all_looks_counts():
    differences = [1.0, 1.01, 0.99, 9.0]  # clear after three, and not after four
    a, b = by_seed(differences), by_seed([0.0] * 4)
    early = sequential_difference(a, b, stages(3, 4, 3))
    both = sequential_difference(a, b, stages(3, 4, 3, 4))
    late = sequential_difference(a, b, stages(3, 4, 4))
    assert early.p_value == both.p_value < late.p_value
    assert both.n == 4
    assert both.mean == pytest.approx(3.0)
    assert [look.n for look in both.looks] == [3, 4]


def test_with_fewer_common_seeds_than_the_first_look_asks_for_nothing_is_tested():
    a, b = by_seed([1.0, 1.1]), by_seed([0.0, 0.0])
    paired = sequential_difference(a, b, stages(3, 5, 2))
    assert (paired.n, paired.p_value, paired.interval(0.95)) == (2, None, None)


def test_a_look_without_a_further_common_seed_is_no_look_at_the_pair():
    seen = ((frozenset({0, 1, 2}), frozenset({0, 1, 2, 3})),) * 2
    a, b = by_seed([1.0, 1.1, 0.9]), by_seed([0.0] * 4)
    assert len(sequential_difference(a, b, Stages(3, 5, seen)).looks) == 1


@pytest.mark.parametrize("seed", range(8))
def test_the_interval_excludes_0_exactly_where_the_p_value_is_below(seed):
    random = np.random.default_rng(seed)
    a, b = random.normal(seed / 4, 1.0, 6), random.normal(0.0, 1.0, 6)
    paired = sequential_difference(by_seed(a), by_seed(b), stages(3, 6, 3, 4, 5, 6))
    for level in (1 - 1.01 * paired.p_value, 1 - 0.99 * paired.p_value):
        if 0 < level < 1:
            low, high = paired.interval(level)
            assert (low <= 0 <= high) == (paired.p_value >= 1 - level)


def test_two_one_sided_tests_of_the_ratio_show_equivalence():
    a, b = [20.0, 21.0, 19.5, 20.5, 20.2], [20.1, 20.8, 19.9, 20.2, 20.6]
    expected = max(
        stats.ttest_1samp(np.array(x) - 1.1 * np.array(y), 0.0, alternative="less").pvalue
        for x, y in ((a, b), (b, a))
    )
    found = equivalence_p_value(by_seed(a), by_seed(b), stages(5, 5, 5), 0.1)
    assert found == pytest.approx(expected)
    assert equivalence_p_value(by_seed(a), by_seed(b), stages(5, 5, 5), 0.001) > 0.05


def test_equal_scores_are_equivalent_and_not_different():
    same = by_seed([10.0, 10.0, 10.0])
    assert sequential_difference(same, same, stages(3, 6, 3)).p_value == 1.0
    assert equivalence_p_value(same, same, stages(3, 6, 3), 0.1) < 1e-6


# --- whole studies, simulated


def false_claims(simulation, studies, variants, seed, margin=0.0):
    """How many studies of equal variants tell some apart, and 5% with four standard errors."""
    random = np.random.default_rng(seed)
    values = simulation.scores(random, [0.0] * variants, studies, 8, 0.5)
    outcome = simulation.as_needed(values, 3, 8, margin)
    return int(outcome.told_apart.any(-1).sum()), studies * 0.05 + 4 * math.sqrt(studies * 0.0475)


@pytest.mark.parametrize("variants", [2, 4])
def test_few_studies_of_equal_variants_tell_some_pair_apart(simulation, variants):
    count, most = false_claims(simulation, 1000, variants, variants)
    assert 0.01 * 1000 < count < most


def test_tests_at_every_look_without_a_correction_would_tell_many_apart(simulation, monkeypatch):
    monkeypatch.setattr(simulation, "level_of_each_look", lambda alpha, *_: alpha)
    count, most = false_claims(simulation, 1000, 2, 2)
    assert count > 1.5 * most


def test_seeds_as_needed_save_runs_where_variants_differ_unequally(simulation):
    means = [0.0, 6.0, 30.0]
    values = simulation.scores(np.random.default_rng(0), means, 400, 8, 0.0)
    outcome = simulation.as_needed(values, 3, 8, 0.0)
    share = outcome.told_apart.all(-1).mean()
    fixed = next(
        n for n in range(3, 9) if simulation.fixed(values, n, 0.1)[0].all(-1).mean() >= share
    )
    assert share > 0.95
    assert outcome.runs.mean() < 3 * fixed


@pytest.mark.slow
@pytest.mark.parametrize("margin", [0.0, 0.1])
@pytest.mark.parametrize("variants", [2, 3, 6])
def test_the_family_wise_error_of_seeds_as_needed_is_5_percent_at_most(
    simulation, variants, margin
):
    studies = 40_000
    random = np.random.default_rng(variants)
    values = simulation.scores(random, [0.0] * variants, studies, 20, 0.0)
    outcome = simulation.as_needed(values, 3, 20, margin)
    most = 0.05 + 3 * math.sqrt(0.0475 / studies)
    assert outcome.told_apart.any(-1).mean() < most


@pytest.mark.slow
def test_variants_that_differ_by_the_margin_are_rarely_called_equivalent(simulation):
    studies = 40_000
    values = simulation.scores(np.random.default_rng(1), [0.0, 2.0], studies, 20, 0.0)
    outcome = simulation.as_needed(values, 3, 20, 0.1)
    assert outcome.equivalent.mean() < 0.05 + 3 * math.sqrt(0.0475 / studies)
