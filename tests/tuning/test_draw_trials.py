"""Drawing trials: seeded, within their space, and by the seed and the variant alone."""

from __future__ import annotations

import math

import pytest

from ganbench.tuning.draw_trials import Search
from ganbench.tuning.searched import Choices, Range

SPACE = {
    "rate": Range(1e-5, 1e-3, log=True),
    "steps": Range(1, 5, whole=True),
    "loss": Choices(("hinge", "logistic")),
}


def test_the_same_seed_draws_the_same_trials_however_many_there_are():
    few = Search(SPACE, "random", 0, "a").ask(4)
    assert Search(SPACE, "random", 0, "a").ask(9)[:4] == few
    assert Search(SPACE, "random", 1, "a").ask(4) != few
    assert Search(SPACE, "random", 0, "b").ask(4) != few


def test_trials_lie_in_their_space_and_are_short_enough_to_be_written_down():
    trials = Search(SPACE, "random", 0, "a").ask(200)
    assert all(1e-5 <= trial["rate"] <= 1e-3 for trial in trials)
    assert all(trial["rate"] == float(f"{trial['rate']:.4g}") for trial in trials)
    assert {trial["steps"] for trial in trials} == {1, 2, 3, 4, 5}
    assert {trial["loss"] for trial in trials} == {"hinge", "logistic"}
    # As many below the middle of a logarithmic range as above it, within chance
    below = sum(math.log10(trial["rate"]) < -4 for trial in trials)
    assert 75 <= below <= 125


def test_tpe_draws_the_same_trials_after_the_same_scores_and_learns_from_them():
    def searched(best):
        search = Search({"rate": Range(0.0, 1.0)}, "tpe", 0, "a")
        last = []
        for _ in range(12):
            last = [trial["rate"] for trial in search.ask(5)]
            search.tell([abs(rate - best) for rate in last])
        return last

    assert searched(0.9) == searched(0.9)
    assert sum(searched(0.9)) / 5 > 0.7
    assert sum(searched(0.1)) / 5 < 0.3


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_a_failed_trial_is_told_as_the_worst(sampler):
    search = Search(SPACE, sampler, 0, "a")
    search.ask(3)
    search.tell([math.inf, 1.0, math.inf])
    assert len(search.ask(2)) == 2
