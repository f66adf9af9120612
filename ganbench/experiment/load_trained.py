"""The networks of a finished run, read again from its folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganbench.errors import UsageError
from ganbench.experiment.checkpoint import read_checkpoint
from ganbench.experiment.result import NO_BUDGET
from ganbench.experiment.trusted import trusted_request
from ganbench.training.state import TrainState
from ganbench.variant.definition import DatasetSpec
from ganbench.variant.registry import resolve
from ganbench.visible import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ganbench.experiment.store import StoredRun
    from ganbench.machine.device import Device
    from ganbench.variant.definition import Variant

__all__ = ["load_trained"]


def load_trained(
    run: StoredRun, device: Device, *, best: bool = False, files: Sequence[str] = ()
) -> tuple[TrainState, DatasetSpec]:
    """Rebuild the networks of a finished run from its folder.

    Args:
        run: Whose checkpoint is read.
        device: Where the networks go.
        best: Whether the sampler is to be as it was at the best moment of the run.
        files: Files of variants that the user named; no other file is run.

    Raises:
        UsageError: The run has no checkpoint, or no best moment, or its variant is not what it was,
            or is a file that the user did not name.
    """
    result = run.result
    if not run.checkpoint.exists() and result.status == "failed":
        raise UsageError(f"{run.path} failed, and left nothing to sample from: {result.reason}")
    if result.budget == NO_BUDGET:
        raise UsageError(
            f"{run.path} scores images that were made elsewhere, and holds no network: give a run "
            "of a variant"
        )
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
    (resolved,) = resolve([trusted_request(run, files)])
    if result.source_hash and resolved.source_hash != result.source_hash:
        raise UsageError(
            f"variant {result.variant!r} is not what it was in {run.path} (the hash of its source "
            f"is {resolved.source_hash}, the run's is {result.source_hash}): use the version of "
            "ganbench or of the package that made the run, or run it again"
        )
    state, spec = _built(run, resolved.variant, device)
    values = read_checkpoint(run.checkpoint, result.run_id, device.torch, "run it again")
    try:
        state.load_state_dict(values["networks"])
        if best:
            state.sampler.load_state_dict(values["over_training"]["weights"])
    except Exception as error:
        raise UsageError(
            f"{run.checkpoint} does not fit variant {result.variant!r} as it is now: "
            "it is damaged, or not that of this run"
        ) from error
    return state, spec


def _built(run: StoredRun, variant: Variant, device: Device) -> tuple[TrainState, DatasetSpec]:
    """The networks that a run's record describes, as they were before training.

    Raises:
        UsageError: It describes none that can be built.
    """
    result = run.result
    recipe = variant.recipe.override(result.recipe)
    try:
        fields = dict(result.dataset_fields)
        spec = DatasetSpec(**{**fields, "class_names": tuple(fields["class_names"])})
        spec.caption.replace("{}", "").format()  # with anything else in braces it is no template
        return TrainState.create(variant, recipe, spec, device.torch, result.seed), spec
    except UsageError:
        raise
    except Exception as error:
        raise UsageError(
            f"{run.path / 'result.json'} does not describe networks that can be built "
            f"({type(error).__name__}): {quoted(str(error), 200)}"
        ) from error
