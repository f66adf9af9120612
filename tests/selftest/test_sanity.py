"""The sanity checks: clouds that are what they say, and findings that are known of the scores."""

from __future__ import annotations

import csv
import io
import math
from collections import Counter

import pytest
import torch

from ganbench.scoring.metrics.catalogue import METRICS
from ganbench.selftest import feature_clouds as clouds
from ganbench.selftest.sanity import KINDS, cloud_scores, run_checks
from ganbench.selftest.sanity_checks import CHECKS

SOURCE = clouds.Source("test", 4000)


def check_of(name: str, setting: str = ""):
    (check,) = (item for item in CHECKS if (item.name, item.setting) == (name, setting))
    return check


def verdict_of(sanity, metric: str):
    (verdict,) = (item for item in sanity.verdicts if item.metric == metric)
    return verdict


# --- The clouds


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.key)
def test_every_cloud_is_finite_and_the_same_each_time(check):
    for strength in (check.strengths[0], check.strengths[-1]):
        first, again = (check.make(strength, clouds.Source("test", 20)) for _ in range(2))
        for one, same in zip(first, again, strict=True):
            assert one.dtype == torch.float64
            assert one.isfinite().all()
            assert torch.equal(one, same)
        assert first[0].shape == first[1].shape
        assert not torch.equal(*first)


def test_checks_have_their_own_names_and_ascending_strengths():
    assert len({check.key for check in CHECKS}) == len(CHECKS)
    for check in CHECKS:
        assert list(check.strengths) == sorted(set(check.strengths))
    assert set(KINDS) <= {entry.name for entry in METRICS}


def test_modes_lose_the_share_that_is_asked_for():
    _, fake = clouds.modes_dropped_at_once(1)(0.75, SOURCE)
    first = float((fake < 0.55).double().mean())  # half-way to the second mode
    assert first == pytest.approx(1 / (1 + 9 * 0.25), abs=0.03)
    _, fake = clouds.modes_dropped_one_by_one(1)(7, SOURCE)
    assert fake.max() < 10 / 9 * 2 + 1  # three modes are left
    places = Counter((fake * 0.9).round().flatten().tolist())
    assert len([count for count in places.values() if count > 1000]) == 3


def test_invented_modes_are_as_many_as_asked_for():
    for modes in (1, 5, 10):
        real, fake = clouds.invented_modes(modes, SOURCE)
        angles = [(torch.atan2(side[:, 1], side[:, 0]) / (2 * math.pi / 10)).round() % 10
                  for side in (real, fake)]  # fmt: skip
        assert [len(side.unique()) for side in angles] == [5, modes]


@pytest.mark.parametrize("dimensions", [2, 128])
def test_points_lie_on_the_surface_of_their_sphere(dimensions):
    real, fake = clouds.hypersphere(dimensions)(0.55, SOURCE)
    torch.testing.assert_close(real.norm(dim=1), torch.ones(4000, dtype=torch.float64))
    torch.testing.assert_close(fake.norm(dim=1), torch.full((4000,), 0.55, dtype=torch.float64))


@pytest.mark.parametrize("dimensions", [1, 3])
def test_a_fifth_of_the_points_lies_in_both_cubes(dimensions):
    real, fake = clouds.hypercubes(dimensions)(4000, SOURCE)
    assert float((fake <= 1).all(dim=1).double().mean()) == pytest.approx(0.2, abs=0.02)
    assert real.min() >= 0
    assert real.max() <= 1


def test_the_ball_lies_in_the_ring_and_touches_nowhere():
    ball, ring = clouds.sphere_and_torus("ball")(1, SOURCE)
    radii = ball.norm(dim=1)
    assert radii.max() <= 0.8
    assert float((radii <= 0.4).double().mean()) == pytest.approx(1 / 8, abs=0.02)  # of the volume
    across = ring[:, :2].norm(dim=1)
    assert ((across - 1).square() + ring[:, 2].square()).max() <= 0.01 + 1e-12
    again, same = clouds.sphere_and_torus("ball")(0, SOURCE)
    assert torch.equal(again, ball)
    assert same.norm(dim=1).max() <= 0.8


