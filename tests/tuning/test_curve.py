"""The best score over the number of trials, against enumerating all subsets and all resamples."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from ganbench.tuning.curve import HIGH, LOW, best_over_trials, best_so_far, loss_of

SCORES = [42.0, 17.5, 60.25, 17.5, 33.0]


def quantile(values, share):
    """The smallest value that so large a share of all lies at or below."""
    ordered = np.sort(values)
    counts = np.arange(1, len(ordered) + 1) / len(ordered)
    return ordered[np.argmax(counts >= share - 1e-9)]


@pytest.mark.parametrize("trials", [1, 2, 3, 4, 5])
def test_the_mean_is_that_of_the_best_of_all_subsets(trials):
    subsets = [min(some) for some in itertools.combinations(SCORES, trials)]
    point = best_over_trials(SCORES, "lower")[trials - 1]
    assert point.trials == trials
    assert point.mean == pytest.approx(np.mean(subsets), rel=1e-12)


@pytest.mark.parametrize("trials", [1, 2, 3, 4, 5])
def test_the_spread_is_that_of_all_resamples(trials):
    resamples = [min(some) for some in itertools.product(SCORES, repeat=trials)]
    point = best_over_trials(SCORES, "lower")[trials - 1]
    assert (point.median, point.better, point.worse) == (
        quantile(resamples, 0.5), quantile(resamples, LOW), quantile(resamples, HIGH),
    )  # fmt: skip


@pytest.mark.parametrize("trials", [1, 2, 3])
def test_of_scores_of_which_more_is_better_the_largest_is_the_best(trials):
    scores = [0.3, 0.9, 0.5]
    best = [max(some) for some in itertools.combinations(scores, trials)]
    assert best_over_trials(scores, "higher")[trials - 1].mean == pytest.approx(np.mean(best))


def test_of_scores_whose_best_value_is_1_the_nearest_is_the_best():
    (_, last) = best_over_trials([0.7, 1.2], "one")
    assert last.mean == last.better == 1.2


def test_a_failed_trial_is_the_worst_and_nothing_is_averaged_with_it():
    one, two, three = best_over_trials([None, 5.0, 7.0], "lower")
    assert one.mean is None  # a search of this one trial has no score
    assert (one.better, one.median, one.worse) == (5.0, 7.0, None)
    # No two of them have both failed: (5, none), (7, none), (5, 7)
    assert two.mean == pytest.approx((5 + 7 + 5) / 3)
    assert three.mean == three.median == 5.0


def test_where_all_have_failed_there_is_no_best():
    points = best_over_trials([None, float("nan")], "lower")
    assert [(p.mean, p.median, p.better, p.worse) for p in points] == [(None,) * 4] * 2


def test_many_trials_give_the_mean_of_simulated_searches():
    random = np.random.default_rng(0)
    scores = random.lognormal(size=60)
    simulated = [random.permutation(scores)[:12].min() for _ in range(4000)]
    error = np.std(simulated) / np.sqrt(len(simulated))
    assert abs(best_over_trials(list(scores), "lower")[11].mean - np.mean(simulated)) < 4 * error


def test_trials_that_depend_on_earlier_ones_are_taken_in_their_order():
    points = best_so_far([None, 5.0, 7.0, 3.0], "lower")
    assert [point.median for point in points] == [None, 5.0, 5.0, 3.0]
    assert {(point.mean, point.better, point.worse) for point in points} == {(None, None, None)}


@pytest.mark.parametrize(
    ("score", "direction", "loss"),
    [(3.0, "lower", 3.0), (3.0, "higher", -3.0), (0.75, "one", 0.25), (None, "higher", np.inf)],
)
def test_a_loss_is_less_for_the_better_score(score, direction, loss):
    assert loss_of(score, direction) == loss
