"""Runs on a real cluster of Ray: a head and two workers, as processes of this machine."""

from __future__ import annotations

import os
import shutil
import subprocess

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
from ray_machines import Loopback, Namespaces

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("digits_backbone")]
pytest.importorskip("ray")

RUNS = 16


def machines(kind, tmp_path):
    """A head on which nothing runs, and two machines of a processor each, with their own cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("GANBENCH_CACHE", str(tmp_path / "cache of the machines"))
        started = kind()
    try:
        yield started
    finally:
        started.shutdown()


@pytest.fixture
def cluster(tmp_path):
    """Machines on loopback."""
    yield from machines(Loopback, tmp_path)


@pytest.fixture
def apart(tmp_path):
    """Machines with networks of their own, where that works."""
    yield from machines(Namespaces if Namespaces.are_possible() else Loopback, tmp_path)


def test_a_killed_machine_and_a_killed_command_cost_no_row_and_no_bit(apart, tmp_path):
    variant, out, alone = plugin(tmp_path), tmp_path / "cluster", tmp_path / "alone"
    more = ("--seeds", RUNS, "--budget", "5steps")
    line = command(variant, out, *more, "--launcher", "ray", "--ray-address", apart.address)
    line = [*apart.prefix, *line]

    killed = start(line)
    wait_until(lambda: finished(out) >= 3, killed)
    killed.kill()
    killed.communicate()
    before = finished(out)
    assert before < RUNS

    again = start(line)
    wait_until(lambda: finished(out) >= before + 3, again)
    apart.kill_one()
    printed, errors = again.communicate(timeout=900)
    assert again.returncode == 0, printed + errors
    assert errors == ""
    assert printed.count("kept, it was finished before") >= before

    # Statistics of real images in another cache may be of another number of threads
    here = {"OMP_NUM_THREADS": "1", "GANBENCH_CACHE": str(tmp_path / "cache here")}
    subprocess.run(command(variant, alone, *more, "--jobs", 2), check=True, capture_output=True,
                   env={**os.environ, **here}, timeout=900)  # fmt: skip
    assert len(rows(out)) == RUNS
    assert rows(out) == rows(alone)


def test_ctrl_c_saves_all_that_runs_and_the_same_command_goes_on(cluster, tmp_path):
    out = tmp_path / "results"
    line = command(plugin(tmp_path), out, "--seeds", 3, "--budget", "6000steps",
                   "--launcher", "ray", "--ray-address", cluster.address)  # fmt: skip
    interrupt_two_runs_and_go_on(line, out)
    assert [row["status"] for row in rows(out)] == ["ok"] * 3


def test_a_machine_with_another_ganbench_refuses_in_one_line(cluster, tmp_path):
    from pathlib import Path

    import ganbench.variants

    import ganbench

    copy = tmp_path / "other"
    for package, folder in ((ganbench, "ganbench"), (ganbench.variants, "ganbench/variants")):
        shutil.copytree(
            Path(package.__file__).parent,
            copy / folder,
            ignore=shutil.ignore_patterns("__pycache__"),
            dirs_exist_ok=True,
        )
    with (copy / "ganbench/errors.py").open("a", encoding="utf-8") as file:
        file.write("# another\n")
    line = command("mlp", tmp_path / "results", "--budget", "5steps",
                   "--launcher", "ray", "--ray-address", cluster.address)  # fmt: skip
    done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=400,
                          env={**os.environ, "PYTHONPATH": str(copy)}, cwd=tmp_path)  # fmt: skip
    assert done.returncode == 2, done.stdout + done.stderr
    assert "refuses runs: it has ganbench" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