def test_two_modes_and_the_one_that_merges_them_have_the_same_spread():
    real, fake = clouds.one_mode_for_two(1)(5.0, SOURCE)
    expected = 1 + 2.5**2
    assert float(real.var()) == pytest.approx(expected, rel=0.05)
    assert float(real.abs().median()) == pytest.approx(2.5, abs=0.1)
    assert float(fake.mean()) == pytest.approx(0, abs=0.3)


def test_an_outlier_is_one_point_of_the_side_that_is_said():
    for side, place in (("real", 0), ("fake", 1)):
        pair = clouds.shifted(3, side, 9.0)(0.0, SOURCE)
        assert [int((cloud == 9).all(dim=1).sum()) for cloud in pair] == [1 - place, place]


# --- What scores do


def test_the_scores_of_a_cloud_are_those_of_its_kind_at_both_ends():
    real, fake = (torch.randn(400, 4, generator=torch.Generator().manual_seed(seed)).double()
                  for seed in (0, 1))  # fmt: skip
    alike, apart = cloud_scores(real, fake), cloud_scores(real, fake + 50)
    assert alike.keys() == apart.keys() == KINDS.keys()
    for name in ("clipped_density", "coverage", "clipped_coverage"):
        assert alike[name] > 0.9
    for name in ("precision", "recall", "density", "coverage", "clipped_density"):
        assert apart[name] == 0
    for name in ("fid", "kid", "mind"):
        assert apart[name] > 100 * abs(alike[name])
    assert cloud_scores(real, real)["vendi"] == 1
    with pytest.raises(ValueError, match="too few"):
        cloud_scores(real, fake[:2])


def test_a_real_outlier_in_64_dimensions_misleads_precision():
    check = check_of("mean, real outlier", "64 dim.")
    sanity = run_checks([check], count=150)
    assert verdict_of(sanity, "precision").curve[1.0] > 0.5  # one real point is near to all of them
    assert verdict_of(sanity, "precision").verdict == "fail"
    assert verdict_of(sanity, "clipped_density").curve[1.0] < 0.7
    assert verdict_of(sanity, "mind").verdict == "pass"


def test_points_inside_a_sphere_of_128_dimensions_pass_for_its_surface():
    sanity = run_checks([check_of("sphere surface", "128 dim.")], count=150)
    for metric in ("precision", "coverage", "clipped_density", "clipped_coverage"):
        assert verdict_of(sanity, metric).curve[0.1] > 0.9
        assert "is within 0.05 of 0 at 0.1" in verdict_of(sanity, metric).failed
    assert verdict_of(sanity, "mind").failed == ()


def test_a_tally_counts_faults_whose_settings_all_pass_and_the_csv_has_each_setting():
    checks = [item for item in CHECKS if item.name in ("mean", "whole numbers")]
    sanity = run_checks([*checks], count=100)
    assert sanity.names == ("mean", "whole numbers")
    assert sanity.tally("mind") == (1, 1)  # nothing is asked of distances in whole numbers
    assert sanity.passed("mind", "whole numbers") is None
    rows = list(csv.DictReader(io.StringIO(sanity.csv())))
    assert len(rows) == 2 * len(KINDS) + 2 * 7
    for row in rows:
        assert (
            (row["verdict"] == "pass") == (row["failed"] == "0") == (row["failed_criteria"] == "")
        )
        assert int(row["criteria"]) >= 1
    for metric in KINDS:
        passed = [row["verdict"] == "pass" for row in rows
                  if (row["metric"], row["check"]) == (metric, "mean")]  # fmt: skip
        assert sanity.passed(metric, "mean") == all(passed)


@pytest.mark.slow
def test_no_score_passes_all_checks_and_distances_pass_most():
    sanity = run_checks()
    tallies = {metric: sanity.tally(metric) for metric in KINDS}
    assert all(passed < asked for passed, asked in tallies.values())
    assert tallies["clipped_density"] > tallies["density"]
    assert min(tallies[name][0] for name in ("fid", "kid", "mind")) >= 8
