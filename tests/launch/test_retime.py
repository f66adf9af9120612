"""Speeds measured again, alone: what is replaced, and what is kept."""

from __future__ import annotations

import dataclasses
import os
import signal

import pytest
from launch_doubles import context, display, planned, resources, said

from ganbench.launch import local, process_pool, retime
from ganbench.launch.retime import time_alone
from ganbench.launch.run_job import run_job
from ganbench.machine.interrupt import Stopped

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("digits_backbone")]

REPLACED = {
    "images_per_second", "step_seconds_median", "step_seconds_p95", "timed_steps", "warmup_steps",
    "timing_shared", "sample_images_per_second", "environment",
}  # fmt: skip


@pytest.fixture
def shared(tmp_path, cache_root, monkeypatch):
    """Two finished runs whose speeds are shared, with the plan and what it needs."""
    monkeypatch.setattr(retime, "_SECONDS", 0.05)
    monkeypatch.setattr(retime, "_SAMPLING_SECONDS", 0.02)
    plan = planned(seeds="2", budget="6steps")
    needed = resources(tmp_path, cache_root, is_shared=True)
    for job in plan.jobs:
        run_job(job, needed)
    runs = [needed.folder.find(job.id) for job in plan.jobs]
    assert [run.result.timing_shared for run in runs] == [True, True]
    return plan, needed, runs


@pytest.fixture
def in_this_process(shared, monkeypatch):
    """`launch` does its tasks here, so that a test may shorten them; labels of those it did."""
    _, needed, _ = shared
    carried_out = []

    def carry_out(tasks, _display, *, done, **_how):
        for task in tasks:
            carried_out.append(type(task).__name__)
            done(task, time_alone(task.job, needed))

    monkeypatch.setattr(process_pool, "carry_out", carry_out)
    return carried_out


def launched(shared, tmp_path, cache_root, **how):
    plan, _, _ = shared
    shown = display()
    return local.launch(plan, context(tmp_path, cache_root), shown, **how), said(shown)


def test_shared_speeds_are_replaced_and_all_else_is_kept(shared):
    plan, needed, runs = shared
    for job, before in zip(plan.jobs, runs, strict=True):
        time_alone(job, needed)
        after = needed.folder.find(job.id).result
        assert after.timing_shared is False
        first, second = dataclasses.asdict(before.result), dataclasses.asdict(after)
        changed = {name for name in first if first[name] != second[name]}
        assert changed <= REPLACED
        assert {"images_per_second", "timing_shared"} <= changed
        assert after.images_per_second > 0
        assert after.timed_steps + after.warmup_steps >= 6
        assert after.environment["timing_threads"] >= 1
        assert needed.folder.find(job.id).checkpoint.exists()


def test_each_run_is_timed_once(shared, in_this_process, tmp_path, cache_root):
    runs, text = launched(shared, tmp_path, cache_root, jobs=2, exclusive_timing=True)
    assert [run.result.timing_shared for run in runs] == [False, False]
    assert text.count("images/s alone") == 2
    assert in_this_process == ["TimingTask", "TimingTask"]
    _, text = launched(shared, tmp_path, cache_root, jobs=2, exclusive_timing=True)
    assert "--exclusive-timing changes nothing: no speed is shared" in text
    assert len(in_this_process) == 2


def test_a_run_of_another_machine_keeps_its_speeds(shared):
    plan, needed, (run, _) = shared
    elsewhere = dataclasses.replace(run.result, device_name="another processor")
    needed.folder.amend(elsewhere)
    assert time_alone(plan.jobs[0], needed).result == elsewhere
    assert needed.folder.find(plan.jobs[0].id).result == elsewhere
    assert "stay shared, as it was trained on another processor and this is" in said(needed.display)


def test_runs_that_had_the_machine_for_themselves_are_left_as_they_are(
    shared, in_this_process, tmp_path, cache_root
):
    plan, needed, _ = shared
    for job in plan.jobs:
        time_alone(job, needed)
    _, text = launched(shared, tmp_path, cache_root, exclusive_timing=True)
    assert "changes nothing: each run has the machine for itself" in text


def test_an_interrupted_timing_leaves_the_run_as_it_is(shared, monkeypatch):
    plan, needed, runs = shared
    real = retime.train

    def interrupted(*arguments, **names):
        os.kill(os.getpid(), signal.SIGINT)
        return real(*arguments, **names)

    with monkeypatch.context() as patch:
        patch.setattr(retime, "train", interrupted)
        with pytest.raises(Stopped):
            time_alone(plan.jobs[0], needed)
    assert needed.folder.find(plan.jobs[0].id) == runs[0]


def test_a_slow_step_is_timed_often_enough(shared, monkeypatch):
    plan, needed, _ = shared
    monkeypatch.setattr(retime, "_SECONDS", 1e-6)
    result = time_alone(plan.jobs[0], needed).result
    assert result.timed_steps + result.warmup_steps == retime._FEWEST_STEPS


@pytest.mark.slow
def test_each_run_is_timed_in_a_process_of_its_own(tmp_path, cache_root):
    shown = display()
    where = context(tmp_path, cache_root)
    runs = local.launch(
        planned(seeds="2", budget="6steps"), where, shown, jobs=2, exclusive_timing=True
    )
    assert [run.result.timing_shared for run in runs] == [False, False]
    assert said(shown).count("images/s alone") == 2
