"""Bounds and smallest steps of numbers."""

from __future__ import annotations

import csv
import io
import math

import pytest
import results_doubles as doubles

from ganbench.report.columns import SPEED, column
from ganbench.report.comparison.statistics import paired_difference
from ganbench.report.gather import gather
from ganbench.report.limits import bounds_of, quantities_of, step_of
from ganbench.report.tables import summary_csv
from ganbench.scoring.metrics.catalogue import METRICS, SCORES

PROTOCOL = {"neighbour_count": 2000, "fake_count": 5000}
KNOWN = quantities_of(PROTOCOL, modes=10, classes=10)


@pytest.mark.parametrize(
    ("name", "bounds", "step"),
    [
        ("modes_covered", (0, 10), 1),
        ("modes_covered_strict", (0, 10), 1),
        ("mode_entropy", (0, math.log(10)), 0),
        ("vendi", (1, 2000), 0),
        ("precision", (0, 1), 1 / 2000),
        ("duplicates", (0, 1), 1 / 2000),
        ("density", (0, math.inf), 1 / 10_000),
        ("clipped_density", (0, 1), 1 / 10_000),
        ("clipped_coverage", (0, 1), 1 / 2000),
        ("mind", (0, math.inf), 0),
        ("diversity", (0, 1), 1 / 10),
        ("prompt_alignment", (0, 1), 1 / 1000),
        ("inception_score", (1, 1008), 0),
        ("fid", (0, math.inf), 0),
        ("peak_memory_bytes", (0, math.inf), 1),
        ("kid_standard_error", (0, math.inf), 0),
    ],
)
def test_bounds_and_steps_are_those_of_the_comparison(name, bounds, step):
    assert bounds_of(name, KNOWN) == pytest.approx(bounds)
    assert step_of(name, KNOWN) == pytest.approx(step)


def test_what_is_not_known_bounds_nothing():
    nothing = quantities_of({}, None, None)
    assert bounds_of("vendi", nothing) == (1, math.inf)
    assert step_of("precision", nothing) == 0
    assert bounds_of("a_score_of_mine", nothing) == (-math.inf, math.inf)


def test_a_share_of_prompted_images_has_the_step_that_its_own_protocol_says():
    stored = quantities_of({**PROTOCOL, "prompt_image_limit": 300}, modes=10, classes=10)
    assert step_of("prompt_alignment", stored) == pytest.approx(1 / 300)
    many = quantities_of({**PROTOCOL, "fake_count": 100}, modes=80, classes=80)
    assert step_of("prompt_alignment", many) == pytest.approx(1 / 160)  # two of each


def test_equal_differences_of_capped_diversity_are_no_certainty():
    ours, theirs = {0: 1.0, 1: 1.0}, {0: 0.9, 1: 0.9}  # every class at the cap; one missing twice
    step = step_of("diversity", KNOWN)
    assert step == pytest.approx(step_of("modes_covered", KNOWN) / 10)
    exact, stepped = (paired_difference(ours, theirs, step=size) for size in (0.0, step))
    assert exact.p_value < 1e-9
    assert 0.05 < stepped.p_value < 0.5
    many, missing = dict.fromkeys(range(5), 1.0), dict.fromkeys(range(5), 0.2)
    assert paired_difference(many, missing, step=step).p_value < 1e-4


def test_all_classes_bound_the_entropy_and_those_to_cover_the_modes():
    some = quantities_of(PROTOCOL, modes=7, classes=10)
    assert bounds_of("modes_covered", some) == (0, 7)
    assert bounds_of("mode_entropy", some) == (0, pytest.approx(math.log(10)))


@pytest.mark.parametrize("name", [*SCORES, *SPEED])
def test_every_column_has_a_finite_lower_bound(name):
    low, high = bounds_of(name, KNOWN)
    assert math.isfinite(low)
    assert low < high


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_the_numbers_of_a_metric_agree_with_what_people_are_told(metric):
    low, high = bounds_of(metric.name, KNOWN)
    told = metric.range.split()
    assert float(told[0]) == low
    words = {math.inf: "infinity", 1.0: "1", 1008.0: "1008,", 10.0: "modes_total,", 2000.0: "the"}
    assert told[2].rstrip(",;") == words.get(high, "log(classes)").rstrip(",;")
    assert column(metric.name).bounds == metric.bounds


def test_no_published_interval_leaves_what_is_possible(tmp_path):
    scores = [
        {"mode_entropy": entropy, "vendi": vendi, "modes_total": 10.0, "modes_covered": modes}
        for entropy, vendi, modes in ((0, 1, 1), (0, 1, 1), (1.208, 1.98, 5), (0, 1, 1), (0, 1, 1))
    ]  # four generators of one class, and one of five
    many = [{"mode_entropy": 2.30, "vendi": 9990.0 + 9 * seed % 10} for seed in range(3)]
    runs = [doubles.result("mlp", seed, scores=some) for seed, some in enumerate(scores)]
    runs += [
        doubles.result("dcgan", s, scores=some | {"modes_total": 10.0})
        for s, some in enumerate(many)
    ]
    text = summary_csv(gather([doubles.write(tmp_path, runs, files=False)]))
    for row in csv.DictReader(io.StringIO(text)):
        assert float(row["mode_entropy_ci_low"]) >= 0
        assert float(row["mode_entropy_ci_high"]) <= math.log(10)
        assert float(row["vendi_ci_low"]) >= 1
        assert float(row["vendi_ci_high"]) <= 10_000
