"""How long does a report of very many runs take, how much memory, and how large is its page?

`ganbench report` in a process of its own, on made-up results: no run is trained. Each run has
scores, scores during training, a history and pictures, as a real one leaves them.

    python benchmarks/report_scale.py
    python benchmarks/report_scale.py --runs 10000 --variants 20 --datasets 10 --json
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer
from command import Report, run

from ganbench.errors import GanbenchError
from ganbench.machine.device import Device

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))  # beside the doubles of results

from many_results import write_many

_RUNS = (100, 1000, 10_000)
# The command line, which at its end writes its own seconds and memory. What the system keeps of an
# ended process would count the memory of this one, from which it was forked.
_CHILD = """
import atexit, re, resource, sys, time
from pathlib import Path

def cost():
    status = Path("/proc/self/status")
    if status.exists():
        peak = 1024 * int(re.search(r"VmHWM:\\s+(\\d+)", status.read_text())[1])
    else:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(time.process_time(), peak, file=sys.stderr)

atexit.register(cost)
from ganbench.cli.app import script
script()
"""


def measure_one(runs: int, variants: int, datasets: int, scratch: Path) -> dict[str, Any]:
    """The cost of one report: seconds of the processor, bytes of memory and of its files."""
    seeds = max(1, runs // (variants * datasets))
    folder, out = scratch / f"runs-{runs}", scratch / f"report-{runs}"
    write_many(folder, variants, datasets, seeds)
    command = [sys.executable, "-c", _CHILD, "report", str(folder), "--out", str(out)]
    done = subprocess.run(  # noqa: S603 - ganbench itself
        command, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise GanbenchError(f"ganbench report failed: {done.stderr.strip()}")
    seconds, peak = done.stderr.splitlines()[-1].split()
    return {
        "runs": variants * datasets * seeds,
        "variants": variants,
        "datasets": datasets,
        "seeds": seeds,
        "processor_seconds": float(seconds),
        "peak_memory_bytes": int(peak),
        "page_bytes": (out / "report.html").stat().st_size,
        "readme_bytes": (out / "README.md").stat().st_size,
        "report_bytes": sum(file.stat().st_size for file in out.rglob("*") if file.is_file()),
    }


def measure(
    _device: Device,
    *,
    runs: Annotated[
        list[int] | None, typer.Option(min=1, help="Number of runs; give it again for more.")
    ] = None,
    variants: Annotated[int, typer.Option(min=1, help="Variants, of which each has seeds.")] = 10,
    datasets: Annotated[int, typer.Option(min=1, help="Datasets that each is trained on.")] = 2,
) -> Report:
    """Measure `ganbench report` over the number of runs."""
    results = []
    with tempfile.TemporaryDirectory() as scratch:
        results = [measure_one(one, variants, datasets, Path(scratch)) for one in runs or _RUNS]
    return Report(
        f"`ganbench report` of made-up runs: {variants} variants on {datasets} datasets",
        ("runs", "seeds", "processor, s", "memory, MB", "page, MB", "README, kB", "all files, MB"),
        [
            (
                f"{row['runs']:,}",
                f"{row['seeds']:,}",
                f"{row['processor_seconds']:.1f}",
                f"{row['peak_memory_bytes'] / 1e6:.0f}",
                f"{row['page_bytes'] / 1e6:.2f}",
                f"{row['readme_bytes'] / 1e3:.0f}",
                f"{row['report_bytes'] / 1e6:.1f}",
            )
            for row in results
        ],
        results,
        "one report each, in a process of its own, starting it included",
    )


if __name__ == "__main__":
    run(measure)
