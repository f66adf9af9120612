"""The seconds of each step that a run leaves, and the speeds that follow from them."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from launch_doubles import planned, resources

from ganbench.experiment.store import STEP_SECONDS_FILE
from ganbench.launch import retime
from ganbench.launch.recorder import write_step_seconds
from ganbench.launch.retime import time_alone
from ganbench.launch.run_job import run_job
from ganbench.machine.device import Device
from ganbench.training.clock import TrainingClock

pytestmark = pytest.mark.usefixtures("digits_backbone")


def recomputed(run):
    """The speeds of a run, by pandas from the file of its steps."""
    steps = pd.read_csv(run.step_seconds)
    timed = steps[steps["timed"] == 1]
    return {
        "step_seconds_median": timed["seconds"].median(),
        "step_seconds_p95": timed["seconds"].quantile(0.95),
        "images_per_second": run.result.images_seen / run.result.steps / timed["seconds"].mean(),
        "timed_steps": len(timed),
        "warmup_steps": len(steps) - len(timed),
    }


def stored(run):
    return {name: getattr(run.result, name) for name in recomputed(run)}


def test_speeds_follow_from_the_seconds_of_the_steps(tmp_path, cache_root):
    (job,) = planned(budget="70steps", sample_every="20steps").jobs
    run = run_job(job, resources(tmp_path, cache_root))
    assert recomputed(run) == pytest.approx(stored(run), rel=1e-4)
    steps = pd.read_csv(run.step_seconds)
    assert list(steps["step"]) == list(range(1, 71))
    # ten warm up; samples are drawn after every twentieth, and after the first epoch's 45
    assert list(steps["step"][steps["timed"] == 0]) == [*range(1, 11), 21, 41, 46, 61]
    assert steps["seconds"].sum() <= run.result.train_seconds * 1.0001


def test_speeds_that_were_measured_again_follow_from_the_file_too(
    tmp_path, cache_root, monkeypatch
):
    monkeypatch.setattr(retime, "_SECONDS", 0.05)
    monkeypatch.setattr(retime, "_SAMPLING_SECONDS", 0.02)
    (job,) = planned(budget="6steps").jobs
    needed = resources(tmp_path, cache_root, is_shared=True)
    run_job(job, needed)
    run = time_alone(job, needed)
    assert recomputed(run) == pytest.approx(stored(run), rel=1e-4)


def test_the_seconds_of_many_steps_take_little_room(tmp_path):
    seconds = np.random.default_rng(0).gamma(40, 0.001, 20_000)
    clock = TrainingClock(Device("cpu"))
    clock.load_state_dict(
        {
            "seconds": seconds.sum(),
            "step_seconds": torch.from_numpy(seconds),
            "after_pause": torch.tensor([0, 500, 9000]),
        }
    )
    write_step_seconds(tmp_path, SimpleNamespace(steps=20_000, clock=clock))
    file = tmp_path / STEP_SECONDS_FILE
    assert file.stat().st_size < 200_000
    first = file.read_bytes()
    write_step_seconds(tmp_path, SimpleNamespace(steps=20_000, clock=clock))
    assert file.read_bytes() == first
    steps = pd.read_csv(file)
    np.testing.assert_allclose(steps["seconds"], seconds, rtol=1e-5)
