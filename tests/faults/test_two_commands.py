"""Two commands at once: in one results folder, and with one cache."""

from __future__ import annotations

import subprocess
import time

import pytest
from fault_doubles import EVERY_PART, command, results, same, weights
from launch_doubles import context, display, planned, said

from ganbench.launch.process_pool import carry_out
from ganbench.launch.tasks import JobTask

pytestmark = pytest.mark.slow


def test_of_two_equal_commands_one_says_that_the_other_works(tmp_path, digits_backbone):
    line = command(tmp_path / "out", "--budget", "300steps")
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as first:
        deadline = time.monotonic() + 60
        while not (tmp_path / "out" / "plan.json").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        second = subprocess.run(line, capture_output=True, text=True, check=False)
        first.communicate(timeout=300)
    assert first.returncode == 0
    assert second.returncode == 2
    assert f"process {first.pid} on" in second.stderr
    assert second.stderr.count("\n") == 1
    assert [one["status"] for one in results(tmp_path / "out")] == ["ok"]


def test_two_commands_may_fill_one_cache(tmp_path, figure):
    (job,) = planned(**EVERY_PART).jobs
    places = [context(tmp_path / f"{number}", tmp_path / "cache") for number in range(3)]
    first, second, third = (JobTask(job, place) for place in places)
    shown = display()
    carry_out([first, second], shown, at_a_time=2)
    carry_out([third], shown)
    assert "is computed again" not in said(shown)
    outs = [place.folder.path for place in places]
    scores = [[one["scores"] for one in results(out)] for out in outs]
    assert scores[0] == scores[1] == scores[2]
    assert same(weights(outs[0]), weights(outs[1]))
    assert list((tmp_path / "cache").rglob(".part-*")) == []
    figure(2, 2, "processes that filled one cache at once had the scores of a third one")
