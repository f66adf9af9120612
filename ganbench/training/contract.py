"""What a run demands of the images or points that a generator draws."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ganbench.errors import ContractError

if TYPE_CHECKING:
    from ganbench.training.calls import Batch
    from ganbench.training.state import TrainState
    from ganbench.variant.definition import DatasetSpec

__all__ = ["require_images"]

_FEW = 4
_SLACK = 1e-4  # of float arithmetic, also in half precision


def require_images(state: TrainState, spec: DatasetSpec, batch: Batch) -> Tensor:
    """See that the sampler draws images as promised, from a few latents in evaluation mode.

    Args:
        state: Its networks are left as they are; random numbers may be drawn.
        spec: Gives the shape.
        batch: Gives latents and conditions.

    Returns:
        The images.

    Raises:
        ContractError: The shape, the dtype or the range is another one, or a value is not finite.
    """
    network = state.sampler
    count = min(_FEW, len(batch.latent))
    given = [batch.latent[:count]]
    if state.takes_condition and batch.condition is not None:
        given.append(batch.condition[:count])
    was_training = network.training
    network.eval()
    try:
        with torch.no_grad():
            images = network(*given)
    finally:
        network.train(was_training)
    if not isinstance(images, Tensor):
        raise ContractError(f"the generator draws {type(images).__name__} and not a tensor")
    wanted = (count, *spec.shape(state.recipe.image_size))
    if tuple(images.shape) != wanted:
        raise ContractError(f"the generator draws {tuple(images.shape)} and not {wanted}")
    if images.dtype != torch.float32:
        raise ContractError(f"the generator draws {images.dtype} and not torch.float32")
    low, high = (float(end) for end in images.aminmax())
    if not bool(images.isfinite().all()):
        raise ContractError("the generator draws pixels that are not finite")
    if state.form.is_bounded and not state.clamp and (low < -1 - _SLACK or high > 1 + _SLACK):
        raise ContractError(
            f"the generator draws pixels between {low:.3g} and {high:.3g}, outside [-1, 1]: "
            "end with tanh, or say clamp=True in the variant"
        )
    return images
