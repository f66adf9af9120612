"""Real images for each step: gathered on the device, or streamed to it while it computes."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch

from ganbench.data.dataset import as_in_memory
from ganbench.machine.random_streams import generator

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from torch import Tensor

    from ganbench.data.dataset import Split
    from ganbench.machine.device import Device, Event

    Reader = Callable[[NDArray[Any], NDArray[np.int64], Tensor, Event | None], None]

__all__ = ["BatchSource", "DataOrder", "Placement", "Resident", "Rows", "Streamed", "place"]

_RESIDENT_SHARE = 0.5  # of the free memory; the rest is for networks and activations
_BLOCK_BYTES = 1 << 22
_MOST_BATCHES = 16  # in a block
_MOST_MAPPED_BYTES = 1 << 28
_READ_AROUND_BYTES = 1 << 20  # which Linux maps around a byte that is used, in large folios
_AHEAD = 4  # blocks that are being read while one is used, each by a thread


@dataclass(frozen=True)
class Rows:
    """The rows of each batch that one of several processes sees.

    Attributes:
        rank: Number of the process, from 0.
        count: How many processes there are.
        size: Rows that each of them sees.
    """

    rank: int
    count: int
    size: int

    def start(self, batch: int) -> int:
        """Number of the first of these images of a batch, among all images in their order."""
        return (batch * self.count + self.rank) * self.size


class DataOrder:
    """Which images each step sees: one shuffled epoch after the other, in whole batches.

    A batch may hold the end of one epoch and the beginning of the next, so that each step has the
    same size and no image is left out. The order follows from the seed and the step alone.

    Args:
        count: Images.
        seed: Of the run.
        device: Where the positions go.
        rows: Which rows of each batch are given, where several processes share a run.
    """

    def __init__(
        self, count: int, seed: int, device: torch.device, rows: Rows | None = None
    ) -> None:
        self._count = count
        self._seed = seed
        self._device = device
        self._rows = rows
        self._epochs: dict[int, Tensor] = {}

    def _epoch(self, number: int) -> Tensor:
        if number not in self._epochs:
            stream = generator(self._seed, "data order", number)
            order = torch.randperm(self._count, generator=stream).to(self._device)
            kept = {key: value for key, value in self._epochs.items() if key == number - 1}
            self._epochs = {**kept, number: order}
        return self._epochs[number]

    def indices(self, start: int, size: int) -> Tensor:
        """Positions, in the training split, of images number `start` to `start + size`.

        With `rows`, images are numbered among those of this process.
        """
        if self._rows is None:
            return self._in_sequence(start, size)
        batches = range(start // self._rows.size, -(-(start + size) // self._rows.size))
        own = [self._in_sequence(self._rows.start(batch), self._rows.size) for batch in batches]
        skipped = start - batches[0] * self._rows.size
        return torch.cat(own)[skipped : skipped + size]

    def _in_sequence(self, start: int, size: int) -> Tensor:
        parts = []
        while size > 0:
            epoch, offset = divmod(start, self._count)
            part = self._epoch(epoch)[offset : offset + size]
            parts.append(part)
            start, size = start + len(part), size - len(part)
        return parts[0] if len(parts) == 1 else torch.cat(parts)


@dataclass(frozen=True)
class Placement:
    """Where training images are kept during a run.

    Attributes:
        streamed: Whether they stay on the host, to be sent batch by batch.
        reason: Why, for people.
    """

    streamed: bool
    reason: str


def place(images: Tensor, device: Device) -> Placement:
    """Keep images on the device where they take at most half of its free memory."""
    wanted, free = images.nbytes, device.free_memory_bytes()
    sizes = f"{wanted / 1e9:.2f} GB, with {free / 1e9:.1f} GB free"
    if wanted <= _RESIDENT_SHARE * free:
        return Placement(streamed=False, reason=f"resident on {device.kind}: {sizes}")
    return Placement(streamed=True, reason=f"streamed to {device.kind}: {sizes}")


class BatchSource(Protocol):
    """Where a run's real images come from."""

    def take(self, start: int, size: int) -> tuple[Tensor, Tensor | None]:
        """Give images number `start` to `start + size` in the order of the data.

        With `rows`, images are numbered among those of this process.

        Returns:
            uint8 images of shape (size, channels, height, width) in channels-last memory, or
            float32 points of shape (size, dimensions), and their int64 labels of shape (size,)
            where those are wanted; on the device, and valid until the next call.
        """

    def first(self, count: int) -> Tensor:
        """Give the first images of the first epoch, as they are stored, on the CPU."""


class Resident:
    """Gathers batches by index on the device, where all images are.

    Args:
        train: On the device.
        seed: Of the order.
        labelled: Whether labels are wanted too.
        rows: Which rows of each batch are given, where several processes share a run.
    """

    def __init__(
        self, train: Split, seed: int, *, labelled: bool = False, rows: Rows | None = None
    ) -> None:
        self._images = as_in_memory(train.images)
        self._labels = train.labels if labelled else None
        device = train.images.device
        self._order = DataOrder(len(train), seed, device, rows)
        self._whole = self._order if rows is None else DataOrder(len(train), seed, device)

    def take(self, start: int, size: int) -> tuple[Tensor, Tensor | None]:
        """See `BatchSource`."""
        chosen = self._order.indices(start, size)
        images = _in_order(self._images.index_select(0, chosen))
        return images, None if self._labels is None else self._labels[chosen]

    def first(self, count: int) -> Tensor:
        """See `BatchSource`."""
        chosen = self._whole.indices(0, min(count, len(self._images)))
        return _in_order(self._images.index_select(0, chosen)).cpu()


