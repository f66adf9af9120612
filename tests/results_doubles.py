"""Results folders that no training made: plausible numbers, histories and sample grids."""

from __future__ import annotations

import csv
import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

from ganbench.experiment.result import RunResult
from ganbench.experiment.store import ResultsFolder
from ganbench.report.content import content_of
from ganbench.report.gather import gather
from ganbench.report.readme import readme
from ganbench.scoring.protocol import Protocol

CLASSES = tuple(str(digit) for digit in range(10))

HISTORY = (
    "step", "epoch", "images_seen", "seconds", "d_loss", "g_loss", "d_real", "d_fake_before",
    "d_fake_after", "d_gradient_norm", "g_gradient_norm", "images_per_second",
)  # fmt: skip

# variant: (fid, modes covered, images a second, parameters of G and D, mean D(x))
CHARACTERS = {
    "mlp": (41.0, 10, 9500.0, 227_000, 201_000, 0.72),
    "dcgan": (14.0, 10, 410.0, 3_570_000, 2_760_000, 0.62),
    "dcgan-smooth": (22.0, 9, 300.0, 12_600_000, 2_770_000, 0.55),
    "texthash": (11.0, 10, 395.0, 4_600_000, 2_900_000, 0.6),
    "texthash-naive": (16.0, 8, 405.0, 3_570_000, 2_760_000, 0.66),
}


def protocol(dataset: str = "mnist", **changes: Any) -> Protocol:
    """A protocol with invented hashes."""
    values = {
        "dataset": dataset,
        "dataset_fingerprint": "f00d",
        "real_split": "train",
        "real_count": 60_000,
        "fake_count": 10_000,
        "neighbour_count": 10_000,
        "backbone": "classifier",
        "backbone_hash": "c1a551f1e5",
        "classifier_hash": "c1a551f1e5",
        "classifier_accuracy": 0.9893,
        "resolution": 28,
    }
    return Protocol(**{**values, **changes})


def result(
    variant: str = "dcgan", seed: int = 0, dataset: str = "mnist", **changes: Any
) -> RunResult:
    """A run that completed, with numbers drawn around the variant's character."""
    fid, modes, speed, size_g, size_d, _ = CHARACTERS.get(variant, CHARACTERS["dcgan"])
    random = np.random.default_rng([seed, *variant.encode()])

    def jitter(scale: float) -> float:
        return float(1 + scale * random.standard_normal())

    shares = random.dirichlet([60 if i < modes else 0.3 for i in range(10)])
    own = protocol(dataset)
    text = variant.startswith("texthash")
    aligned = (0.94 if variant == "texthash" else 0.1) * jitter(0.02)
    values: dict[str, Any] = {
        "run_id": f"{variant}-{dataset.replace(':', '-').replace('/', '-')}-s{seed}-abc123",
        "status": "ok",
        "variant": variant,
        "variant_title": variant.upper(),
        "dataset": dataset,
        "seed": seed,
        "device": "cpu",
        "device_name": "Imaginary CPU 9000",
        "recipe": {"batch_size": 64, "lr_g": 2e-4, "image_size": 28, "budget": "25epochs"},
        "budget": "25epochs",
        "steps": 4690,
        "images_seen": 4690 * 64,
        "epochs": 5.0,
        "train_seconds": 4690 * 64 / speed * jitter(0.02),
        "images_per_second": speed * jitter(0.03),
        "warmup_steps": 10,
        "timed_steps": 4680,
        "step_seconds_median": 64 / speed,
        "step_seconds_p95": 64 / speed * 1.3,
        "phase_seconds": {
            "data": 2 / speed,
            "discriminator": 40 / speed,
            "generator": 22 / speed,
            "measures": 9 / speed,
        },
        "sample_images_per_second": speed * 4 * jitter(0.05),
        "peak_memory_bytes": None,
        "peak_host_memory_bytes": int(600e6 * jitter(0.1)),
        "parameters_generator": size_g,
        "parameters_discriminator": size_d,
        "scores": {
            "fid": fid * jitter(0.08),
            "modes_covered": float(max(0, min(10, modes + random.integers(-1, 2)))),
            "modes_total": 10.0,
            "mode_kl": abs(0.02 * (11 - modes) * jitter(0.2)),
            "mode_entropy": 0.97 * jitter(0.01),
            "diversity": min(1.0, 0.85 * jitter(0.05)),
            "precision": 0.78 * jitter(0.03),
            "recall": 0.55 * jitter(0.06),
            "coverage": 0.66 * jitter(0.05),
            "prompt_alignment": aligned if text else None,
        },
        "class_histogram": {
            "real": dict.fromkeys(CLASSES, 0.1),
            "fake": dict(zip(CLASSES, map(float, shares), strict=True)),
        },
        "backbone": "classifier",
        "protocol": own.hash,
        "protocol_fields": dataclasses.asdict(own),
        "environment": {"python": "3.11.9", "torch": "2.14.1", "threads": 2, "commit": "7879dd4"},
        "command": "ganbench run --variants mlp,dcgan --dataset mnist --budget 25epochs",
    }
    return RunResult(**{**values, **changes})


