"""Whole commands on a real device."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pandas as pd
import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from ganbench.machine.device import Device

pytestmark = pytest.mark.device

NARROW = ("--set", "generator_width=8", "--set", "discriminator_width=8", "--set", "batch_size=32")


def environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1"}


def ganbench(*arguments: object, code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "ganbench", *map(str, arguments)],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=240,
        check=False,
    )
    assert done.returncode == code, done.stdout[-3000:] + done.stderr[-3000:]
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def run(out: Path, device: Device, *more: object, code: int = 0) -> pd.DataFrame:
    ganbench(
        *("run", "--variants", "mlp,dcgan", "--dataset", "digits", "--budget", "60steps"),
        *("--device", device.torch, "--out", out, "--backbone", "classifier", *NARROW, *more),
        code=code,
    )
    return pd.read_csv(out / "runs.csv")


def test_a_comparison_on_the_device(device, tmp_path):
    rows = run(tmp_path / "out", device, "--seeds", "2", "--evaluate-every", "30steps")
    assert list(rows.status) == ["ok"] * 4
    assert set(rows.device) == {device.kind}
    assert set(rows.device_name) == {device.name}
    assert (rows.images_per_second > 0).all()
    assert (rows.sample_images_per_second > 0).all()
    weights = 4 * (rows.parameters_generator + rows.parameters_discriminator)
    assert (rows.peak_memory_bytes > weights).all()
    assert rows.fid.notna().all()


def test_runs_side_by_side_on_one_device(device, tmp_path):
    alone = run(tmp_path / "alone", device)
    beside = run(tmp_path / "beside", device, "--jobs", "2", "--exclusive-timing")
    assert list(beside.status) == ["ok", "ok"]
    assert list(beside.run_id) == list(alone.run_id)
    if device.kind == "cpu":
        assert list(beside.fid) == list(alone.fid)


@pytest.mark.parametrize(
    "flags",
    [("--precision", "bf16"), ("--precision", "fp16"), ("--cuda-graphs",), ("--compile",)],
    ids=lambda flags: flags[-1],
)
def test_a_comparison_by_another_way_of_stepping(flags, device, tmp_path):
    if device.kind != "cuda" and flags[-1] in {"fp16", "--cuda-graphs"}:
        pytest.skip("needs a CUDA device")
    only = ("--variants", "mlp") if "--compile" in flags else ()  # as for one step
    rows = run(tmp_path / "out", device, *flags, *only)
    assert set(rows.status) == {"ok"}


def test_too_large_a_batch_costs_one_row(card, tmp_path):
    out = tmp_path / "out"
    ganbench(
        *("run", "--variants", "mlp,dcgan", "--dataset", "digits", "--budget", "3steps"),
        *("--device", "cuda", "--out", out, "--backbone", "classifier"),
        *("--set", "dcgan.batch_size=200000", "--set", "dcgan.image_size=256"),
        code=1,
    )
    rows = pd.read_csv(out / "runs.csv").set_index("variant")
    assert rows.status["mlp"] == "ok"
    assert rows.status["dcgan"] == "failed"
    assert "memory" in rows.reason["dcgan"]


def test_an_interrupted_run_goes_on(device, tmp_path):
    out = tmp_path / "out"
    command = [
        *(sys.executable, "-m", "ganbench", "run", "--variants", "mlp", "--dataset", "digits"),
        *("--budget", "4000steps", "--device", str(device.torch), "--out", str(out), *NARROW),
    ]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment()
    ) as process:
        seen = ""
        for line in process.stdout:
            seen += line
            if "images/s" in line:
                break
        process.send_signal(signal.SIGINT)
        seen += process.communicate(timeout=120)[0]
    assert process.returncode in (130, 0), seen
    ganbench(*command[3:])
    (record,) = out.glob("runs/*/result.json")
    assert json.loads(record.read_text())["steps"] == 4000


def test_throughput_sample_and_check(device, tmp_path):
    ganbench(
        *("throughput", "--variants", "mlp", "--device", device.torch, "--out", tmp_path / "t"),
        *("--seconds", "0.2", "--batch-sizes", "32,64"),
    )
    run(tmp_path / "out", device)
    (run_folder,) = (tmp_path / "out" / "runs").glob("dcgan*")
    ganbench("sample", run_folder, "-n", "8", "--out", tmp_path / "samples.png")
    assert (tmp_path / "samples.png").stat().st_size > 500
