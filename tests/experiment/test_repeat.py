"""A stored run done again: what is asked for, what has changed, whether it came out the same."""

from __future__ import annotations

import dataclasses

import pandas as pd
import pytest
import results_doubles as doubles
from launch_doubles import planned

from ganbench.cli import app
from ganbench.experiment import repeat
from ganbench.experiment.store import StoredRun

pytestmark = pytest.mark.usefixtures("digits_backbone")


def ganbench(*arguments: object) -> int:
    with pytest.raises(SystemExit) as caught:
        app.main([str(argument) for argument in arguments])
    return int(caught.value.code or 0)


@pytest.fixture(scope="module")
def stored(tmp_path_factory, digits_backbone):
    """A run with numbers, a seed and a choice that are not the defaults."""
    out = tmp_path_factory.mktemp("first") / "results"
    code = ganbench(
        "run", "--variants", "dcgan", "--dataset", "digits", "--device", "cpu", "--seeds", "7,",
        "--budget", "4steps", "--set", "batch_size=16", "--set", "generator_width=4",
        "--set", "lr_g=0.00037", "--evaluate-every", "2steps", "--sample-every", "3steps",
        "--out", out,
    )  # fmt: skip
    assert code == 0
    (run,) = (out / "runs").iterdir()
    return run


@pytest.mark.slow
def test_a_stored_run_is_repeated_to_the_last_bit(stored, tmp_path, capsys):
    assert ganbench("run", "--from", stored, "--out", tmp_path / "again") == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "scores equal the stored run's to the last bit" in printed
    assert "not the run" not in printed
    first, again = (
        StoredRun.read(path) for path in (stored, tmp_path / "again" / "runs" / stored.name)
    )
    assert first.result.scores == again.result.scores
    assert first.result.recipe == again.result.recipe
    untimed = [pd.read_csv(run.scores).drop(columns="seconds").to_csv() for run in (first, again)]
    assert untimed[0] == untimed[1]
    assert [grid.name for grid in first.samples] == [grid.name for grid in again.samples]


@pytest.mark.slow
def test_without_a_folder_a_run_is_repeated_in_a_new_one(tmp_path, monkeypatch, capsys, stored):
    """And not compared with itself where it was made today in a folder without a name."""
    monkeypatch.chdir(tmp_path)
    for name in ("first", "second"):
        assert ganbench("run", "--from", stored) == 0
        assert "scores equal the stored run's" in " ".join(capsys.readouterr().out.split()), name
    first, second = sorted((tmp_path / "results").iterdir())
    assert ganbench("run", "--from", stored, "--out", first) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "not done again, as it was finished before; give another --out" in printed
    assert "scores equal" not in printed
    assert (second / "runs" / stored.name).is_dir()


@pytest.mark.slow
def test_flags_change_a_repeated_run_and_are_named(stored, capsys, monkeypatch):
    monkeypatch.setattr(
        "ganbench.workflow.expected_time.costs_of", lambda *_, **__: {}
    )  # tested by itself
    code = ganbench("run", "--from", stored, "--set", "lr_g=1e-3", "--seeds", "8,", "--dry-run")
    assert code == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert f"not the run {stored.name}: seed 7 is now 8" in printed
    assert "lr_g 0.00037 is now 0.001" in printed
    assert "batch_size" not in printed  # its own settings stay


def test_a_results_folder_in_the_place_of_a_run_is_refused_with_an_example(stored, capsys):
    assert ganbench("run", "--from", stored.parents[1]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert str(stored) in error


def test_a_run_that_is_not_there_is_refused(tmp_path, capsys):
    assert ganbench("run", "--from", tmp_path / "none") == 2
    assert "holds no run" in capsys.readouterr().err


def test_a_suite_file_beside_a_run_is_refused(stored, tmp_path, capsys):
    (tmp_path / "suite.yaml").write_text("variants: mlp", encoding="utf-8")
    assert ganbench("run", tmp_path / "suite.yaml", "--from", stored) == 2
    assert "give one of them" in capsys.readouterr().err


def test_scores_that_differ_are_named_with_both_values():
    first = doubles.result(scores={"fid": 1.5, "recall": 0.5})
    again = dataclasses.replace(first, scores={"fid": 1.25, "recall": 0.5})
    printed = repeat.verdict(first, again)
    assert "1 of 2 scores differ" in printed
    assert "fid 1.5 → 1.25" in printed
    assert "equal" in repeat.verdict(first, first)


def test_scores_that_differ_stand_beside_the_conditions_that_do():
    first = doubles.result(scores={"fid": 1.5}, environment={"threads": 2})
    again = dataclasses.replace(first, scores={"fid": 1.25}, environment={"threads": 1}, steps=3)
    printed = repeat.verdict(first, again)
    assert "threads 2 is now 1, steps 4,690 is now 3" in printed
    same = dataclasses.replace(first, scores={"fid": 1.25})
    assert "threads, device and versions are the same" in repeat.verdict(first, same)


NOW = {"threads": "2", "device": "Imaginary CPU 9000 (cpu)", "torch": "2.14.1"}


@pytest.mark.parametrize(
    ("now", "device", "budget", "text"),
    [
        ({}, "cpu", "2steps", "with 2 threads, torch 2.14.1, Imaginary CPU 9000 (cpu), as now"),
        ({"threads": "1"}, "cpu", "2steps", "threads 2 is now 1, so its scores may come out"),
        ({"threads": "1"}, "cpu", "2steps", "OMP_NUM_THREADS"),
        ({"torch": "3.0"}, "cpu", "2steps", "torch 2.14.1 is now 3.0"),
        ({"device": "Imaginary CPU 9000 (cuda)"}, "cuda", "2steps", "need not add numbers in"),
        ({}, "cpu", "20s", "may end after another step"),
    ],
)  # fmt: skip
def test_what_made_a_run_is_said_before_it_is_repeated(now, device, budget, text):
    stored = doubles.result(device=device, environment={"threads": 2, "torch": "2.14.1"})
    plan = planned(budget=budget)
    assert text in repeat.expectation(stored, plan, {**NOW, **now})


def test_scores_of_unequal_protocols_are_not_compared():
    first = doubles.result()
    printed = repeat.verdict(first, dataclasses.replace(first, protocol="another"))
    assert "not compared" in printed
