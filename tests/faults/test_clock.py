"""A clock that jumps by years, forth and back, while a command runs: only dates change."""

from __future__ import annotations

import csv
import gzip
import itertools
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from fault_doubles import command, results, same, weights

LIBRARY = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))), None)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(LIBRARY is None, reason="needs Debian's package faketime"),
]


def faked(file):
    """The environment of a process whose time of day is off by what a file says."""
    return {
        **os.environ,
        "LD_PRELOAD": str(LIBRARY),
        "FAKETIME_TIMESTAMP_FILE": str(file),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",  # which no change of the time of day reaches
        "NO_FAKE_STAT": "1",
    }


def run_while_the_clock_jumps(line, folder):
    """Run a command in whose processes the time of day jumps a few times a second."""
    file, ended = folder / "offset", threading.Event()
    file.write_text("+0")

    def jump():
        for offset in itertools.cycle(["+400d", "-400d", "+3h", "-9000d"]):
            beside = file.with_suffix(".next")
            beside.write_text(offset)
            beside.replace(file)
            if ended.wait(0.2):
                return

    jumping = threading.Thread(target=jump)
    jumping.start()
    begun = time.monotonic()
    try:
        done = subprocess.run(line, env=faked(file), capture_output=True, text=True, check=False)
    finally:
        ended.set()
        jumping.join()
    return done, time.monotonic() - begun


def test_the_faked_clock_does_jump(tmp_path):
    (tmp_path / "offset").write_text("+400d")
    show = (
        "import pathlib, time\n"
        "before = time.time(), time.monotonic()\n"
        f"pathlib.Path({str(tmp_path / 'offset')!r}).write_text('-400d')\n"
        "print(time.time() - before[0] < -6e7, 0 <= time.monotonic() - before[1] < 60)"
    )
    env = faked(tmp_path / "offset")
    done = subprocess.run([sys.executable, "-c", show], env=env, capture_output=True, check=True)
    assert done.stdout.split() == [b"True", b"True"]


def test_jumps_of_the_clock_change_nothing_but_dates(tmp_path, digits_backbone, figure):
    flags = ("--budget", "800steps", "--evaluate-every", "200steps", "--sample-every", "50steps")
    subprocess.run(command(tmp_path / "calm", *flags), check=True, capture_output=True)
    done, wall = run_while_the_clock_jumps(command(tmp_path / "out", *flags), tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    (calm,), (record,) = results(tmp_path / "calm"), results(tmp_path / "out")
    assert record["scores"] == calm["scores"]
    assert same(weights(tmp_path / "out"), weights(tmp_path / "calm"))

    durations = {
        name: value
        for name, value in {**record, **record["outside_seconds"]}.items()
        if isinstance(value, float)
        and (name.endswith("seconds") or name in record["outside_seconds"])
    }
    (file,) = (tmp_path / "out").glob("runs/mlp-*/step_seconds.csv.gz")
    with gzip.open(file, "rt") as table:
        steps = [float(row["seconds"]) for row in csv.DictReader(table)]
    sane = sum(0 <= seconds < wall for seconds in (*durations.values(), *steps))
    figure(sane, len(durations) + len(steps), "durations were sane while the clock jumped")
    assert {"train_seconds", "evaluation"} <= durations.keys()
    assert len(steps) == 800
    assert sane == len(durations) + len(steps)


def test_a_budget_in_seconds_is_kept_while_the_clock_jumps(tmp_path, digits_backbone):
    done, _ = run_while_the_clock_jumps(command(tmp_path / "out", "--budget", "2s"), tmp_path)
    assert done.returncode == 0, done.stderr
    (record,) = results(tmp_path / "out")
    assert 2 <= record["train_seconds"] < 12
