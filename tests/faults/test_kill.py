"""Processes that are killed at any moment: the same command goes on to the same bits."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time

import pytest
from fault_doubles import (
    EVERY_PART,
    Killed,
    carry_out,
    command,
    leftovers,
    results,
    same,
    weights,
)
from launch_doubles import context, display, planned

from ganbench.data import cache
from ganbench.experiment.lock import locked
from ganbench.launch.local import launch
from ganbench.launch.tasks import JobTask

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def calm(tmp_path_factory, digits_backbone):
    """A run that nobody disturbs: its plan, its folder, its cache, and its seconds."""
    root = tmp_path_factory.mktemp("calm")
    plan = planned(**EVERY_PART)
    launch(plan, context(root / "first", root / "cache"), display())  # fills the cache
    begun = time.monotonic()
    launch(plan, context(root / "second", root / "cache"), display())
    return plan, root / "second" / "results", root / "cache", time.monotonic() - begun


def go_on(plan, needed):
    """Do the rest of a plan as the command does it, which first removes what a kill has left."""
    with locked(needed.folder.path):
        needed.folder.clean()
        cache.clean(needed.cache_root)
        assert list(needed.folder.path.rglob(".part-*")) == []
        assert list(needed.cache_root.rglob(".part-*")) == []
        launch(plan, needed, display())


def is_equal(out, other):
    pair = results(out), results(other)
    scores = [[one["scores"], one["over_training"]["best"]["scores"]] for (one,) in pair]
    history = [next(place.glob("runs/mlp-*/history.csv")).read_text() for place in (out, other)]
    columns = [[line.split(",")[:2] for line in text.splitlines()] for text in history]
    return (
        scores[0] == scores[1] and columns[0] == columns[1] and same(weights(out), weights(other))
    )


def test_a_run_killed_at_a_random_moment_ends_with_the_same_bits(calm, tmp_path, figure):
    plan, undisturbed, filled, seconds = calm
    choice, trials, survived, killed = random.Random(0), 12, 0, 0
    for number in range(trials):
        needed = context(tmp_path / f"{number}", filled)
        task = JobTask(plan.jobs[0], needed)
        killed += carry_out(task, choice.uniform(0, seconds)) is None
        go_on(plan, needed)
        survived += is_equal(needed.folder.path, undisturbed) and not leftovers(tmp_path)
    figure(survived, trials, f"runs ended with the same bits ({killed} of them were killed)")
    assert survived == trials
    assert killed > trials / 2


@pytest.mark.parametrize(("folder", "least"), [("results", 15), ("cache", 4)])
def test_a_run_killed_at_each_of_its_writes_ends_with_the_same_bits(
    calm, tmp_path, figure, folder, least
):
    plan, undisturbed, filled, _ = calm
    survived = number = 0
    while True:
        root = tmp_path / f"{number}"
        needed = context(root, filled if folder == "results" else root / "cache")
        if carry_out(Killed(JobTask(plan.jobs[0], needed), number, root / folder)) is not None:
            break  # all has been written
        go_on(plan, needed)
        survived += is_equal(needed.folder.path, undisturbed) and not leftovers(root)
        number += 1
    figure(survived, number, f"runs killed at the n-th write to the {folder} ended alike")
    assert survived == number >= least


def test_a_command_killed_again_and_again_ends_with_the_same_bits(
    tmp_path, digits_backbone, figure
):
    budget = ("--budget", "3000steps", "--sample-every", "500steps", "--evaluate-every", "300steps")
    subprocess.run(command(tmp_path / "calm", *budget), capture_output=True, check=True)
    out, choice, kills = tmp_path / "killed", random.Random(1), 0
    for to_all in (True, False, True, False):
        with subprocess.Popen(
            command(out, *budget), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            start_new_session=True,
        ) as process:  # fmt: skip
            assert process.stdout is not None
            for line in process.stdout:
                if "step" in line:  # it trains
                    break
            try:
                process.wait(choice.uniform(0, 1.5))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL) if to_all else process.kill()
                kills += 1
    done = subprocess.run(command(out, *budget), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert is_equal(out, tmp_path / "calm")
    assert leftovers(out) == []
    figure(kills, 4, "kills of a command left what the next one went on with, to the same bits")
    assert kills
