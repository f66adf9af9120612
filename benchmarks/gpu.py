"""Everything that only a real GPU can show, in one command of under ten minutes.

    python benchmarks/gpu.py                          # CUDA where there is one, else the CPU
    python benchmarks/gpu.py --device cuda:1 --out results/2026-11-26_cuda_speed

It runs the tests of `tests/devices` on the device, then times the training step of every built-in
variant in each way that the device can carry it out (float32, bfloat16, float16, CUDA graphs, and
bfloat16 within them), then the ratio to the plain loop and the share of the machine's arithmetic
limit. Each stage is a process of its own with a time limit, so that one that fails leaves the
others. What a device cannot do is skipped, and said. It leaves a folder with a README.md, a table
of the tests and one of the speeds, and ends with exit code 1 where a test or a stage failed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import flags
import pandas as pd
import typer
from command import one_line_refusals
from measuring import conditions_of, range_text, ratio_text
from rich.console import Console
from turns import steps_in, take
from workloads import Workload, built_in

from ganbench.errors import GanbenchError
from ganbench.machine.device import Device, choose
from ganbench.training.execution import Execution

ROOT = Path(__file__).parents[1]
_HERE = Path(__file__).parent
_WARMUP_STEPS = 3
WAYS = {
    "fp32": Execution(),
    "bf16": Execution("bf16"),
    "fp16": Execution("fp16"),
    "graphs": Execution(cuda_graphs=True),
    "bf16 graphs": Execution("bf16", cuda_graphs=True),
}
"""Ways to carry out a step, by the names of the table's columns."""


@dataclass(frozen=True)
class Stage:
    """One part of the command, a process of its own.

    Attributes:
        name: As the README calls it.
        arguments: Of Python.
        share: Of the time that the whole command may take.
    """

    name: str
    arguments: tuple[str, ...]
    share: float


def stages(device: str, out: Path, *, tiny: bool) -> list[Stage]:
    """All stages, in order."""
    workers = min(12, max(1, (os.cpu_count() or 1) - 2))
    few = ("--rounds", "3", "--seconds", "0.5" if tiny else "1")
    small = ("--set", "batch_size=8", "--images", "64") if tiny else ()
    size = ("--set", "generator_width=8", "--set", "discriminator_width=8") if tiny else ()
    return [
        Stage(
            "device tests",
            (
                *("-m", "pytest", "-q", "-m", "device", "tests/devices", f"--device={device}"),
                *("-n", str(workers), "--dist", "worksteal", "-p", "no:cacheprovider"),
                *("-W", "default"),  # another version of a library may warn
                *("-k", "mlp or phases or says" if tiny else ""),
                f"--junitxml={out / 'tests.xml'}",
            ),
            0.38,
        ),
        Stage(
            "speeds",
            (str(Path(__file__)), "--device", device, "--out", str(out), "--stage", "speeds")
            + (("--tiny",) if tiny else ()),
            0.32,
        ),
        Stage(
            "ratio",
            (str(_HERE / "ratio.py"), "--device", device, *few, *small, *size, "--json"),
            0.2,
        ),
        Stage(
            "limit",
            (
                *(str(_HERE / "limit.py"), "--variant", "dcgan", "--device", device, *few),
                *("--peak-seconds", "0.05" if tiny else "0.3", *small, *size, "--json"),
            ),
            0.1,
        ),
    ]


def ways_of(device: Device) -> dict[str, Execution]:
    """The ways in which a device can carry out a step."""
    possible = {}
    for name, execution in WAYS.items():
        try:
            execution.check(device.kind)
        except GanbenchError:
            continue
        possible[name] = execution
    return possible


