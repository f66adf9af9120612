"""The checkpoint of a run: written whole, with a checksum and the name of its run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from ganbench.errors import UsageError
from ganbench.machine.checksums import damage, is_sealed, seal
from ganbench.machine.whole_files import save_torch, whole

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["read_checkpoint", "write_checkpoint"]

_NAME = "run_id"


def write_checkpoint(file: Path, run_id: str, values: dict[str, Any]) -> None:
    """Write a checkpoint; until it is complete and on the disk, the one before stays.

    Args:
        file: Its folder has to be there.
        run_id: Whose it is.
        values: As `torch.load(weights_only=True)` accepts them.

    Raises:
        OSError: It cannot be written.
    """
    with whole(file, durable=True) as temporary:
        save_torch({**values, _NAME: run_id}, temporary)
        seal(temporary)


def read_checkpoint(file: Path, run_id: str, device: torch.device, advice: str) -> dict[str, Any]:
    """Read a checkpoint, one of an earlier version too, which has no checksum and no name.

    Args:
        file: The checkpoint.
        run_id: Of the run that it has to be of.
        device: Where its tensors go.
        advice: What to do if it cannot be used, as the end of the message.

    Raises:
        UsageError: It is damaged, or of another run.
    """
    if file.exists() and not file.is_file():  # a pipe or a device would be read without an end
        raise UsageError(f"checkpoint {file} is no file: {advice}")
    try:
        sealed = is_sealed(file)
        why = damage(file) if sealed else ""
        values = {} if why else torch.load(file, weights_only=True, map_location=device)
        owner = values.get(_NAME)
    except Exception as error:  # of many kinds, as any byte may be wrong
        raise UsageError(
            f"checkpoint {file} cannot be read ({type(error).__name__}): {advice}"
        ) from error
    if owner is not None and not sealed:
        why = "it has lost its checksum"
    if why:
        raise UsageError(f"checkpoint {file} is damaged ({why}): {advice}")
    if owner not in (None, run_id):
        raise UsageError(f"checkpoint {file} is of run {owner}, not of {run_id}: {advice}")
    return dict(values)
