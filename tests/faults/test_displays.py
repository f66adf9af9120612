"""Terminals and pipes of every encoding: a command does not fail because its output cannot."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
import results_doubles as doubles
from PIL import Image

from ganbench.experiment.store import StoredRun

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1", "utf-8"])
def test_a_report_is_written_whatever_the_output_and_matplotlib_are_set_to(tmp_path, encoding):
    record = doubles.result("dcgan", device_name="名前 🙂 \udcff \x1b[2J")
    path = doubles.write(tmp_path / "名前 $x$ [/x]", [record])
    done = subprocess.run(
        [sys.executable, "-m", "ganbench", "report", path],
        env={**os.environ, "PYTHONIOENCODING": encoding, "MPLBACKEND": "no-such-backend"},
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    assert b"Traceback" not in done.stderr
    assert b"dcgan" in done.stdout
    assert b"\x1b[2J" not in done.stdout
    text = (path / "README.md").read_text(encoding="utf-8")
    assert r"\\udcff \\x1b[2J" in text  # a backslash is escaped in Markdown


def test_a_run_on_folders_of_any_name_ends_well_where_only_ascii_can_be_shown(tmp_path):
    pictures = tmp_path / os.fsdecode(b"caf\xe9 [/x] $y$ \x1b[2J\n")
    random = np.random.default_rng(0)
    names = ("CON", "con", "名前🙂", os.fsdecode(b"\xe9"), "=1+1|`*", "שלום\u202e", "x" * 255)
    for name in names:
        (pictures / name).mkdir(parents=True)
        for index in range(8):
            pixels = random.integers(0, 256, (16, 16), dtype=np.uint8)
            Image.fromarray(pixels).save(pictures / name / f"{index}.png")
    os.mkfifo(pictures / "CON" / "pipe.png")
    (pictures / "con" / "device.png").symlink_to("/dev/zero")
    command = [
        sys.executable, "-m", "ganbench", "run", "--variants", "mlp", "--device", "cpu",
        "--dataset", f"imagefolder:{pictures}", "--budget", "2steps", "--set", "batch_size=16",
        "--set", "generator_width=8", "--set", "discriminator_width=8", "--out", tmp_path / "out $",
    ]  # fmt: skip
    done = subprocess.run(
        command,
        env={**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": "ascii", "MPLBACKEND": "Qt5Agg"},
        capture_output=True,
        check=False,
        timeout=900,  # it trains a classifier, by one thread
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    assert done.stderr == b""
    assert b"2 pipes, sockets or devices (CON/pipe.png, con/device.png)" in done.stdout
    assert b"\x1b" not in done.stdout
    (run,) = (tmp_path / "out $" / "runs").glob("mlp-*")
    assert StoredRun.read(run).result.status == "ok"
