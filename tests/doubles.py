"""Stand-ins that several tests use: devices that are not here, and a dataset of a few images."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import torch

from ganbench.data.dataset import Split
from ganbench.device import Device
from ganbench.variant import DatasetSpec

if TYPE_CHECKING:
    from collections.abc import Callable


class FakeEvent:
    """A device event whose time is the number of events recorded before it, in milliseconds."""

    recorded = 0

    def __init__(self, *, enable_timing: bool = False) -> None:
        self.enable_timing = enable_timing
        self.milliseconds = -1.0
        self.waits = 0

    def record(self) -> None:
        FakeEvent.recorded += 1
        self.milliseconds = float(FakeEvent.recorded)

    def synchronize(self) -> None:
        self.waits += 1

    def elapsed_time(self, later: FakeEvent) -> float:
        assert self.enable_timing
        return later.milliseconds - self.milliseconds


class FakeVendor:
    """Plays `torch.cuda` and `torch.mps` as far as `ganbench.device` asks them."""

    Event = FakeEvent
    event = SimpleNamespace(Event=FakeEvent)

    def __init__(self, count: int = 1) -> None:
        self.count = count
        self.calls: list[str] = []
        self.allocated = 0
        self.state = torch.tensor([1, 2, 3], dtype=torch.uint8)

    def is_available(self) -> bool:
        return self.count > 0

    def device_count(self) -> int:
        return self.count

    def get_device_name(self, index: int) -> str:
        return f"Fake Card {index}"

    def synchronize(self, *_index: int) -> None:
        self.calls.append("synchronize")

    def reset_peak_memory_stats(self, _index: int) -> None:
        self.calls.append("reset")

    def max_memory_allocated(self, _index: int) -> int:
        return 12345

    def driver_allocated_memory(self) -> int:
        return self.allocated

    def recommended_max_memory(self) -> int:
        return 1000

    def mem_get_info(self, index: int) -> tuple[int, int]:
        return 700 + index, 1000

    def empty_cache(self) -> None:
        self.calls.append("empty cache")

    def get_rng_state(self, *_index: int) -> torch.Tensor:
        return self.state

    def set_rng_state(self, state: torch.Tensor, *_index: int) -> None:
        self.state = state


class LateEvent:
    """Comes when somebody waits for it: only then is what was issued before it done."""

    def __init__(self, card: LateCard) -> None:
        self._work = list(card.issued)

    def synchronize(self) -> None:
        for work in self._work:
            work()


class LateCard(Device):
    """A card that is on the CPU, and as late as a real one may be in copying what it was sent."""

    def __init__(self) -> None:
        super().__init__("cpu")
        self.issued: list[Callable[[], None]] = []

    def upload(self, values: torch.Tensor) -> torch.Tensor:
        arrived = torch.zeros_like(values)
        done: list[bool] = []

        def copy() -> None:
            if not done:
                done.append(True)
                arrived.copy_(values)

        self.issued.append(copy)
        return arrived

    def event(self) -> LateEvent:
        return LateEvent(self)

    def synchronize(self) -> None:
        LateEvent(self).synchronize()


def tiny_spec(channels: int = 1, classes: int = 4, count: int = 40) -> DatasetSpec:
    """A dataset of `count` images of 32×32 pixels."""
    names = tuple("abcdefghij"[:classes])
    return DatasetSpec("tiny", channels, 32, names, count, 8, "a letter {}")


def tiny_split(spec: DatasetSpec, size: int = 32) -> Split:
    """Images that are the same each time, of all classes in turn."""
    stream = torch.Generator().manual_seed(7)
    shape = (spec.train_count, spec.channels, size, size)
    images = torch.randint(0, 256, shape, generator=stream, dtype=torch.uint8)
    labels = torch.arange(spec.train_count) % len(spec.class_names)
    return Split(images.contiguous(memory_format=torch.channels_last), labels)
