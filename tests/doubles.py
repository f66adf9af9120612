"""Stand-ins that several tests use: devices that are not here, and a dataset of a few images."""

from __future__ import annotations

import threading
from contextlib import contextmanager, nullcontext
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from ganbench.data.dataset import Split
from ganbench.machine.device import Device
from ganbench.training.loop import Event, train
from ganbench.variant.budget import Budget
from ganbench.variant.definition import DatasetSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ganbench.training.session import Session

NEVER = Budget(1e12, "steps")


class FakeEvent:
    """A device event whose time is the number of events recorded before it, in milliseconds.

    As on a card, times can be read only of events that somebody has waited for, by that event, by
    a later one, or for all that the device does.
    """

    recorded = 0
    waited_for = 0.0

    def __init__(self, *, enable_timing: bool = False) -> None:
        self.enable_timing = enable_timing
        self.milliseconds = -1.0
        self.waits = 0

    def record(self) -> None:
        FakeEvent.recorded += 1
        self.milliseconds = float(FakeEvent.recorded)

    def synchronize(self) -> None:
        self.waits += 1
        FakeEvent.waited_for = max(FakeEvent.waited_for, self.milliseconds)

    def elapsed_time(self, later: FakeEvent) -> float:
        assert self.enable_timing
        assert max(self.milliseconds, later.milliseconds) <= FakeEvent.waited_for, "not done yet"
        return later.milliseconds - self.milliseconds


class Recorded(TorchDispatchMode):
    """Notes every operation on tensors; refuses one that a captured step must not hold."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[Any, Any, Any, Any]] = []

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None):
        if function is torch.ops.aten._local_scalar_dense.default:
            # torch's AveragedModel counts on the host, in whole numbers; all else is the device's
            _, compared, _, _ = self.calls[-1]
            assert compared[0].dtype == torch.int64, "the host waits"
        result = function(*args, **(kwargs or {}))
        self.calls.append((function, args, kwargs or {}, result))
        return result


class FakeGraph:
    """A CUDA graph: does the noted operations again, on the same memory."""

    def __init__(self) -> None:
        self.recorded = Recorded()
        self.replays = 0

    @torch.no_grad()
    def replay(self) -> None:
        self.replays += 1
        for function, args, kwargs, earlier in self.recorded.calls:
            again = function(*args, **kwargs)
            for old, new in zip(tree_leaves(earlier), tree_leaves(again), strict=True):
                if isinstance(new, torch.Tensor) and new.data_ptr() != old.data_ptr():
                    old.copy_(new)


class FakeStream:
    """A stream on which everything is done at once."""

    def wait_stream(self, _other: FakeStream) -> None:
        return


class FakeVendor:
    """Plays `torch.cuda` and `torch.mps` as far as `ganbench.machine.device` asks them."""

    Event = FakeEvent
    event = SimpleNamespace(Event=FakeEvent)
    Stream = FakeStream
    graphs: list[FakeGraph]

    def __init__(self, count: int = 1) -> None:
        self.count = count
        self.calls: list[str] = []
        self.allocated = 0
        self.state = torch.tensor([1, 2, 3], dtype=torch.uint8)
        self.graphs = []

    def set_device(self, index: int) -> None:
        self.calls.append(f"set device {index}")

    def device(self, _index: int) -> Any:
        return nullcontext()

    def stream(self, _stream: FakeStream) -> Any:
        return nullcontext()

    def current_stream(self) -> FakeStream:
        return FakeStream()

    def CUDAGraph(self) -> FakeGraph:  # noqa: N802
        self.graphs.append(FakeGraph())
        return self.graphs[-1]

    @contextmanager
    def graph(self, graph: FakeGraph) -> Iterator[None]:
        with graph.recorded:
            yield

    def is_available(self) -> bool:
        return self.count > 0

    def device_count(self) -> int:
        return self.count

    def get_device_name(self, index: int) -> str:
        return f"Fake Card {index}"

    def synchronize(self, *_index: int) -> None:
        self.calls.append("synchronize")
        FakeEvent.waited_for = float(FakeEvent.recorded)

    def reset_peak_memory_stats(self, _index: int) -> None:
        self.calls.append("reset")

    def max_memory_allocated(self, _index: int) -> int:
        return 12345

    def memory_allocated(self, _index: int) -> int:
        return self.allocated

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
        lock = threading.Lock()  # whoever waits for a copy waits for the whole of it

        def copy() -> None:
            with lock:
                if not done:
                    arrived.copy_(values)
                    done.append(True)

        self.issued.append(copy)
        return arrived

    def event(self) -> LateEvent:
        return LateEvent(self)

    def synchronize(self) -> None:
        LateEvent(self).synchronize()


class FakeCard(Device):
    """A CUDA device whose memory is the host's."""

    def __init__(self) -> None:
        super().__init__("cuda", vendor=FakeVendor())

    @property
    def torch(self) -> torch.device:
        return torch.device("cpu")


def train_to_end(session: Session, budget: Budget, sample_every: Budget = NEVER) -> list[Event]:
    """Train until the budget is used up; the events but those after each step."""
    events = train(session, budget, sample_every)
    return [event for event in events if event.kind != "stepped"]


def tiny_spec(channels: int = 1, classes: int = 4, count: int = 40) -> DatasetSpec:
    """A dataset of `count` images of 32×32 pixels."""
    names = tuple("abcdefghij"[:classes])
    return DatasetSpec("tiny", channels, 32, names, count, 8, "a letter {}")


def tiny_split(spec: DatasetSpec, size: int = 32) -> Split:
    """Images that are the same each time, of all classes in turn."""
    generator = torch.Generator().manual_seed(7)
    shape = (spec.train_count, spec.channels, size, size)
    images = torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8)
    labels = torch.arange(spec.train_count) % len(spec.class_names)
    return Split(images.contiguous(memory_format=torch.channels_last), labels)
