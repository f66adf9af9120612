"""Networks on the meta device, which has shapes and no numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["WithoutRandomWeights"]


class WithoutRandomWeights(TorchFunctionMode):
    """Leave out normal numbers for weights, which have none on the meta device.

    There, torch draws them by a function that has it load its compiler first, which takes as long
    as loading torch itself.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call a function of torch, or give back the tensor that it would fill."""
        given = kwargs or {}
        if func in (torch.Tensor.normal_, nn.init.normal_):
            tensor = args[0] if args else given["tensor"]
            if tensor.is_meta:
                return tensor
        return func(*args, **given)
