"""`ganbench tune` as its user calls it."""

from __future__ import annotations

import csv
import json
import sys

import pytest
from command_line import ganbench, one_line
from tuning_doubles import Launcher, find_variants_once

BASIS = ("tune", "--variants", "mlp,dcgan", "--dataset", "digits", "--device", "cpu")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--budget", "9lightyears"), "lightyears"),
        (("--budget", "10steps", "--trials", "0"), "'0' was given"),
        (("--budget", "10steps", "--space", "lr_x=1:2"), "unknown recipe key 'lr_x'"),
        (("--budget", "10steps", "--space", "lr_g=1"), "give KEY=LOW:HIGH"),
        (("--budget", "10steps", "--sampler", "grid"), "give random or tpe"),
        (("--budget", "10steps", "--search-seed", 2**63), "a seed from 0 to"),
        (("--budget", "10steps", "--set", "mlp.augment=" + "flip," * 2000), "cannot be stored"),
        (("--budget", "10steps", "--seeds", "auto"), "a count or a list of seeds"),
        ((), "--budget"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_code_2(capsys, tmp_path, flags, message):
    assert ganbench(*BASIS, *flags, "--out", tmp_path / "out") == 2
    assert message in one_line(capsys)
    assert not (tmp_path / "out").exists()


def test_without_optuna_it_says_how_to_install_it(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    assert ganbench(*BASIS, "--budget", "10steps") == 2
    assert "python -m pip install 'ganbench[tune]'" in one_line(capsys)


def test_it_says_where_the_results_are_and_a_variant_without_a_score_is_code_1(
    capsys, monkeypatch, tmp_path
):
    find_variants_once(monkeypatch)
    monkeypatch.setattr("ganbench.launch.processes.start_server", lambda: None)
    Launcher(monkeypatch, failing=lambda job: job.variant == "mlp" and job.noise == "choosing")
    out = tmp_path / "out"
    flags = ("--budget", "8epochs", "--trials", 2, "--seeds", 2, "--out", out)
    assert ganbench(*BASIS, *flags) == 1
    printed = capsys.readouterr().out
    assert "mlp: no trial has a score, so that there is no tuned recipe" in printed
    assert f"results: {out}" in "".join(printed.splitlines())


@pytest.mark.slow
def test_a_real_tuning_ends_with_better_recipes_and_their_suite_gives_the_same_runs(
    capsys, tmp_path
):
    out, again = tmp_path / "out", tmp_path / "again"
    flags = ("--variants", "mlp", "--dataset", "digits", "--device", "cpu", "--budget", "30steps")
    assert ganbench("tune", *flags, "--trials", 3, "--seeds", 2, "--out", out) == 0
    record = json.loads((out / "tuning.json").read_text())
    tuned = [run_id for run_id, name in record["names"].items() if name == "tuned"]
    assert len(tuned) == 2
    assert ganbench("run", out / "suites" / "tuned.yaml", "--out", again) == 0
    for run_id in tuned:
        before, after = (
            json.loads((folder / "runs" / run_id / "result.json").read_text())
            for folder in (out, again)
        )
        assert before["scores"] == after["scores"]
    with (out / "trials.csv").open() as file:
        trials = list(csv.DictReader(file))
    assert [trial["recipe"] for trial in trials] == ["drawn"] * 3 + ["default"] * 2
    for trial in trials:
        run = json.loads((out / "trials/runs" / trial["run_id"] / "result.json").read_text())
        assert run["scores"]["fid"] == float(trial["score"])
        assert run["protocol_fields"]["fake_count"] == 1438 // 2
    final = json.loads((out / "runs" / tuned[0] / "result.json").read_text())
    assert final["protocol_fields"]["fake_count"] == 1438
    capsys.readouterr()
