"""A run that was stopped and goes on with other threads or versions says so."""

from __future__ import annotations

import pytest
import torch
from launch_doubles import planned, resources, said

from ganbench.launch import run_job as running
from ganbench.launch.run_job import run_job
from ganbench.launch.trained_under import TrainedUnder
from ganbench.machine.interrupt import Stopped

pytestmark = pytest.mark.usefixtures("digits_backbone")


def test_equal_conditions_leave_no_note():
    first = TrainedUnder({"threads": "2"})
    assert first.go_on(0) == ""
    second = TrainedUnder({"threads": "2"})
    second.load_state_dict(first.state_dict())
    assert second.go_on(7) == ""
    assert second.notes == ()


def test_each_change_of_conditions_is_one_note_that_names_the_step():
    kept = {}
    for threads, step in (("2", 0), ("1", 1200), ("1", 1300), ("4", 2000)):
        part = TrainedUnder({"threads": threads, "torch": "2.14.1"})
        if kept:
            part.load_state_dict(kept)
        part.go_on(step)
        kept = part.state_dict()
    first, second = part.notes
    assert "step 1,200" in first
    assert "(threads 2 is now 1)" in first
    assert "step 2,000" in second
    assert "(threads 1 is now 4)" in second


def test_a_run_that_goes_on_with_other_threads_says_so_in_its_result(
    tmp_path, cache_root, monkeypatch
):
    (job,) = planned(budget="6steps").jobs
    needed = resources(tmp_path, cache_root)

    real = running.train

    def stopped_at_the_third_step(session, budget, samples, scores, _stop):
        return real(session, budget, samples, scores, lambda: session.steps >= 3)

    threads = torch.get_num_threads()
    with monkeypatch.context() as patch:
        patch.setattr(running, "train", stopped_at_the_third_step)
        with pytest.raises(Stopped):
            run_job(job, needed)
    torch.set_num_threads(threads + 1)
    try:
        run = run_job(job, needed)
    finally:
        torch.set_num_threads(threads)
    text = f"threads {threads} is now {threads + 1}"
    assert any(text in note for note in run.result.notes)
    assert text in said(needed.display)
    assert run.result.environment["threads"] == threads + 1
