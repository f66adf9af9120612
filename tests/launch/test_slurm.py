"""Runs by submitit: its local executor stands for Slurm's queue."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from contextlib import suppress

import psutil
import pytest
from cluster_doubles import (
    command,
    finished,
    interrupt_two_runs_and_go_on,
    plugin,
    rows,
    start,
    wait_until,
)

pytest.importorskip("submitit")

LOCAL = ("--launcher", "slurm", "--slurm", "cluster=local")


def tasks(out):
    """The processes of submitit that do runs of a results folder."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            line = process.cmdline()
            if "submitit.core._submit" in line and str(out / "slurm") in line:
                found.append(process)
    return found


@pytest.mark.slow
@pytest.mark.usefixtures("digits_backbone")
def test_runs_whose_time_is_over_are_queued_again_and_a_killed_command_submits_none_twice(tmp_path):
    variant, out, alone = plugin(tmp_path), tmp_path / "queue", tmp_path / "alone"
    more = ("--seeds", 3, "--budget", "4000steps", "--jobs", 2)
    line = command(variant, out, *more, *LOCAL)

    killed = start(line)
    wait_until(lambda: len(list(out.glob("runs/.*/samples"))) >= 2, killed)
    killed.kill()
    killed.wait()  # not for the end of its output, which goes on
    before = tasks(out)
    assert len(before) == 2
    for process in before:
        process.send_signal(signal.SIGUSR2)  # as Slurm does when the time is nearly over
    psutil.wait_procs(before, timeout=120)
    assert len(list(out.glob("runs/.*/checkpoint.pt"))) == 2

    for pipe in (killed.stdout, killed.stderr):
        pipe.close()

    again = start(line)
    printed, errors = again.communicate(timeout=900)
    assert again.returncode == 0, printed + errors
    assert errors == ""
    assert "2 of 3 runs are queued already, or run" in printed
    assert printed.count("goes on at step") == 2
    assert list(out.glob("slurm/*_log.*")) == []
    assert json.loads((out / "slurm/submitted.json").read_text())["jobs"] == {}

    subprocess.run(command(variant, alone, *more), check=True, capture_output=True,
                   env={**os.environ, "OMP_NUM_THREADS": "1"}, timeout=900)  # fmt: skip
    assert len(rows(out)) == 3
    assert rows(out) == rows(alone)


@pytest.mark.slow
@pytest.mark.usefixtures("digits_backbone")
def test_ctrl_c_saves_what_runs_and_the_same_command_goes_on(tmp_path):
    out = tmp_path / "results"
    line = command("mlp", out, "--seeds", 3, "--budget", "2000steps", *LOCAL, "--jobs", 2)
    interrupt_two_runs_and_go_on(line, out)
    assert finished(out) == 3
