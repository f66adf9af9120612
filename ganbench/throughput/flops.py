"""Counting a training step: floating-point operations and memory traffic.

The operations are counted by PyTorch's own counter, from the shapes of every matrix product and
convolution that really runs, forward and backward: one multiplication and one addition are two
operations, and multiplications with padding count. Other operators count none.

The bytes are an estimate: each operator is taken to read every input and write every output once,
as if nothing stayed in a cache and nothing were fused. A machine with large caches moves fewer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

__all__ = ["Operator", "Work", "count"]


@dataclass(frozen=True)
class Operator:
    """All calls of one operator.

    Attributes:
        name: For example `aten.convolution`.
        calls: Number of calls.
        flops: Floating-point operations counted.
        bytes_moved: Memory read and written, estimated.
    """

    name: str
    calls: int
    flops: int
    bytes_moved: int


@dataclass(frozen=True)
class Work:
    """The counted work by operator, the most operations first."""

    operators: tuple[Operator, ...]

    @property
    def flops(self) -> int:
        """Floating-point operations of all matrix products and convolutions."""
        return sum(operator.flops for operator in self.operators)

    @property
    def bytes_moved(self) -> int:
        """Memory read and written, estimated."""
        return sum(operator.bytes_moved for operator in self.operators)

    @property
    def bytes_without_products(self) -> int:
        """The part of `bytes_moved` that falls to operators without a matrix product."""
        return sum(operator.bytes_moved for operator in self.operators if not operator.flops)


class _NoModules:
    """Stands for the counter's tracker of modules, and follows none.

    The tracker's hooks refuse `torch.autograd.grad` with respect to what a network is given, which
    is how gradient penalties are computed; all operations are counted under `Global` in any case.
    """

    parents = frozenset({"Global"})

    def __enter__(self) -> None:
        """Nothing is followed."""

    def __exit__(self, *_: object) -> None:
        """Nothing was followed."""


@dataclass
class _Tally:
    calls: int = 0
    bytes_moved: int = 0


class _Traffic(TorchDispatchMode):
    """Adds up what each operator reads and writes."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch leaves it without types
        self.tallies: dict[str, _Tally] = {}

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        outcome = func(*args, **(kwargs or {}))
        moved = _bytes_moved(func, args, kwargs or {}, outcome)
        if moved:
            tally = self.tallies.setdefault(str(func.overloadpacket), _Tally())
            tally.calls += 1
            tally.bytes_moved += moved
        return outcome


def _bytes_moved(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], outcome: Any) -> int:
    """Bytes that one call reads and writes; 0 for a call that only makes a view of memory."""
    parameters = func._schema.arguments  # noqa: SLF001 - PyTorch has no public name for it
    given = dict(zip((parameter.name for parameter in parameters), args, strict=False)) | kwargs
    changed = [
        tensor
        for parameter in parameters
        if parameter.alias_info is not None and parameter.alias_info.is_write
        for tensor in _tensors(given.get(parameter.name))
    ]
    read = _tensors(list(given.values()))
    known = {tensor.untyped_storage().data_ptr() for tensor in read}
    fresh = [
        tensor
        for tensor in _tensors(outcome)
        if tensor.untyped_storage().data_ptr() not in known and "empty" not in str(func)
    ]
    if not changed and not fresh:
        return 0
    return sum(map(_size, [*read, *changed, *fresh]))


def _tensors(values: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(values) if isinstance(leaf, Tensor)]


def _size(tensor: Tensor) -> int:
    """Bytes of a tensor; one that was expanded lies in memory once."""
    return min(tensor.numel() * tensor.element_size(), tensor.untyped_storage().nbytes())


def count(step: Callable[[], object]) -> Work:
    """Run a step once and count what it does.

    Args:
        step: The work to count, for example one training step; it really runs, so weights
            change.
    """
    counter = FlopCounterMode(display=False)
    counter.mod_tracker = cast("Any", _NoModules())
    with _Traffic() as traffic, counter:
        step()
    flops = _counted(counter)
    operators = [
        Operator(name, tally.calls, flops.pop(name, 0), tally.bytes_moved)
        for name, tally in traffic.tallies.items()
    ]
    operators += [Operator(name, 0, number, 0) for name, number in flops.items()]
    operators.sort(key=lambda operator: (-operator.flops, -operator.bytes_moved, operator.name))
    return Work(tuple(operators))


def _counted(counter: FlopCounterMode) -> dict[str, int]:
    """Operations by operator; the counter has no total where nothing was counted."""
    total = counter.get_flop_counts().get("Global", {})
    return {str(name): number for name, number in total.items()}
