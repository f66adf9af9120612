"""Runs by submitit: its local executor stands for Slurm's queue."""

from __future__ import annotations

import json
import os
import signal
import subprocess

import pytest
from cluster_doubles import command, finished, plugin, rows, start, wait_until

pytest.importorskip("submitit")

LOCAL = ("--launcher", "slurm", "--slurm", "cluster=local")


@pytest.mark.slow
@pytest.mark.usefixtures("digits_backbone")
def test_runs_whose_time_is_over_are_queued_again_and_a_killed_command_submits_none_twice(tmp_path):
    variant, out, alone = plugin(tmp_path), tmp_path / "queue", tmp_path / "alone"
    more = ("--seeds", 3, "--budget", "6000steps")
    # 30 seconds for each attempt, of which the last 10 are for saving
    times = ("--slurm", "timeout_min=0.5", "--slurm", "signal_delay_s=10")
    line = command(variant, out, *more, *LOCAL, *times, "--jobs", 2)

    killed = start(line)
    wait_until(lambda: len(list(out.glob("runs/.*/samples"))) >= 2, killed)
    killed.kill()
    killed.communicate()
    again = start(line)
    printed, errors = again.communicate(timeout=900)
    assert again.returncode == 0, printed + errors
    assert errors == ""
    assert "of 3 runs are queued already, or run" in printed
    assert "goes on at step" in printed
    logs = [file.read_text() for file in out.glob("slurm/*_log.*")]
    assert logs == []
    assert json.loads((out / "slurm/submitted.json").read_text())["jobs"] == {}

    subprocess.run(command(variant, alone, *more, "--jobs", 2), check=True, capture_output=True,
                   env={**os.environ, "OMP_NUM_THREADS": "2"}, timeout=900)  # fmt: skip
    assert len(rows(out)) == 3
    assert rows(out) == rows(alone)


@pytest.mark.slow
@pytest.mark.usefixtures("digits_backbone")
def test_ctrl_c_saves_what_runs_and_the_same_command_goes_on(tmp_path):
    out = tmp_path / "results"
    line = command("mlp", out, "--seeds", 3, "--budget", "3000steps", *LOCAL, "--jobs", 2)
    process = start(line)
    wait_until(lambda: len(list(out.glob("runs/.*/samples"))) >= 2, process)
    process.send_signal(signal.SIGINT)
    printed, errors = process.communicate(timeout=120)
    assert process.returncode == 130, printed + errors
    assert "stopped and saved" in printed
    assert errors == ""
    assert len(list(out.glob("runs/.*/checkpoint.pt"))) == 2
    again = subprocess.run(line, capture_output=True, text=True, check=True, timeout=400)
    assert again.stdout.count("goes on at step") == 2
    assert finished(out) == 3
