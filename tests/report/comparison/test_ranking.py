"""Rankings for people and for programs."""

from __future__ import annotations

import csv
import io

import pytest
import results_doubles as doubles

from ganbench.report.comparison.ranking import ranking_csv, rankings_of
from ganbench.report.gather import gather

FIDS = {
    "mlp": (40.0, 40.5, 41.0),
    "dcgan": (10.0, 10.8, 11.0),
    "texthash": (10.3, 10.6, 11.2),
}


def runs(fids=FIDS, budgets=None, **changes):
    return [
        doubles.result(
            variant, seed, scores={"fid": fid, "recall": None},
            budget=(budgets or {}).get(variant, "25epochs"), **changes,
        )
        for variant, some in fids.items()
        for seed, fid in enumerate(some)
    ]  # fmt: skip


def read(path, records):
    return gather([doubles.write(path, records, files=False)])


def rows_of(results, primary="fid"):
    return list(csv.DictReader(io.StringIO(ranking_csv(results, primary))))


@pytest.fixture
def results(tmp_path):
    return read(tmp_path, runs())


def by_heading(results, primary="fid"):
    (group,) = results.groups
    return {ranking.heading: ranking for ranking in rankings_of(group, primary).rankings}


def test_variants_are_ordered_from_the_best_to_the_worst(results):
    rankings = by_heading(results)
    assert [label for label, _ in rankings["FID (classifier) ↓"].order] == [
        "dcgan", "texthash", "mlp",
    ]  # fmt: skip
    assert rankings["Training images/s ↑"].order[0][0] == "mlp"
    assert rankings["FID (classifier) ↓"].resolved == "2 of 3"
    assert len(rankings["FID (classifier) ↓"].sentences) == 3


def test_the_primary_score_comes_first_and_the_families_are_stated(results):
    (group,) = results.groups
    shown = rankings_of(group, "images_per_second")
    assert shown.rankings[0].heading == "Training images/s ↑"
    assert shown.families.startswith("primary, Training images/s: 3 tests; secondary, 1 other ")


def test_ranking_csv_has_one_row_per_pair_and_score(results):
    rows = rows_of(results)
    fid = [row for row in rows if row["score"] == "fid"]
    assert [(row["variant_a"], row["variant_b"]) for row in fid] == [
        ("mlp", "dcgan"), ("mlp", "texthash"), ("dcgan", "texthash"),
    ]  # fmt: skip
    assert [row["verdict"] for row in fid] == ["worse", "worse", "not resolved"]
    assert {(row["family"], row["family_size"]) for row in fid} == {("primary", "3")}
    assert {row["family"] for row in rows if row["score"] in ("images_per_second",)} == {"cost"}
    assert float(fid[0]["difference"]) == pytest.approx(30.0, abs=0.5)
    assert {row["score"] for row in rows}.isdisjoint({"recall", "steps", "parameters_generator"})


def test_in_every_row_the_interval_excludes_0_exactly_where_the_pair_is_resolved(results):
    resolved = set()
    for row in rows_of(results):
        excludes = not float(row["ci_low"]) <= 0 <= float(row["ci_high"])
        assert excludes == (row["verdict"] != "not resolved")
        assert excludes == (float(row["p_holm"]) < 0.05)
        assert 0.95 - 1e-12 <= float(row["ci_level"]) < 1
        resolved.add(excludes)
    assert resolved == {True, False}


def test_the_range_of_seeds_is_written_where_a_pair_is_not_resolved(results):
    fid = [row for row in rows_of(results) if row["score"] == "fid"]
    assert [row["seeds_needed_low"] != "" for row in fid] == [False, False, True]


def test_who_completed_the_larger_share_of_runs_is_ranked_first(tmp_path):
    records = runs()
    records = [r for r in records if (r.variant, r.seed) != ("dcgan", 2)]
    records.append(doubles.failed("dcgan", 2))
    results = read(tmp_path, records)
    ranking = by_heading(results)["FID (classifier) ↓"]
    assert [label for label, _ in ranking.order] == ["texthash", "mlp", "dcgan"]
    assert ranking.order[-1] == ("dcgan", "10.4 (2 of 3 seeds)")
    assert any("dcgan completed 2 of 3" in sentence for sentence in ranking.sentences)
    row = next(row for row in rows_of(results) if row["variant_b"] == "dcgan")
    assert (row["completed_a"], row["started_a"], row["unpaired_seeds_a"]) == ("3", "3", "2")
    assert (row["completed_b"], row["started_b"], row["unpaired_seeds_b"]) == ("2", "3", "")


def test_only_variants_of_equal_budget_are_ranked(tmp_path):
    results = read(tmp_path, runs(budgets={"mlp": "5epochs"}))
    pairs = {(row["variant_a"], row["variant_b"]) for row in rows_of(results)}
    assert pairs == {("dcgan", "texthash")}
    assert {row["budget"] for row in rows_of(results)} == {"25epochs"}
    ranking = by_heading(results)["FID (classifier) ↓, 25epochs"]
    assert [label for label, _ in ranking.order] == ["dcgan", "texthash"]


def test_one_seed_has_no_ranking(tmp_path):
    results = read(tmp_path, [doubles.result(variant) for variant in ("mlp", "dcgan")])
    assert ranking_csv(results, "fid") is None
    assert rankings_of(results.groups[0], "fid").rankings == ()