@dataclass(frozen=True)
class _Block:
    """Some batches on the host, in a buffer that a thread fills."""

    images: Tensor
    labels: Tensor | None
    filled: Future[None]


class Streamed:
    """Reads batches ahead of their use, several in a block, while the device computes.

    The images may be mapped from a file that is larger than memory: threads wait for the disk, not
    the training. They use numpy, since torch would start a team of OpenMP threads in each.

    Args:
        train: On the host.
        seed: Of the order.
        device: Where batches go.
        labelled: Whether labels are wanted too.
        rows: Which rows of each batch are given, where several processes share a run.
        block_bytes: Bytes that are read at once, at least one batch.
        read: Copies chosen images into a buffer, once the device has copied what the buffer held.
    """

    def __init__(
        self,
        train: Split,
        seed: int,
        device: Device,
        *,
        labelled: bool = False,
        rows: Rows | None = None,
        block_bytes: int = _BLOCK_BYTES,
        read: Reader | None = None,
    ) -> None:
        self._train = train
        self._block_bytes = block_bytes
        self._read_images = _gather if read is None else read
        self._pixels: NDArray[Any] = as_in_memory(train.images).numpy()
        self._labels = train.labels if labelled else None
        self._seed = seed
        self._device = device
        self._order = self._new_order(rows)
        self._readers = ThreadPoolExecutor(_AHEAD, "reader")
        self._foreseen = (-1, -1)  # start and size of the batch that comes next
        self._count = self._offset = 0  # images in a block, and how many of this one were taken
        self._mapped_bytes = 0  # at most
        self._unread = 0  # the first image that no block holds
        self._ahead: deque[_Block] = deque()
        self._images = torch.empty(0)
        self._block_labels: Tensor | None = None
        self._free: tuple[Tensor, Event | None]  # a buffer, and when the device has copied it

    def _new_order(self, rows: Rows | None = None) -> DataOrder:
        return DataOrder(len(self._pixels), self._seed, torch.device("cpu"), rows)

    def take(self, start: int, size: int) -> tuple[Tensor, Tensor | None]:
        """See `BatchSource`. Batches that follow one another come without waiting."""
        if (start, size) != self._foreseen:
            self._begin(start, size)
        if self._offset == self._count:
            self._turn()
        rows = slice(self._offset, self._offset + size)
        self._offset += size
        self._foreseen = (start + size, size)
        labels = None if self._block_labels is None else self._block_labels[rows]
        return _in_order(self._images[rows]), labels

    def first(self, count: int) -> Tensor:
        """See `BatchSource`."""
        chosen = self._new_order().indices(0, min(count, len(self._pixels)))
        return _in_order(torch.from_numpy(self._pixels[chosen.numpy()]))

    def _begin(self, start: int, size: int) -> None:
        """Read from another place on, or batches of another size."""
        for block in self._ahead:
            block.filled.result()
        self._ahead.clear()
        fitting = self._block_bytes // (size * self._pixels[0].nbytes)
        self._count = self._offset = size * max(1, min(_MOST_BATCHES, fitting))
        self._unread = start
        shape = (self._count, *self._pixels.shape[1:])
        for _ in range(_AHEAD):
            self._read(self._device.host_buffer(shape, self._train.images.dtype), None)
        self._free = self._device.host_buffer(shape, self._train.images.dtype), None

    def _read(self, buffer: Tensor, copied: Event | None) -> None:
        """Have the next block read."""
        chosen = self._order.indices(self._unread, self._count)
        self._unread += self._count
        labels = None if self._labels is None else self._labels[chosen]
        filled = self._readers.submit(
            self._read_images, self._pixels, chosen.numpy(), buffer, copied
        )
        self._ahead.append(_Block(buffer, labels, filled))

    def _turn(self) -> None:
        """Go on to the next block, and have one more read into the buffer of the last."""
        block = self._ahead.popleft()
        block.filled.result()
        self._let_go()
        self._offset = 0
        self._images = self._device.upload(block.images)
        self._block_labels = None if block.labels is None else self._device.upload(block.labels)
        self._read(*self._free)
        self._free = block.images, self._device.event()

    def _let_go(self) -> None:
        """Keep what is mapped small: in the end all of the file would count as used."""
        self._mapped_bytes += self._count * max(self._pixels[0].nbytes, _READ_AROUND_BYTES)
        if self._mapped_bytes > _MOST_MAPPED_BYTES:
            self._train.release()
            self._mapped_bytes = 0


def _in_order(stored: Tensor) -> Tensor:
    """Images (n, channels, height, width) of those that lie channels last; points as they are."""
    return stored.permute(0, 3, 1, 2) if stored.dim() == 4 else stored  # noqa: PLR2004 - NHWC


def _gather(
    pixels: NDArray[Any], chosen: NDArray[np.int64], buffer: Tensor, copied: Event | None
) -> None:
    if copied is not None:
        copied.synchronize()
    # a mode other than `raise` writes into the buffer at once
    np.take(pixels, chosen, axis=0, out=buffer.numpy(), mode="clip")
