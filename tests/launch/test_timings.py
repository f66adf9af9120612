"""What earlier runs have taken, and what follows from it for others."""

from __future__ import annotations

import dataclasses

import pytest
import results_doubles as doubles
from launch_doubles import planned

from ganbench.launch.timings import Cost, duration, read_cost, store_cost

COST = Cost(step_seconds=0.5, evaluation_seconds=30.0, memory_bytes=10**9, origin="a run")


def job(**changes):
    return planned(**changes).jobs[0]


def finished(**changes):
    values = {
        "step_seconds_median": 0.5, "timing_shared": False, "peak_memory_bytes": 10**9,
        "outside_seconds": {"evaluation": 30.0}, "device_name": "a card", "over_training": {},
    }  # fmt: skip
    return dataclasses.replace(doubles.result(), **{**values, **changes})


def test_seconds_follow_from_the_budget_and_from_how_often_it_is_scored():
    assert COST.training_seconds(job(budget="40steps")) == 20.0
    assert COST.training_seconds(job(budget="3min")) == 180.0
    assert COST.scoring_seconds(job(budget="40steps")) == 30.0
    # 4 times during training, then the last moment and the best: 6 of half the images, 1 of all
    assert COST.scoring_seconds(job(budget="40steps", evaluate_every="10steps")) == 30.0 * 4


def test_a_run_is_known_under_another_seed_and_budget_and_under_no_other_numbers(tmp_path):
    store_cost(tmp_path, job(), finished(), "2026-11-26")
    for same in (job(budget="9min"), job(seeds="7,")):
        known = read_cost(tmp_path, same, "a card")
        assert known is not None
        assert (known.step_seconds, known.evaluation_seconds) == (0.5, 30.0)
        assert known.origin == "a run of 2026-11-26 on this machine"
    assert read_cost(tmp_path, job(), "another card") is None
    assert read_cost(tmp_path, job(set=("batch_size=64",)), "a card") is None


@pytest.mark.parametrize(
    "changes",
    [
        {"timing_shared": True},
        {"status": "diverged"},
        {"step_seconds_median": None},
        {"outside_seconds": {}},
    ],
)
def test_a_run_that_tells_nothing_about_others_is_not_kept(tmp_path, changes):
    store_cost(tmp_path, job(), finished(**changes), "2026-11-26")
    assert not list(tmp_path.rglob("*.json"))


def test_scores_during_training_are_taken_out_of_what_the_last_ones_took(tmp_path):
    store_cost(tmp_path, job(), finished(over_training={"evaluations": 4}), "2026-11-26")
    known = read_cost(tmp_path, job(), "a card")
    assert known is not None
    assert known.evaluation_seconds == pytest.approx(30 / 4)


def test_a_damaged_file_is_no_estimate(tmp_path):
    store_cost(tmp_path, job(), finished(), "2026-11-26")
    (file,) = tmp_path.rglob("*.json")
    file.write_text("{}", encoding="utf-8")
    assert read_cost(tmp_path, job(), "a card") is None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "1 s"), (59.4, "59 s"), (90, "2 min"), (3599, "60 min"), (7800, "2 h 10 min"),
        (86400 * 3 + 4 * 3600, "3 days 4 h"), (86400, "1 day 0 h"),
    ],
)  # fmt: skip
def test_times_are_said_as_people_say_them(seconds, text):
    assert duration(seconds) == text
