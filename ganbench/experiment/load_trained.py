"""The networks of a finished run, read again from its folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganbench.errors import UsageError
from ganbench.experiment.checkpoint import read_checkpoint
from ganbench.training.state import TrainState
from ganbench.variant.definition import DatasetSpec
from ganbench.variant.registry import resolve

if TYPE_CHECKING:
    from ganbench.experiment.store import StoredRun
    from ganbench.machine.device import Device

__all__ = ["load_trained"]


def load_trained(
    run: StoredRun, device: Device, *, best: bool = False
) -> tuple[TrainState, DatasetSpec]:
    """Rebuild the networks of a finished run from its folder.

    Args:
        run: Whose checkpoint is read.
        device: Where the networks go.
        best: Whether the sampler is to be as it was at the best moment of the run.

    Raises:
        UsageError: The run has no checkpoint, or no best moment, or its variant is not what it was.
    """
    result = run.result
    if not run.checkpoint.exists() and result.status == "failed":
        raise UsageError(f"{run.path} failed, and left nothing to sample from: {result.reason}")
    if not run.checkpoint.exists():
        raise UsageError(
            f"{run.path} has no checkpoint.pt to sample from (checkpoints are not committed): "
            f"run it again with {result.command or 'ganbench run'}"
        )
    if best and not result.over_training.get("best"):
        raise UsageError(
            f"{run.path} knows no best moment, as it was not scored during training: leave out "
            "--best, or run it again with --evaluate-every"
        )
    (resolved,) = resolve([result.request or result.variant])
    recipe = resolved.variant.recipe.override(result.recipe)
    fields = dict(result.dataset_fields)
    spec = DatasetSpec(**{**fields, "class_names": tuple(fields["class_names"])})
    state = TrainState.create(resolved.variant, recipe, spec, device.torch, result.seed)
    values = read_checkpoint(run.checkpoint, result.run_id, device.torch, "run it again")
    try:
        state.load_state_dict(values["networks"])
        if best:
            state.sampler.load_state_dict(values["over_training"]["weights"])
    except (RuntimeError, KeyError, ValueError) as error:
        raise UsageError(
            f"{run.checkpoint} does not fit variant {result.variant!r} as it is now: "
            "its source has changed since the run"
        ) from error
    return state, spec
