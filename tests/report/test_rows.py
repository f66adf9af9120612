"""Which runs are seeds of one row, and runs that are there twice."""

from __future__ import annotations

import dataclasses

import pytest
import results_doubles as doubles

from ganbench.report import build
from ganbench.report.gather import gather


def folder(path, *results):
    return doubles.write(path, list(results), files=False)


def gathered(tmp_path, first, second):
    return gather([folder(tmp_path / "a", *first), folder(tmp_path / "b", *second)])


@pytest.mark.parametrize("run_id", ["dcgan-mnist-s0-abc123", "of-another-plan"])
def test_a_run_in_two_folders_counts_once_and_the_one_left_out_is_named(tmp_path, run_id):
    first = doubles.result(scores={"fid": 1.0})
    again = doubles.result(scores={"fid": 9.0}, run_id=run_id)
    results = gathered(tmp_path, [first], [again])
    assert [record.scores["fid"] for record in results.records] == [1.0]
    (note,) = results.notes
    assert note.startswith("dcgan, seed 0, is there twice: ")
    assert note.index("a/runs") < note.index("is used") < note.index("b/runs")
    assert note.endswith("is left out")
    out = build([tmp_path / "a", tmp_path / "b"], tmp_path / "out")
    for name in ("README.md", "report.html"):
        assert "is there twice" in (out / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 1},
        {"budget": "5epochs"},
        {"dataset": "digits"},
        {"device": "cuda"},
        {"source_hash": "fedcba"},
        {"training_precision": "bf16"},
        {"recipe": {"batch_size": 128}},
        {"protocol": "other"},
    ],
    ids=str,
)
def test_runs_that_differ_both_count(tmp_path, changes):
    other = doubles.result(**{"source_hash": "abcdef", "run_id": "other"} | changes)
    results = gathered(tmp_path, [doubles.result(source_hash="abcdef")], [other])
    assert len(results.entries) == 2
    assert results.notes == ()


def test_a_seed_that_failed_first_is_not_replaced_by_one_that_completed(tmp_path):
    run = doubles.result()
    broken = dataclasses.replace(run, status="diverged", protocol="", scores={}, run_id="first")
    results = gathered(tmp_path, [broken], [run])
    assert [record.status for record in results.records] == ["diverged"]


def test_an_edited_variant_is_not_averaged_with_what_it_was(tmp_path):
    old = [doubles.result(seed=s, source_hash="1a2b3c4d5e") for s in range(2)]
    new = [doubles.result(seed=s, source_hash="99aabbccdd", run_id=f"new{s}") for s in range(2)]
    results = gathered(tmp_path, old, new)
    assert results.labels == ["dcgan, source 1a2b3c", "dcgan, source 99aabb"]


def test_results_without_a_source_are_not_averaged_with_those_that_have_one(tmp_path):
    old, new = doubles.result(), doubles.result(source_hash="99aabbccdd", run_id="new")
    assert gathered(tmp_path, [old], [new]).labels == [
        "dcgan, source unknown", "dcgan, source 99aabb",
    ]  # fmt: skip


def test_one_source_is_not_named(tmp_path):
    runs = [doubles.result(v, source_hash=v * 2) for v in ("mlp", "dcgan")]
    assert gather([folder(tmp_path, *runs)]).labels == ["mlp", "dcgan"]
