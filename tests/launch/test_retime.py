"""Speeds measured again, alone: what is replaced, and what is kept."""

from __future__ import annotations

import dataclasses
import io
import os
import signal

import pytest
from rich.console import Console

from ganbench.experiment import plan
from ganbench.experiment.store import ResultsFolder
from ganbench.experiment.suite import Suite
from ganbench.launch import local, retime
from ganbench.launch.progress import Display
from ganbench.launch.resources import Resources
from ganbench.machine.device import choose
from ganbench.training.loop import Stopped

pytestmark = pytest.mark.usefixtures("digits_backbone")


@pytest.fixture
def resources(tmp_path, cache_root):
    folder = ResultsFolder(tmp_path / "results")
    folder.prepare()
    return Resources(
        folder=folder,
        device=choose("cpu"),
        data_root=cache_root,
        cache_root=cache_root,
        display=Display(Console(file=io.StringIO(), width=200)),
        is_shared=True,
    )


@pytest.fixture
def small(tmp_path, monkeypatch):
    monkeypatch.setattr(retime, "_SECONDS", 0.05)
    monkeypatch.setattr(retime, "_SAMPLING_SECONDS", 0.02)
    suite = Suite(
        variants=("mlp",), dataset="digits", seeds="2", budget="6steps",
        set=("batch_size=32", "generator_width=8", "discriminator_width=8"),
    )  # fmt: skip
    return plan.make(suite, device="cpu", data_root=tmp_path)


def said(resources) -> str:
    return resources.display.console.file.getvalue()


def records(found) -> list[dict]:
    return [dataclasses.asdict(run.result) for run in found]


REPLACED = {
    "images_per_second", "step_seconds_median", "step_seconds_p95", "timed_steps", "warmup_steps",
    "timing_shared", "sample_images_per_second", "environment",
}  # fmt: skip


def test_shared_speeds_are_replaced_and_all_else_is_kept(resources, small):
    first = records(local.launch(small, resources))
    assert [one["timing_shared"] for one in first] == [True, True]
    second = records(local.launch(small, resources, jobs=2, exclusive_timing=True))
    assert [one["timing_shared"] for one in second] == [False, False]
    for before, after in zip(first, second, strict=True):
        changed = {name for name in before if before[name] != after[name]}
        assert changed <= REPLACED
        assert {"images_per_second", "timing_shared"} <= changed
        assert after["images_per_second"] > 0
        assert after["timed_steps"] + after["warmup_steps"] >= 6
        assert after["environment"]["timing_threads"] >= 1
    assert local.launch(small, resources)[0].checkpoint.exists()


def test_each_run_is_timed_once(resources, small, monkeypatch):
    local.launch(small, resources)
    local.launch(small, resources, exclusive_timing=True)
    monkeypatch.delattr(local, "time_alone")
    local.launch(small, resources, exclusive_timing=True)
    assert "changes nothing" in said(resources)


def test_an_interrupted_timing_goes_on_with_the_runs_that_are_still_shared(
    resources, small, monkeypatch
):
    local.launch(small, resources)
    ask = iter([False, False, True])  # two calls a run
    real = retime.train

    def interrupted(*arguments):
        if next(ask, False):
            os.kill(os.getpid(), signal.SIGINT)
        return real(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(retime, "train", interrupted)
        with pytest.raises(Stopped):
            local.launch(small, resources, exclusive_timing=True)
    found = [resources.folder.find(job.id).result for job in small.jobs]
    assert [one.timing_shared for one in found] == [False, True]
    again = local.launch(small, resources, exclusive_timing=True)
    assert [run.result.timing_shared for run in again] == [False, False]
    assert again[0].result.images_per_second == found[0].images_per_second


def test_runs_that_had_the_machine_for_themselves_are_left_as_they_are(resources, small):
    resources.is_shared = False
    first = records(local.launch(small, resources, exclusive_timing=True))
    assert [one["timing_shared"] for one in first] == [False, False]
    assert "--exclusive-timing changes nothing: each run has the machine for itself" in said(
        resources
    )


def test_a_slow_step_is_timed_often_enough(resources, small, monkeypatch):
    local.launch(small, resources)
    monkeypatch.setattr(retime, "_SECONDS", 1e-6)
    (run, _) = local.launch(small, resources, exclusive_timing=True)
    assert run.result.timed_steps + run.result.warmup_steps == retime._FEWEST_STEPS
