"""Families of tests: how often a comparison of equal variants claims a difference."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import results_doubles as doubles

from ganbench.errors import UsageError
from ganbench.report.comparison.contrasts import Side, contrast
from ganbench.report.comparison.families import (
    check_primary,
    corrected,
    families_text,
    family_of,
)

SCORES = ("fid", "kid", "mode_kl", "diversity", "density", "vendi", "memorisation", "intra_fid")


def pairs(numbers):
    """Contrasts of all pairs; `numbers` are by score, variant and seed."""
    return [
        contrast(
            score, score.upper(), *(Side(str(v), dict(enumerate(by[v])), 5, 5) for v in two), {}
        )
        for score, by in numbers.items()
        for two in itertools.combinations(range(len(by)), 2)
    ]


def test_each_family_is_corrected_by_itself():
    random = np.random.default_rng(0)
    names = (*SCORES, "images_per_second", "peak_memory_bytes")
    done = corrected(pairs({name: random.normal(50, 1, (4, 5)) for name in names}))
    sizes = {item.score: (item.family, item.family_size) for item in done}
    assert sizes["fid"] == ("primary", 6)
    assert sizes["kid"] == sizes["intra_fid"] == ("secondary", 7 * 6)
    assert sizes["images_per_second"] == sizes["peak_memory_bytes"] == ("cost", 12)
    smallest = min((i for i in done if i.family == "secondary"), key=lambda i: i.paired.p_value)
    assert smallest.p_holm == pytest.approx(min(1.0, 42 * smallest.paired.p_value))
    assert families_text(done) == (
        "primary, FID: 6 tests; secondary, 7 other scores: 42 tests; "
        "cost, 2 numbers of speed and memory: 12 tests"
    )


def test_another_primary_score_leaves_fid_with_the_others():
    assert [family_of(name, "recall") for name in ("recall", "fid", "step_seconds_p95")] == [
        "primary", "secondary", "cost",
    ]  # fmt: skip
    one, two = corrected(
        pairs({"kid": [[1, 2, 4], [2, 4, 9]], "fid": [[1, 2, 4], [2, 4, 9]]}), "kid"
    )
    assert (one.family, one.p_holm) == ("primary", one.paired.p_value)
    assert two.family == "secondary"


def test_one_seed_is_not_tested_and_counts_in_no_family():
    alone, *rest = corrected(pairs({"kid": [[1], [2]], "vendi": [[1, 2], [2, 4]]}))
    assert (alone.p_holm, alone.verdict) == (None, "not resolved")
    assert [item.family_size for item in rest] == [1]
    assert families_text([alone]) == ""


def test_a_primary_score_that_no_run_has_is_refused_and_fid_may_be_empty():
    run = doubles.result(scores={"recall": 0.5})
    check_primary("fid", [run])
    check_primary("recall", [run])
    check_primary("images_per_second", [run])
    for name in ("reacll", "kid", "steps", "modes_total"):
        with pytest.raises(UsageError, match=f"unknown primary score '{name}'") as caught:
            check_primary(name, [run])
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("correlation", [0.0, 0.8])
def test_equal_variants_give_a_false_claim_in_about_one_of_20_comparisons(correlation):
    random, comparisons = np.random.default_rng(4), 500
    false = {"primary": 0, "secondary": 0}
    for _ in range(comparisons):
        shared = random.normal(0, 1, (len(SCORES), 1, 5))
        own = random.normal(0, 1, (len(SCORES), 4, 5))
        values = 50 + correlation**0.5 * shared + (1 - correlation) ** 0.5 * own
        done = corrected(pairs(dict(zip(SCORES, values, strict=True))))
        for family in false:
            claims = [item for item in done if item.family == family]
            false[family] += any(item.verdict != "not resolved" for item in claims)
    most = 0.05 + 2 * math.sqrt(0.05 * 0.95 / comparisons)
    assert all(0 < count / comparisons <= most for count in false.values()), false
