"""What goes wrong around a command: it is killed, the disk is full, files are damaged, two at once.

Each test prints how many faults were injected, and of how many nothing was lost.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from launch_doubles import planned, resources

from ganbench.errors import UsageError
from ganbench.launch.run_job import run_job
from ganbench.machine import whole_files

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


def weights(out):
    (file,) = out.glob("runs/[!.]*/checkpoint.pt")
    return torch.load(file, weights_only=True)["networks"]


def say(line):
    """Show how many faults of how many were survived; `-rP` shows it of tests that pass."""
    sys.stdout.write(f"{line}\n")


def same(one, other):
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


def leftovers(*roots):
    return [path for root in roots for path in Path(root).rglob(".part-*")]


def test_a_command_that_is_killed_again_and_again_ends_with_the_same_bits(
    tmp_path, cache_root, digits_backbone
):
    budget = ("--budget", "600steps", "--sample-every", "100steps", "--evaluate-every", "150steps")
    subprocess.run(command(tmp_path / "calm", *budget), capture_output=True, check=True)
    out, choice, kills = tmp_path / "killed", random.Random(0), 0
    for _ in range(5):
        with subprocess.Popen(
            command(out, *budget), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as process:  # fmt: skip
            try:
                process.wait(timeout=choice.uniform(3, 10))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                kills += 1
    done = subprocess.run(command(out, *budget), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    scores = [results(tmp_path / name)[0]["scores"] for name in ("calm", "killed")]
    assert same(weights(out), weights(tmp_path / "calm"))
    assert scores[0] == scores[1]
    assert leftovers(out) == []
    say(f"killed and resumed to the last bit: {kills} of {kills}")


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


def test_a_disk_that_is_full_at_the_nth_write_loses_nothing(
    tmp_path, cache_root, digits_backbone, monkeypatch
):
    (job,) = planned(budget="4steps", sample_every="2steps", evaluate_every="2steps").jobs
    replace, counted = Path.replace, []

    def count(path, target):
        counted.append(target)
        return replace(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(whole_files.Path, "replace", count)
        calm = run_job(job, resources(tmp_path / "calm", cache_root))
    writes, survived = len(counted), 0
    for number in range(writes):
        needed, left = resources(tmp_path / f"{number}", cache_root), [number]

        def full(path, target, left=left):
            left[0] -= 1
            if left[0] == -1:
                raise OSError(28, "No space left on device")
            return replace(path, target)

        with monkeypatch.context() as patch:
            patch.setattr(whole_files.Path, "replace", full)
            with pytest.raises(UsageError, match="No space left") as caught:
                run_job(job, needed)
        assert "\n" not in str(caught.value)
        assert leftovers(tmp_path / f"{number}") == []
        again = run_job(job, needed)
        survived += again.result.scores == calm.result.scores
    say(f"full at the n-th write, and gone on to the same scores: {survived} of {writes}")
    assert survived == writes > 8


def test_every_damaged_file_of_the_cache_is_computed_again_and_that_is_said(
    tmp_path, cache_root, digits_backbone, caplog
):
    (job,) = planned(budget="2steps").jobs
    own = tmp_path / "cache"
    calm = run_job(job, resources(tmp_path / "calm", own)).result
    files = sorted(path for path in own.rglob("*") if path.is_file())
    choice, seen = random.Random(0), 0
    for number, file in enumerate(files):
        whole = np.fromfile(file, np.uint8)
        whole[choice.randrange(len(whole))] ^= 1 << choice.randrange(8)
        whole.tofile(file)
        caplog.clear()
        again = run_job(job, resources(tmp_path / f"{number}", own)).result
        assert again.scores == calm.scores
        seen += str(file) in caplog.text
    say(f"damaged files of the cache that were seen: {seen} of {len(files)}")
    assert seen == len(files) > 4
