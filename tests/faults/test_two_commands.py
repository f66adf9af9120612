"""Two commands at once: in one results folder, and with one cache."""

from __future__ import annotations

import subprocess
import time

import pytest
from fault_doubles import command, results, same, weights

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


def test_two_commands_may_fill_one_cache(tmp_path, monkeypatch, figure):
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "cache"))
    flags = ("--budget", "5steps")
    outs = [tmp_path / f"{number}" for number in range(3)]
    begun = [
        subprocess.Popen(
            command(out, *flags), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for out in outs[:2]
    ]
    said = [process.communicate(timeout=300) for process in begun]
    assert [process.returncode for process in begun] == [0, 0], said
    last = subprocess.run(command(outs[2], *flags), capture_output=True, text=True, check=True)
    assert "is computed again" not in "".join([last.stdout, *(text for text, _ in said)])
    scores = [[one["scores"] for one in results(out)] for out in outs]
    assert scores[0] == scores[1] == scores[2]
    assert same(weights(outs[0]), weights(outs[1]))
    assert list((tmp_path / "cache").rglob(".part-*")) == []
    figure(2, 2, "commands that filled one cache at once had the scores of a third one")
