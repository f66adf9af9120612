"""Commands of many small runs on a cluster, killed and interrupted from outside."""

from __future__ import annotations

import csv
import signal
import subprocess
import sys
import time
from pathlib import Path

PLUGIN = '''"""A small variant that names its hidden width in a file beside it."""
import ganbench
from width import WIDTH
from ganbench.variants import mlp

VARIANT = ganbench.Variant(
    title="small", paper="",
    recipe=ganbench.Recipe(image_size=14, generator_width=WIDTH, discriminator_width=WIDTH,
                           batch_size=32),
    generator=mlp.generator, discriminator=mlp.discriminator, losses=ganbench.losses.bce,
)
'''
# Parts of the names of columns
MEASURED = ("seconds", "images_per_second", "memory", "warmup", "timed_steps")


def plugin(folder: Path) -> Path:
    """A plug-in file with a neighbour that it needs."""
    file = folder / "small.py"
    file.write_text(PLUGIN, encoding="utf-8")
    (folder / "width.py").write_text("WIDTH = 8\n", encoding="utf-8")
    return file


def command(variant: Path | str, out: Path, *more: object) -> list[str]:
    """Runs of a plug-in on the digits, on the CPU."""
    arguments = ["run", "--variants", variant, "--dataset", "digits", "--device", "cpu",
                 "--sample-every", "1000epochs", "--out", out, *more]  # fmt: skip
    return [sys.executable, "-m", "ganbench", *map(str, arguments)]


def finished(out: Path) -> int:
    """How many runs have ended."""
    return len(list(out.glob("runs/[!.]*/result.json")))


def wait_until(is_so, process: subprocess.Popen[str], seconds: float = 900) -> None:
    """Wait until something is so, or a process has ended, which fails."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)


def start(line: list[str]) -> subprocess.Popen[str]:
    """Begin a command whose output is read at its end."""
    return subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def interrupt_two_runs_and_go_on(line: list[str], out: Path) -> None:
    """See that Ctrl-C saves the two runs that have begun, and that the same command goes on."""
    process = start(line)
    wait_until(lambda: len(list(out.glob("runs/.*/samples"))) >= 2, process)
    process.send_signal(signal.SIGINT)
    printed, errors = process.communicate(timeout=120)
    assert process.returncode == 130, printed + errors
    assert "stopped and saved" in printed
    assert errors == ""
    assert len(list(out.glob("runs/.*/checkpoint.pt"))) == 2
    again = subprocess.run(line, capture_output=True, text=True, check=True, timeout=400)
    assert again.stdout.count("goes on at step") == 2


def rows(out: Path) -> list[dict[str, str]]:
    """The rows of `runs.csv` by run, without what a clock or a count of memory says."""
    with (out / "runs.csv").open(encoding="utf-8") as file:
        read = [
            {name: text for name, text in row.items() if not any(part in name for part in MEASURED)}
            for row in csv.DictReader(file)
        ]
    return sorted(read, key=lambda row: row["run_id"])
