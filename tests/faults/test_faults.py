"""What goes wrong around a command: two of them work in one folder."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest

pytestmark = pytest.mark.slow

SETTINGS = (
    "--set",
    "batch_size=32",
    "--set",
    "generator_width=8",
    "--set",
    "discriminator_width=8",
)


def command(out, *flags):
    line = [sys.executable, "-m", "ganbench", "run", "--dataset", "digits", "--device", "cpu"]
    return [*line, "--variants", "mlp", *SETTINGS, "--out", str(out), *map(str, flags)]


def results(out):
    return [json.loads(file.read_text()) for file in sorted(out.glob("runs/[!.]*/result.json"))]


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
