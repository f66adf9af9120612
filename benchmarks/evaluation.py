"""What do the scores of a run cost? Features, the panel of metrics and FID, beside torch-fidelity.

In each round, in turns: features of the same images by ganbench's InceptionV3 and by
torch-fidelity's own pipeline; the whole panel, from features that are known, for each backbone; and
the arithmetic of FID by both. Inception has random weights, which cost the same as its own.

    python benchmarks/evaluation.py --rounds 3 --json
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated, Any

import flags
import torch
import typer
from measuring import conditions_of, one_line_refusals, publish, ratio_text
from scoring import Extraction, PanelWork, classifier_seconds, fid_arithmetic
from workloads import untrained_judge

from ganbench.machine.device import choose


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
            f"panel at {row['entries']:,} entries ({row['backbone']})",
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


def main(
    *,
    rounds: flags.Rounds = 3,
    images: Annotated[
        int, typer.Option(min=4, help="Images whose features are extracted in a turn.")
    ] = 256,
    fake: Annotated[int, typer.Option(min=8, help="Generated images that are scored.")] = 10_000,
    real: Annotated[int, typer.Option(min=8, help="Real images they are compared with.")] = 60_000,
    entries: Annotated[int, typer.Option(min=2, help="Of inception's vectors.")] = 2048,
    device: flags.DeviceName = "auto",
    threads: flags.Threads = 0,
    as_json: flags.AsJson = False,
) -> None:
    """Measure what scoring costs: extraction, the panel of metrics, and FID."""
    if threads:
        torch.set_num_threads(threads)
    with one_line_refusals():
        chosen = choose(device)
    conditions = conditions_of(chosen)
    with tempfile.TemporaryDirectory() as folder:
        extraction = Extraction(images, chosen, Path(folder)).measure(rounds)
    inception_seconds = fake / extraction["ganbench_images_per_second"]["median"]
    judge_seconds = classifier_seconds(min(fake, 10 * images), fake, chosen)
    inception = PanelWork("inception", entries, real, fake)
    small = PanelWork(
        "classifier", untrained_judge(1, 28, chosen).network.head.in_features, real, fake
    )
    results = [
        extraction,
        small.measure(rounds, chosen, judge_seconds),
        inception.measure(rounds, chosen, inception_seconds),
        fid_arithmetic(inception, rounds, chosen),
    ]
    publish(
        f"what scoring costs: {fake:,} generated against {real:,} real images",
        ("what", "ganbench", "beside it", "ratio", "remark"),
        [cells(row) for row in results],
        results=results,
        conditions=conditions,
        as_json=as_json,
        remark="median (lowest to highest of the rounds) · random weights and images · extraction "
        f"of all images from {images:,}",
    )


if __name__ == "__main__":
    typer.run(main)
