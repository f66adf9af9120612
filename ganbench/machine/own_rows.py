"""Random numbers of a batch of which this process has a share: drawn for all of it, and cut.

Networks and losses draw numbers of their own: noise, augmentation, Dropout. Where each of several
processes draws those of the whole batch and keeps its rows, the images together see what they see
in one process, and the random streams of all processes stay equal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

__all__ = ["OwnRows"]


class OwnRows(TorchFunctionMode):
    """While it is open, numbers that are drawn by rows of the batch are those of own rows.

    Rows of the batch are told by their number: the first dimension is a multiple of the share, or
    divides it and is above 1. All else is drawn as it is, alike in all processes.

    Args:
        rank: Number of this process, from 0.
        count: How many processes there are.
        share: Rows of the batch that each of them has.
    """

    def __init__(self, rank: int, count: int, share: int) -> None:
        super().__init__()
        self._rank, self.count, self._share = rank, count, share

    def whole(self, shape: tuple[int, ...]) -> tuple[int, ...] | None:
        """Shape of what is drawn for the whole batch; None where it is not by rows of it."""
        if not shape or shape[0] == 0:
            return None
        is_rows = shape[0] % self._share == 0 or (shape[0] > 1 and self._share % shape[0] == 0)
        return (shape[0] * self.count, *shape[1:]) if is_rows else None

    def of(self, values: Tensor) -> Tensor:
        """Own rows of numbers of the whole batch, or of several times as many, part by part."""
        each = min(self._share, len(values) // self.count)
        first = self._rank * each
        parts = [part[first : first + each] for part in values.split(each * self.count)]
        return parts[0] if len(parts) == 1 else torch.cat(parts)

    def __torch_function__(
        self, func: Any, _types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Draw by rows where the function draws; call all others as they are."""
        given = kwargs or {}
        draw = _DRAWS.get(func)
        drawn = None if draw is None else draw(self, func, args, given)
        return func(*args, **given) if drawn is None else drawn


Draw = Callable[[OwnRows, Any, tuple[Any, ...], dict[str, Any]], Tensor | None]


def _of_shape(before: int) -> Draw:
    """For functions that take a shape after some other numbers."""

    def draw(rows: OwnRows, func: Any, args: Any, given: Any) -> Tensor | None:
        numbers, shape = args[:before], args[before:]
        if "size" in given:
            given = dict(given)
            numbers, shape = args, given.pop("size")
        elif len(shape) == 1 and not isinstance(shape[0], int):
            (shape,) = shape
        whole = rows.whole(tuple(shape))
        if whole is None or given.get("out") is not None:
            return None
        return rows.of(func(*numbers, size=whole, **given))

    return draw


def _randint(rows: OwnRows, func: Any, args: Any, given: Any) -> Tensor | None:
    """`randint(high, size)` or `randint(low, high, size)`."""
    positional = [place for place, one in enumerate(args) if isinstance(one, tuple | list)]
    return _of_shape(positional[0] if positional else len(args))(rows, func, args, given)


def _like(rows: OwnRows, func: Any, args: Any, given: Any) -> Tensor | None:
    """Numbers in the shape, and in the order in memory, of a tensor."""
    drawn = _spread(rows, args)
    return None if drawn is None else rows.of(func(drawn, *args[1:], **given))


def _in_place(rows: OwnRows, func: Any, args: Any, given: Any) -> Tensor | None:
    """Fills a tensor."""
    drawn = _spread(rows, args)
    if drawn is None or any(isinstance(one, Tensor) for one in (*args[1:], *given.values())):
        return None
    with torch.no_grad():
        func(drawn, *args[1:], **given)
    filled: Tensor = args[0]
    return filled.copy_(rows.of(drawn))


def _dropout(rows: OwnRows, func: Any, args: Any, given: Any) -> Tensor | None:
    """Multiplies by a random mask."""
    names = ("input", "p", "training", "inplace")
    values = {"p": 0.5, "training": True, **dict(zip(names, args, strict=False)), **given}
    if not values["training"] or values["p"] == 0:
        return None
    images = values["input"]
    whole = _spread(rows, (images,))
    if whole is None:
        return None
    mask = rows.of(func(torch.ones_like(whole), p=values["p"], training=True))
    masked: Tensor = images.mul_(mask) if values.get("inplace") else images * mask
    return masked


def _spread(rows: OwnRows, args: Any) -> Tensor | None:
    """A tensor as the first argument, as long as the whole batch: its values again and again."""
    own = args[0] if args else None
    if not isinstance(own, Tensor) or rows.whole(tuple(own.shape)) is None:
        return None
    return torch.cat([own.detach()] * rows.count)


_DRAWS: dict[Any, Draw] = {
    torch.rand: _of_shape(0),
    torch.randn: _of_shape(0),
    torch.randint: _randint,
    **dict.fromkeys(
        (torch.rand_like, torch.randn_like, torch.randint_like, torch.bernoulli), _like
    ),
    **dict.fromkeys(
        (
            Tensor.uniform_,
            Tensor.normal_,
            Tensor.bernoulli_,
            Tensor.random_,
            Tensor.exponential_,
            Tensor.log_normal_,
        ),
        _in_place,
    ),
    **dict.fromkeys((F.dropout, F.dropout1d, F.dropout2d, F.dropout3d, torch.dropout), _dropout),
}
"""What draws by rows. Other functions draw the same numbers in each process."""
