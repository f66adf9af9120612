"""Runs whose generators can be loaded, without any training: networks as they are at first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import results_doubles
import torch

from ganbench import data
from ganbench.experiment.checkpoint import write_checkpoint
from ganbench.experiment.store import ResultsFolder, StoredRun
from ganbench.training.state import TrainState
from ganbench.variant.registry import resolve

if TYPE_CHECKING:
    from pathlib import Path

SMALL = {"image_size": 16, "latent_dim": 8, "batch_size": 8, "generator_width": 4}


def untrained_run(
    path: Path,
    variant: str = "lsgan",
    dataset: str = "digits",
    seed: int = 0,
    *,
    larger: float = 1.0,
    **numbers: Any,
) -> StoredRun:
    """Write a run of small networks that was not trained, with its checkpoint.

    The weights of the generator are as it was built, times `larger`.
    """
    (resolved,) = resolve([variant])
    spec = data.describe(dataset, path)
    known = {key: value for key, value in SMALL.items() if hasattr(resolved.variant.recipe, key)}
    recipe = resolved.variant.recipe.override({**known, **numbers})
    state = TrainState.create(resolved.variant, recipe, spec, torch.device("cpu"), seed)
    with torch.no_grad():
        for weights in state.generator.parameters():
            weights.mul_(larger)
    record = results_doubles.result(
        variant,
        seed,
        dataset,
        request=variant,
        recipe=recipe.model_dump(),
        dataset_fields=spec.fields,
        source_hash=resolved.source_hash,
    )
    run = ResultsFolder(path).finish(record)
    write_checkpoint(run.checkpoint, record.run_id, {"networks": state.state_dict()})
    return run
