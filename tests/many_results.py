"""Results folders of very many runs that no training made, written quickly."""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING

import numpy as np
import results_doubles as doubles

from ganbench.experiment.store import ResultsFolder

if TYPE_CHECKING:
    from pathlib import Path

    from ganbench.experiment.result import RunResult

__all__ = ["dataset_names", "variant_names", "write_many"]

_EVALUATIONS = 8


def variant_names(count: int) -> list[str]:
    """Names of so many made-up variants."""
    return [f"variant-{number:04d}" for number in range(count)]


def dataset_names(count: int) -> list[str]:
    """Names of so many made-up datasets."""
    return [f"dataset-{number:02d}" for number in range(count)]


def write_many(path: Path, variants: int, datasets: int, seeds: int) -> Path:
    """Write a results folder with one run for each variant, dataset and seed.

    Numbers differ from run to run; histories, scores during training and pictures are the same
    files for all runs, under as many names.
    """
    folder = ResultsFolder(path)
    (path / "runs").mkdir(parents=True)
    shared = _shared_files(path)
    jobs = []
    for dataset in dataset_names(datasets):
        for place, variant in enumerate(variant_names(variants)):
            for seed in range(seeds):
                record = _record(variant, place, dataset, seed)
                run = folder.run_path(record.run_id)
                (run / "samples").mkdir(parents=True)
                (run / "result.json").write_text(record.to_json(), encoding="utf-8")
                for file in shared:
                    os.link(path / ".shared" / file, run / file)
                jobs.append({"run_id": record.run_id, "variant": variant})
    folder.write_plan({"schema": 1, "title": "Very many runs", "jobs": jobs})
    return path


def _record(variant: str, place: int, dataset: str, seed: int) -> RunResult:
    """A run whose FID grows with the variant's place, so that there is an order to find."""
    record = doubles.result(variant, seed, dataset)
    scores = {**record.scores, "fid": (record.scores["fid"] or 0.0) + 0.5 * place}
    position = {"step": 4690, "epoch": 5.0, "images_seen": 300_160, "seconds": 732.0}
    moment = {**position, "scores": {"fid": scores["fid"]}}
    over_training = {
        "evaluations": _EVALUATIONS, "chosen_by": "fid", "protocol": record.protocol,
        "protocol_fields": record.protocol_fields, "last": moment, "best": moment, "gap": 0.0,
        "collapsed": None,
    }  # fmt: skip
    return dataclasses.replace(record, scores=scores, over_training=over_training)


def _shared_files(path: Path) -> list[str]:
    """Write the files that all runs share, and return their names within a run's folder."""
    shared = path / ".shared"
    (shared / "samples").mkdir(parents=True)
    record = doubles.result()
    doubles.write_history(shared / "history.csv", record)
    doubles.write_samples(shared / "samples", record)
    rows = ["step,epoch,images_seen,seconds,fid,modes_covered,coverage"]
    rows += [
        f"{step},{step / 938:.3f},{step * 64},{step * 0.156:.1f},{5e4 / step:.4f},9,0.6"
        for step in np.linspace(500, record.steps, _EVALUATIONS).astype(int)
    ]
    (shared / "scores.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    names = ["step-0000100.png", "step-0002500.png", "step-0004500.png", "real-and-fake.png"]
    return ["history.csv", "scores.csv", *(f"samples/{name}" for name in names)]
