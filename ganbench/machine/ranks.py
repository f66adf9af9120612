"""The processes of one run: what they average, what the first one tells the others.

All of them hold the same networks and see different rows of each batch. The first one, rank 0,
leads: it decides what is done next, and writes all files. The others do what it tells.
"""

from __future__ import annotations

import io
import itertools
import re
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
import torch.distributed as dist
from torch import Tensor

from ganbench.machine.own_rows import OwnRows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["RankLost", "Ranks", "join", "whole_count", "whole_mean"]

_STEP_LIMIT = timedelta(minutes=10)  # that one process may wait for another inside a step
_LEAD_LIMIT = timedelta(days=30)  # that the others wait while the first one draws, scores and saves


class RankLost(BaseException):
    """Another process of the run is gone, or does not answer.

    Like `Stopped` it is no `Exception`, so that nobody takes it for a failure of a variant.
    """


@dataclass(frozen=True)
class Ranks:
    """This process among those of one run.

    Attributes:
        rank: Its number, from 0; rank 0 leads.
        count: How many there are.
        control: Where the first one speaks to the others, on the host; None is for tests alone.
    """

    rank: int
    count: int
    control: Any = None

    @property
    def leads(self) -> bool:
        """Whether this is the first of them."""
        return self.rank == 0

    # --- Rows of a batch

    def own(self, rows: Tensor, share: int) -> Tensor:
        """This process's rows of what was drawn for the whole batch.

        Args:
            rows: Of the whole batch, or of a multiple of it.
            share: Rows of the batch that one process has.
        """
        return OwnRows(self.rank, self.count, share).of(rows)

    @contextmanager
    def together(self, share: int) -> Iterator[None]:
        """Inside a `with` all processes do the same step: means and random rows are the batch's.

        Args:
            share: Rows of the batch that one process has.
        """
        global _present  # noqa: PLW0603 - losses and networks know nothing of processes
        before = _present
        _present = self
        try:
            with OwnRows(self.rank, self.count, share):
                yield
        finally:
            _present = before

    # --- What all do at the same moment

    @torch.no_grad()
    def average(self, tensors: Sequence[Tensor]) -> None:
        """Replace tensors of one device by their means over all processes, in one message."""
        if not tensors:
            return
        flat = torch.cat([values.reshape(-1) for values in tensors])
        self._collect(lambda: dist.all_reduce(flat))
        flat /= self.count
        for values, mean in zip(tensors, _parts(flat, tensors), strict=True):
            values.copy_(mean)

    def average_gradients(self, optimizer: torch.optim.Optimizer) -> None:
        """Replace the gradients that an optimizer is about to use by their means."""
        held = itertools.chain.from_iterable(group["params"] for group in optimizer.param_groups)
        self.average([weight.grad for weight in held if weight.grad is not None])

    def mean(self, values: Tensor) -> Tensor:
        """The mean over all processes of a tensor; it has derivatives of every order."""
        return cast("Tensor", _Mean.apply(values, self))

    @torch.no_grad()
    def take_over(self, tensors: Sequence[Tensor]) -> list[int]:
        """Replace tensors by those of the first process, which differ by rounding at most.

        Returns:
            The positions of tensors that differed by more than that, the same in all processes.
        """
        unequal: list[int] = []
        kinds = sorted({(str(one.dtype), str(one.device)) for one in tensors})
        for kind in kinds:
            places = [
                place
                for place, one in enumerate(tensors)
                if (str(one.dtype), str(one.device)) == kind
            ]
            own = [tensors[place] for place in places]
            flat = torch.cat([values.reshape(-1) for values in own])
            self._collect(lambda flat=flat: dist.broadcast(flat, 0))  # type: ignore[misc]
            first = _parts(flat, own)
            pairs = zip(own, first, strict=True)
            far = torch.stack([_differs(mine, led) for mine, led in pairs]).float()
            self._collect(lambda far=far: dist.all_reduce(far, dist.ReduceOp.MAX))  # type: ignore[misc]
            unequal += [place for place, is_far in zip(places, far.tolist(), strict=True) if is_far]
            for mine, led in zip(own, first, strict=True):
                if not torch.equal(mine, led):
                    mine.copy_(led)
        return sorted(unequal)

    # --- What the first one says, and the others hear

    def tell(self, word: int, number: float = 0.0) -> None:
        """Say a word and a number to the others."""
        said = torch.tensor([word, number], dtype=torch.float64)
        self._collect(lambda: dist.broadcast(said, 0, group=self.control))

    def hear(self) -> tuple[int, float]:
        """Wait for the first one's next word, however long that takes."""
        heard = torch.zeros(2, dtype=torch.float64)
        self._collect(lambda: dist.broadcast(heard, 0, group=self.control))
        word, number = heard.tolist()
        return int(word), number

    def send(self, values: dict[str, Any]) -> None:
        """Send what `torch.load(weights_only=True)` accepts to the others."""
        file = io.BytesIO()
        torch.save(values, file)
        content = torch.frombuffer(bytearray(file.getvalue()), dtype=torch.uint8)
        self.tell(len(content))
        self._collect(lambda: dist.broadcast(content, 0, group=self.control))

    def receive(self) -> dict[str, Any]:
        """What the first one sends; its tensors are on the CPU."""
        length, _ = self.hear()
        content = torch.empty(length, dtype=torch.uint8)
        self._collect(lambda: dist.broadcast(content, 0, group=self.control))
        file = io.BytesIO(content.numpy().tobytes())
        return dict(torch.load(file, weights_only=True, map_location="cpu"))

    def leave(self) -> None:
        """Part from the others, after the last word."""
        dist.destroy_process_group()

    def _collect(self, collective: Callable[[], object]) -> None:
        """Do something with all other processes.

        Raises:
            RankLost: One of them is gone, or has not answered for ten minutes.
        """
        try:
            collective()
        except RuntimeError as error:  # of several kinds, by the library in use
            first = (str(error).strip().splitlines() or [type(error).__name__])[0]
            why = re.sub(r"^\[[^\]]*\]\s*", "", first)  # a place in the library's own source
            raise RankLost(f"process {self.rank} has lost another one ({why})") from error