def failed(variant: str = "dcgan", seed: int = 0, **changes: Any) -> RunResult:
    """A run that broke down before anything was measured."""
    values = {
        "run_id": f"{variant}-mnist-s{seed}-failed",
        "status": "failed",
        "reason": "RuntimeError: out of memory | while building the generator",
        "variant": variant,
        "dataset": "mnist",
        "seed": seed,
        "device": "cpu",
        "device_name": "Imaginary CPU 9000",
        "budget": "25epochs",
    }
    return RunResult(**{**values, **changes})


def write(
    path: Path, results: list[RunResult], *, files: bool = True, title: str = "A comparison"
) -> Path:
    """Write a results folder with these runs; `files` adds histories and sample grids."""
    folder = ResultsFolder(path)
    folder.prepare()
    jobs = [
        {key: getattr(r, key) for key in ("run_id", "variant", "dataset", "seed", "budget")}
        for r in results
    ]
    plan = {
        "schema": 1,
        "title": title,
        "command": "ganbench run --variants mlp,dcgan --dataset mnist --budget 25epochs",
        "created": "2026-01-02T03:04:05+00:00",
        "device": "cpu",
        "device_name": "Imaginary CPU 9000",
        "device_reason": "no CUDA or MPS device found",
        "jobs": jobs,
    }
    folder.write_plan(plan)
    for record in results:
        if files and record.status == "ok":
            partial = folder.partial_path(record.run_id)
            (partial / "samples").mkdir(parents=True)
            write_history(partial / "history.csv", record)
            write_samples(partial / "samples", record)
        folder.finish(record)
    return path


def write_history(path: Path, record: RunResult) -> None:
    """Losses and rates that settle with some noise, at the steps that a run records."""
    random = np.random.default_rng([record.seed, *record.variant.encode()])
    level = CHARACTERS.get(record.variant, CHARACTERS["dcgan"])[-1]
    steps = [*range(1, 51), *range(100, record.steps + 1, 50)]
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HISTORY)
        for step in steps:
            settled = 1 - math.exp(-step / 400)
            noise = random.normal(0, 0.05, 5)
            d_real = min(0.99, max(0.01, 0.5 + (level - 0.5) * settled + noise[0]))
            before = min(0.99, max(0.01, 0.5 - (level - 0.5) * settled + noise[1]))
            d_loss = -math.log(d_real) - math.log(1 - before)
            writer.writerow([
                step, step * 64 / 60_000, step * 64, step * 0.15, d_loss,
                -math.log(before) + noise[2], d_real, before, before * 0.8, 1.0, 1.0, 420.0,
            ])  # fmt: skip


def write_samples(folder: Path, record: RunResult, columns: int = 8, padding: int = 2) -> None:
    """Grids of real digits that come out of noise as the steps go on."""
    random = np.random.default_rng(record.seed)
    size = int(record.recipe["image_size"])
    digits = load_digits().images[: columns**2] / 16
    names = [100, *range(500, record.steps, 500)]
    for step in names:
        clear = min(1.0, step / max(1, record.steps) + 0.2)
        cells = digits * clear + random.random(digits.shape) * (1 - clear)
        _grid(cells, size, columns, padding).save(folder / f"step-{step:07d}.png")
    both = np.concatenate([digits[:32], cells[:32]])
    _grid(both, size, columns, padding).save(folder / "real-and-fake.png")


def _grid(cells: np.ndarray, size: int, columns: int, padding: int) -> Image.Image:
    side = columns * (size + padding) + padding
    sheet = Image.new("RGB", (side, side))
    for index, cell in enumerate(cells):
        row, place = divmod(index, columns)
        tile = Image.fromarray((cell * 255).astype(np.uint8)).resize(
            (size, size), Image.Resampling.BICUBIC
        )
        sheet.paste(
            tile.convert("RGB"),
            (padding + place * (size + padding), padding + row * (size + padding)),
        )
    return sheet


def readme_of(path: Path) -> str:
    """The README of a results folder as `ganbench report` writes it, but for its charts."""
    return readme(content_of(gather([path]), "fid"), [], path)