def speed(work: Workload, device: Device, execution: Execution, seconds: float) -> dict[str, Any]:
    """Time a variant's training step in one way, from random images that lie on the device.

    Returns:
        Images and steps per second, peak memory, and seconds of preparing; or the reason why not.
    """
    row: dict[str, Any] = {"variant": work.name, "batch_size": work.recipe.batch_size}
    row |= {"image_size": work.recipe.image_size, "reason": ""}
    try:
        device.release_memory()
        device.reset_peak_memory()
        begun = time.perf_counter()
        session = work.session(device, execution)
        session.advance()
        device.synchronize()
        row["first_step_seconds"] = time.perf_counter() - begun
        steps = steps_in(seconds, take(session, _WARMUP_STEPS, device))
        turn = take(session, steps, device)
        session.clock.pause()
    except GanbenchError as error:
        return row | {"reason": str(error)}
    except Exception as error:  # noqa: BLE001 - a row that failed must not cost the others
        return row | {"reason": f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"}
    return row | {
        "images_per_second": turn.images_per_second,
        "steps_per_second": turn.steps / turn.seconds,
        "peak_memory_bytes": device.peak_memory_bytes(),
    }


def measure_speeds(device: Device, out: Path, *, tiny: bool) -> None:
    """Time all variants in all ways, and write one row for each as soon as it is known."""
    rows: list[dict[str, Any]] = []
    for name in built_in()[:3] if tiny else built_in():
        work = Workload.sized(name, device, tiny=tiny)
        for way, execution in ways_of(device).items():
            row = speed(work, device, execution, 0.05 if tiny else 0.4)
            rows.append({"way": way} | row)
            print(way, row, flush=True)  # noqa: T201 - the log of the stage
            pd.DataFrame(rows).to_csv(out / "speeds.csv", index=False)


def speeds_table(rows: pd.DataFrame) -> list[str]:
    """Images per second of each variant, a column per way, as Markdown."""
    ways = [way for way in WAYS if way in set(rows["way"])]
    lines = [
        f"| variant | batch | size | {' | '.join(ways)} | memory, {ways[0]} |",
        "|---|--:|--:|" + "--:|" * (len(ways) + 1),
    ]
    for name, some in rows.groupby("variant", sort=False):
        by_way = some.set_index("way")
        first = by_way.loc[ways[0]]
        cells = [
            f"{rate:,.0f}" if (rate := by_way["images_per_second"].get(way, 0)) > 0 else "-"
            for way in ways
        ]
        memory = first["peak_memory_bytes"]
        shown = f"{memory / 1e9:.2f} GB" if memory > 0 else "-"
        lines.append(
            f"| {name} | {first['batch_size']} | {first['image_size']} | "
            f"{' | '.join(cells)} | {shown} |"
        )
    return lines


def tests_table(file: Path) -> tuple[pd.DataFrame, str]:
    """Outcome of each test, and the counts in words."""
    rows = []
    for case in ET.parse(file).getroot().iter("testcase"):  # noqa: S314 - our own pytest wrote it
        found = {child.tag: child.get("message", "") for child in case}
        outcome = next((tag for tag in ("failure", "error", "skipped") if tag in found), "passed")
        rows.append(
            {
                "test": f"{str(case.get('classname')).rpartition('.')[2]}::{case.get('name')}",
                "outcome": {"failure": "failed"}.get(outcome, outcome),
                "seconds": float(case.get("time", 0)),
                "reason": " ".join(found.get(outcome, "").split())[:300],
            }
        )
    table = pd.DataFrame(rows)
    counts = table["outcome"].value_counts()
    outcomes = ("passed", "failed", "error", "skipped")
    ordered = [f"{counts[one]} {one}" for one in outcomes if one in counts]
    return table, ", ".join(ordered)


def results_of(file: Path) -> list[dict[str, Any]]:
    """What a command of this folder wrote as JSON; nothing where it did not end."""
    try:
        return list(json.loads(file.read_text(encoding="utf-8"))["results"])
    except (OSError, ValueError, KeyError):
        return []


def ratio_line(row: dict[str, Any]) -> str:
    """How much faster than the plain loop, in a sentence."""
    return (
        f"- {row['variant']}, batch {row['batch_size']} at {row['image_size']}×"
        f"{row['image_size']}: {ratio_text(row['ratio'])} times as fast as the plain loop"
    )


def limit_line(row: dict[str, Any]) -> str:
    """Which share of the arithmetic limit, in a sentence."""
    return (
        f"- {row['variant']}, batch {row['batch_size']} at {row['image_size']}×"
        f"{row['image_size']}: {range_text(row['share'], '.0%')} of the arithmetic limit of "
        f"{row['peak_flops']['median'] / 1e12:,.1f} TFLOP/s, the fastest product of the same round"
    )


def write_readme(out: Path, conditions: dict[str, Any], endings: dict[str, str]) -> None:
    """Write what was found, for people."""
    software = (
        f"`python benchmarks/gpu.py`, {datetime.now(UTC):%Y-%m-%d}, torch "
        f"{conditions['versions']['torch']}, Python {conditions['versions'].get('python', '')}, "
        f"{conditions['processors']} CPU processors. Images are random, and lie on the device."
    )
    lines = [
        f"# Training speed and device tests on {conditions['device_name']}",
        "",
        software,
        "",
        "| stage | how it ended |",
        "|---|---|",
        *(f"| {name} | {how} |" for name, how in endings.items()),
    ]
    if (out / "tests.xml").exists():
        table, counts = tests_table(out / "tests.xml")
        table.to_csv(out / "tests.csv", index=False)
        lines += ["", f"## Tests: {counts}", ""]
        unusual = table[table["outcome"] != "passed"]
        lines += [f"- {row.outcome}: `{row.test}` {row.reason}" for row in unusual.itertuples()]
    if (out / "speeds.csv").exists():
        rows = pd.read_csv(out / "speeds.csv", keep_default_na=False)
        for column in ("images_per_second", "peak_memory_bytes"):
            rows[column] = pd.to_numeric(rows[column], errors="coerce").fillna(0)
        lines += ["", "## Real images per second in training", "", *speeds_table(rows), ""]
        lines += ["float32 products are rounded to TensorFloat-32 on CUDA."]
        refused = rows[rows["reason"] != ""]
        lines += [""] * bool(len(refused))
        lines += [f"- {row.variant}, {row.way}: {row.reason}" for row in refused.itertuples()]
    for name, describe in (("ratio", ratio_line), ("limit", limit_line)):
        results = results_of(out / f"{name}.json")
        lines += ["", f"## `benchmarks/{name}.py`", ""] * bool(results)
        lines += [describe(one) for one in results]
    (out / "README.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def run_stage(stage: Stage, out: Path, seconds: float) -> str:
    """Run one stage, keep what it prints, and say how it ended."""
    begun = time.perf_counter()
    try:
        done = subprocess.run(  # noqa: S603 - this Python, our own arguments
            [sys.executable, *stage.arguments],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        how = "done" if done.returncode == 0 else f"failed with exit code {done.returncode}"
        output, shown = done.stdout, done.stderr
    except subprocess.TimeoutExpired as error:
        how = f"stopped at its limit of {seconds:.0f} s"
        output, shown = (
            value.decode() if isinstance(value, bytes) else value or ""
            for value in (error.stdout, error.stderr)
        )
    name = stage.name.replace(" ", "-")
    if "--json" in stage.arguments:
        (out / f"{name}.json").write_text(output)
        output = ""
    (out / f"{name}.log").write_text(output + shown)
    return f"{how}, {time.perf_counter() - begun:.0f} s"


def main(
    *,
    device: flags.DeviceName = "auto",
    out: Annotated[Path | None, typer.Option(help="Folder to write to.")] = None,
    minutes: Annotated[float, typer.Option(min=0.1, help="The longest it may take.")] = 9,
    stage: Annotated[str, typer.Option(hidden=True)] = "",
    tiny: Annotated[bool, typer.Option(help="Three variants with tiny networks: a trial.")] = False,
) -> None:
    """Run the device tests and time every variant in every way, on the device there is."""
    with one_line_refusals():
        chosen = choose(device)
    chosen.activate()
    if out is None:
        out = ROOT / "results" / f"{datetime.now(UTC):%Y-%m-%d}_{chosen.kind}_speed"
    out = out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    if stage == "speeds":
        measure_speeds(chosen, out, tiny=tiny)
        return
    conditions = conditions_of(chosen)
    (out / "environment.json").write_text(json.dumps(conditions, indent=1))
    endings: dict[str, str] = {}
    console = Console()
    for one in stages(str(chosen.torch), out, tiny=tiny):
        endings[one.name] = run_stage(one, out, one.share * minutes * 60)
        console.print(f"{one.name}: {endings[one.name]}")
        write_readme(out, conditions, endings)
    console.print(f"written to {out}")
    if not all(how.startswith("done") for how in endings.values()):
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