def join(rank: int, count: int, meeting: Path, device: str) -> Ranks:
    """Meet the other processes of a run; returns when all are there.

    Args:
        rank: Of this process.
        count: Of all processes.
        meeting: A file that all of them can write, which is not there yet.
        device: Kind of the device: tensors on `cuda` are averaged by NCCL, all others by Gloo.

    Raises:
        RankLost: The others do not come.
    """
    backend = "cpu:gloo,cuda:nccl" if device == "cuda" else "gloo"
    ranks = Ranks(rank, count)

    def meet() -> Any:
        from torch.distributed import FileStore  # type: ignore[attr-defined]

        store = FileStore(str(meeting), count)
        dist.init_process_group(
            backend, store=store, rank=rank, world_size=count, timeout=_STEP_LIMIT
        )
        return dist.new_group(backend="gloo", timeout=_LEAD_LIMIT)

    control: list[Any] = []
    ranks._collect(lambda: control.append(meet()))  # noqa: SLF001 - before the others are known
    return Ranks(rank, count, control[0])


_present: Ranks | None = None


def whole_mean(values: Tensor) -> Tensor:
    """The mean of a tensor over the processes of a run, inside a training step.

    For numbers over a batch of which each process has a share, such as the mean of the outputs: the
    mean of the shares' means is that of the batch. It has derivatives. Where a run has one process
    the tensor comes back as it is.

    Args:
        values: Of the same shape in each process.
    """
    return values if _present is None else _present.mean(values)


def whole_count(own: int) -> int:
    """How many there are in the whole batch of what a process has some of, inside a step."""
    return own if _present is None else own * _present.count


class _Mean(torch.autograd.Function):
    """The mean over all processes: linear, and its own adjoint."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, ranks: Ranks) -> Tensor:
        ctx.ranks = ranks
        mean = values.detach().clone(memory_format=torch.contiguous_format)
        ranks._collect(lambda: dist.all_reduce(mean))  # noqa: SLF001 - of this module
        return mean.div_(ranks.count)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return cast("Tensor", _Mean.apply(gradients[0], ctx.ranks)), None


def _parts(flat: Tensor, like: Sequence[Tensor]) -> list[Tensor]:
    """Views of a flat tensor in the shapes of others."""
    parts = flat.split([values.numel() for values in like])
    return [part.view(values.shape) for part, values in zip(parts, like, strict=True)]


def _differs(own: Tensor, first: Tensor) -> Tensor:
    """Whether two tensors differ by more than rounding, seen from the largest of their numbers."""
    if own.numel() == 0:
        return torch.zeros((), dtype=torch.bool, device=own.device)
    distance = (own.double() - first.double()).abs().max()
    return distance > _ROUNDING * first.double().abs().max()


_ROUNDING = 1e-3  # which a card need not repeat; a statistic of other images differs by more
