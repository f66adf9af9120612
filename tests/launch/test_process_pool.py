"""Runs in processes of their own, as their user meets them: interrupted, killed, or done."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("digits_backbone")

PLUGIN = '''"""Reports its threads, and may end its own process."""
import os, pathlib, signal
import ganbench
import torch
from ganbench.variants import mlp

class Recipe(ganbench.Recipe):
    """How it ends."""

    is_killed: bool = False

def objectives(recipe, dataset):
    usual = ganbench.variant.losses.bce(recipe, dataset)
    def d_loss(discriminator, real, fake):
        note = pathlib.Path(os.environ["THREADS_NOTE"])
        note.write_text(f"{torch.get_num_threads()} {os.environ.get('OMP_NUM_THREADS')}")
        if recipe.is_killed:
            os.kill(os.getpid(), signal.SIGKILL)
        return usual.d_loss(discriminator, real, fake)
    return ganbench.Losses(d_loss, usual.g_loss)

VARIANT = ganbench.Variant(
    title="odd", paper="", recipe=Recipe(image_size=28, generator_width=8, discriminator_width=8),
    generator=mlp.generator, discriminator=mlp.discriminator, losses=objectives,
)
'''


def command(out: Path, *more: object) -> list[str]:
    arguments = [
        "run", "--dataset", "digits", "--device", "cpu", "--set", "batch_size=32",
        "--sample-every", "1000epochs", "--out", out, "--jobs", 2, *more,
    ]  # fmt: skip
    return [sys.executable, "-m", "ganbench.cli.app", *map(str, arguments)]


def results(out: Path) -> list[dict[str, object]]:
    files = sorted((out / "runs").glob("[!.]*/result.json"))
    return [json.loads(file.read_text(encoding="utf-8")) for file in files]


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    file = tmp_path / "odd.py"
    file.write_text(PLUGIN, encoding="utf-8")
    monkeypatch.setenv("THREADS_NOTE", str(tmp_path / "threads"))
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    return file


@pytest.mark.slow
def test_each_run_has_its_share_of_the_threads_and_is_marked_as_shared(plugin, tmp_path):
    out = tmp_path / "results"
    done = subprocess.run(
        command(out, "--variants", plugin, "--seeds", 2, "--budget", "12steps"),
        capture_output=True, text=True, check=True, timeout=400,
    )  # fmt: skip
    assert (tmp_path / "threads").read_text() == "1 1"
    assert [one["timing_shared"] for one in results(out)] == [True, True]
    assert "odd · digits · seed 1: 100% step 12" in done.stdout
    assert "2 of 2 done" in done.stdout
    assert done.stdout.count("features of the classifier") == 1


@pytest.mark.slow
def test_a_process_that_is_killed_ends_the_others_politely_and_hangs_nothing(plugin, tmp_path):
    out = tmp_path / "results"
    done = subprocess.run(
        command(
            out, "--variants", f"{plugin},mlp", "--budget", "100000steps",
            "--set", "odd.is_killed=true",
        ),
        capture_output=True, text=True, check=False, timeout=400,
    )  # fmt: skip
    assert done.returncode == 1
    assert "a run's process was ended from outside" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.slow
@pytest.mark.parametrize("to_all", [True, False], ids=["ctrl-c", "parent-only"])
def test_an_interrupt_saves_every_run_and_the_same_command_goes_on(tmp_path, to_all):
    out = tmp_path / "results"
    line = command(out, "--variants", "mlp", "--seeds", 3, "--budget", "1000steps")
    with subprocess.Popen(
        line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline and len(list(out.glob("runs/.*/samples"))) < 2:
            time.sleep(0.05)
        if to_all:
            import os

            os.killpg(process.pid, signal.SIGINT)
        else:
            process.send_signal(signal.SIGINT)
        printed, errors = process.communicate(timeout=400)
    assert process.returncode == 130, printed + errors
    assert "stopped and saved" in printed
    assert errors == ""
    assert len(list(out.glob("runs/.*/checkpoint.pt"))) == 2
    again = subprocess.run(line, capture_output=True, text=True, check=True, timeout=400)
    assert again.stdout.count("goes on at step") == 2
    assert [one["status"] for one in results(out)] == ["ok"] * 3


@pytest.mark.slow
def test_a_run_that_was_shared_at_first_stays_marked_where_it_ends_alone(tmp_path):
    out = tmp_path / "results"
    line = command(out, "--variants", "mlp", "--seeds", 2, "--budget", "1500steps")
    with subprocess.Popen(line, stdout=subprocess.DEVNULL, start_new_session=True) as process:
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline and len(list(out.glob("runs/.*/samples"))) < 2:
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=400)
    subprocess.run([*line, "--jobs", "1"], capture_output=True, check=True, timeout=400)
    assert [one["timing_shared"] for one in results(out)] == [True, True]
