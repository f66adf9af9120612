"""A stop in the middle of an evaluation during training: obeyed at once, and nothing changes."""

from __future__ import annotations

import math
import os
import signal

import launch_doubles
import pytest
import torch
from launch_doubles import planned

from ganbench.launch.run_job import run_job
from ganbench.machine import interrupt
from ganbench.machine.interrupt import Stopped
from ganbench.scoring import evaluate as evaluating


def run(root, cache_root):
    resources = launch_doubles.resources(root, cache_root)
    (job,) = planned(budget="5steps", evaluate_every="2steps").jobs
    return run_job(job, resources)


def left_by(stored):
    values = torch.load(stored.checkpoint, weights_only=True)
    rows = [
        {name: value for name, value in row.items() if name != "seconds"}
        for row in values["over_training"]["rows"]
    ]
    return rows, values["networks"]["generator"], stored.result.scores


@pytest.mark.slow
@pytest.mark.usefixtures("digits_backbone")
def test_a_stop_in_an_evaluation_is_obeyed_before_its_end_and_the_run_goes_on_alike(
    tmp_path, cache_root, monkeypatch
):
    whole = run(tmp_path / "whole", cache_root)
    monkeypatch.setattr(interrupt, "_raised", -math.inf)
    reached = []

    def stopped(*_arguments, **_others):
        reached.append("begun")
        os.kill(os.getpid(), signal.SIGTERM)
        reached.append("ended")

    with monkeypatch.context() as patch:
        patch.setattr(evaluating.Reference, "score", stopped)
        with pytest.raises(Stopped):
            run(tmp_path / "stopped", cache_root)
    assert reached == ["begun"]
    (partial,) = (tmp_path / "stopped" / "results" / "runs").glob(".*.partial")
    kept = torch.load(partial / "checkpoint.pt", weights_only=True)
    assert (kept["steps"], kept["over_training"]["rows"]) == (2, [])

    rows, generator, scores = left_by(run(tmp_path / "stopped", cache_root))
    expected_rows, expected_generator, expected_scores = left_by(whole)
    assert [row["step"] for row in rows] == [2, 4, 5]
    assert (rows, scores) == (expected_rows, expected_scores)
    for name, weight in expected_generator.items():
        assert torch.equal(weight, generator[name])
