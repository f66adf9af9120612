"""Two commands at once: in one results folder, and with one cache."""

from __future__ import annotations

import subprocess
import time

import pytest
from fault_doubles import command, results

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
