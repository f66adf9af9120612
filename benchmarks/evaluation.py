"""What do the scores of a run cost? Features, all scores and FID, beside torch-fidelity.

In each round, in turns: features of the same images by ganbench's InceptionV3 and by
torch-fidelity's own pipeline; all scores, from known features, for each backbone; and
the arithmetic of FID by both. Inception has random weights, which cost the same as trained ones.

    python benchmarks/evaluation.py --rounds 3 --json
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated, Any

import flags
import typer
from command import Report, run
from measuring import ratio_text
from scoring import AllScoresWork, Extraction, classifier_seconds, fid_arithmetic
from workloads import untrained_classifier

from ganbench.machine.device import Device


def cells(row: dict[str, Any]) -> tuple[str, ...]:
    """One result as a line of the table."""
    if row["what"] == "inception features":
        return (
            f"Inception's features of {row['images']:,} images",
            f"{row['ganbench_images_per_second']['median']:,.1f} images/s",
            f"torch-fidelity {row['torch_fidelity_images_per_second']['median']:,.1f} images/s",
            ratio_text(row["ratio"]),
            f"FID differs by {row['fid_difference']:.1e} of {row['fid']:.4g}",
        )
    if row["what"] == "panel":
        memory = row["added_peak_host_memory_bytes"] / 1e9
        return (
            f"all scores at {row['entries']:,} entries ({row['backbone']})",
            f"{row['panel_seconds']['median']:,.1f} s",
            f"extraction {row['extraction_seconds']:,.1f} s",
            ratio_text(row["share_of_extraction"]),
            f"{row['total_seconds']['median']:,.1f} s together, {memory:.2f} GB more at the peak",
        )
    return (
        f"FID at {row['entries']:,} entries",
        f"{row['ganbench_seconds']['median']:,.2f} s",
        f"torch-fidelity {row['torch_fidelity_seconds']['median']:,.2f} s",
        ratio_text(row["ratio"]),
        f"relative difference {row['relative_difference']:.1e}",
    )


def measure(
    device: Device,
    *,
    rounds: flags.Rounds = 3,
    images: Annotated[
        int, typer.Option(min=4, help="Images whose features are extracted per turn.")
    ] = 256,
    fake: Annotated[int, typer.Option(min=8, help="Generated images that are scored.")] = 10_000,
    real: Annotated[int, typer.Option(min=8, help="Real images they are compared with.")] = 60_000,
    entries: Annotated[int, typer.Option(min=2, help="Length of inception's vectors.")] = 2048,
    threads: flags.Threads = 0,  # noqa: ARG001 - set by `run`
) -> Report:
    """Measure what scoring costs: extraction, all scores, and FID."""
    with tempfile.TemporaryDirectory() as folder:
        extraction = Extraction(images, device, Path(folder)).measure(rounds)
    inception_seconds = fake / extraction["ganbench_images_per_second"]["median"]
    small_seconds = classifier_seconds(min(fake, 10 * images), fake, device)
    inception = AllScoresWork("inception", entries, real, fake)
    small = AllScoresWork(
        "classifier", untrained_classifier(1, 28, device).network.head.in_features, real, fake
    )
    results = [
        extraction,
        small.measure(rounds, device, small_seconds),
        inception.measure(rounds, device, inception_seconds),
        fid_arithmetic(inception, rounds, device),
    ]
    return Report(
        f"what scoring costs: {fake:,} generated against {real:,} real images",
        ("what", "ganbench", "beside it", "ratio", "remark"),
        [cells(row) for row in results],
        results,
        "median (lowest to highest of the rounds) · random weights and images · extraction "
        f"of all images from {images:,}",
    )


if __name__ == "__main__":
    run(measure)
