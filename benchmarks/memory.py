"""How much memory of the host does a whole run need, and when?

`ganbench run` in a process of its own, from the decoding of image files to the report, on as many
random images as CIFAR-10 has, trained at 64×64. A run has a process of its own, so each sample is
of that process of the command which uses most. The memory is sampled from outside: the process's
own, and pages that it has mapped from files, which the system can take back.

    python benchmarks/memory.py --json
    python benchmarks/memory.py --dataset imagefolder:photos --set image_size=128
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import flags
import numpy as np
import psutil
import typer
from command import Report, run
from PIL import Image

from ganbench import data
from ganbench.machine.device import Device
from ganbench.scoring.backbones.classifier import classifier_file
from ganbench.scoring.backbones.classifier_network import ClassifierNetwork, write_classifier

LIMIT_BYTES = 2_500_000_000
_CLASSES = 10
_SIDE = 32  # pixels of an image
_SAMPLE_EVERY_SECONDS = 0.02
_SHOWN = ("resident", "own", "mapped", "most_own")
_STAGES = ("preparing", "training", "scoring", "reporting")


@dataclass(frozen=True)
class MemorySample:
    """The memory of a process at one moment.

    Attributes:
        stage: What the process was doing.
        resident: Bytes of physical memory that it uses.
        mapped: The part of `resident` that is pages of files, programs and libraries included.
        highest: The highest `resident` so far, where the system records it.
    """

    stage: str
    resident: int
    mapped: int
    highest: int

    @property
    def own(self) -> int:
        """Bytes that only this process has, and that only it can give back."""
        return self.resident - self.mapped


def random_folder(root: Path, train: int, test: int) -> None:
    """Write random images as an image folder with ten classes in each of both splits."""
    random = np.random.default_rng(0)
    for split, count in (("train", train), ("test", test)):
        for number in range(count):
            folder = root / split / str(number % _CLASSES)
            folder.mkdir(parents=True, exist_ok=True)
            pixels = random.integers(0, 256, (_SIDE, _SIDE, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / f"{number}.bmp")


def cache_untrained_classifier(dataset: str, cache: Path) -> None:
    """Put an untrained classifier into the cache: training takes minutes, and less memory."""
    with tempfile.TemporaryDirectory() as elsewhere:
        loaded = data.load(dataset, data_root=cache, cache_root=Path(elsewhere), image_size=_SIDE)
        network = ClassifierNetwork(loaded.spec.channels, loaded.spec.native_size, _CLASSES)
        path = classifier_file(loaded, cache)
        path.parent.mkdir(parents=True)
        with path.open("wb") as file:
            write_classifier(file, network, accuracy=0.1, kept=1.0)


def resident_bytes(process: psutil.Process) -> int:
    """Bytes of physical memory that a process uses."""
    return int(process.memory_info().rss)


def sample_memory(process: psutil.Process, results: Path) -> MemorySample:
    """The stage of a run and its memory, now."""
    stage = _STAGES[
        (any(results.glob("runs/.*.partial")) or any(results.glob("runs/*/result.json")))
        + any(results.glob("runs/*/checkpoint.pt"))
        + any(results.glob("runs/*/result.json"))
    ]
    memory = process.memory_info()
    highest = memory.rss
    try:
        for line in Path(f"/proc/{process.pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                highest = int(line.split()[1]) * 1024
    except OSError:
        pass
    return MemorySample(stage, memory.rss, getattr(memory, "shared", 0), highest)


def watch(
    command: list[str], results: Path, environment: dict[str, str]
) -> tuple[int, list[MemorySample]]:
    """Run a command to its end, sampling its memory."""
    samples = []
    with subprocess.Popen(command, stdout=sys.stderr, env=environment) as running:  # noqa: S603 - our own command
        first = psutil.Process(running.pid)
        while running.poll() is None:
            try:
                processes = [first, *first.children(recursive=True)]
                samples.append(sample_memory(max(processes, key=resident_bytes), results))
            except psutil.Error:  # one of them has just ended
                continue
            time.sleep(_SAMPLE_EVERY_SECONDS)
    return running.returncode, samples


def summed_up(samples: list[MemorySample]) -> dict[str, Any]:
    """The highest memory of the whole, and of each stage with its parts at that moment."""
    stages = []
    for stage in _STAGES:
        own = [one for one in samples if one.stage == stage]
        if own:
            top = max(own, key=lambda one: one.resident)
            stages.append({**asdict(top), "own": top.own, "most_own": max(x.own for x in own)})
    return {
        "highest_bytes": max(max(one.resident, one.highest) for one in samples),
        "limit_bytes": LIMIT_BYTES,
        "looks": len(samples),
        "stages": stages,
    }


def measure(
    device: Device,
    *,
    dataset: Annotated[
        str | None,
        typer.Option(
            help="Dataset instead of random images; its classifier is trained if missing."
        ),
    ] = None,
    variant: Annotated[str, typer.Option(help="Variant to train.")] = "dcgan",
    images: Annotated[int, typer.Option(min=_CLASSES, help="Random training images.")] = 50_000,
    budget: Annotated[str, typer.Option(help="Budget, as `ganbench run` takes it.")] = "20steps",
    backbone: Annotated[
        str, typer.Option(help="Backbone, as `ganbench run` takes it.")
    ] = "classifier",
    settings: flags.Settings = None,
) -> Report:
    """Measure the highest memory of a whole run, at 64×64 unless `--set image_size` says other."""
    with tempfile.TemporaryDirectory() as name:
        root, environment = Path(name), dict(os.environ)
        if dataset is None:
            environment["GANBENCH_CACHE"] = str(root / "cache")
            random_folder(root / "random", images, max(_CLASSES, images // 5))
            cache_untrained_classifier(f"imagefolder:{root / 'random'}", root / "cache")
        command = [sys.executable, "-m", "ganbench.cli.app", "run", "--variants", variant]
        command += ["--dataset", dataset or f"imagefolder:{root / 'random'}"]
        command += ["--device", str(device.torch), "--backbone", backbone, "--budget", budget]
        command += ["--out", str(root / "results")]
        for setting in ("image_size=64", *(settings or [])):
            command += ["--set", setting]
        code, samples = watch(command, root / "results", environment)
    if code or not samples:
        typer.echo(f"the run ended with exit code {code}: see above", err=True)
        raise typer.Exit(1)
    result = {
        "variant": variant,
        "dataset": dataset or f"{images} random images of {_SIDE}×{_SIDE}",
        "backbone": backbone,
        "settings": settings or [],
        "budget": budget,
        **summed_up(samples),
    }
    return Report(
        f"memory of the host in a run of {variant}, MB; "
        f"highest of all {result['highest_bytes'] / 1e6:,.0f} of {LIMIT_BYTES / 1e6:,.0f}",
        ("stage", "highest", "own memory then", "mapped files then", "most own memory"),
        [(row["stage"], *(f"{row[key] / 1e6:,.0f}" for key in _SHOWN)) for row in result["stages"]],
        [result],
        f"{result['dataset']} · sampled {result['looks']} times",
    )


if __name__ == "__main__":
    run(measure)
