"""The device that a run trains on: choosing it, timing on it, and its memory.

`Device` is all that the rest of ganbench knows of CUDA, MPS and the CPU. The vendor's module
(`torch.cuda`, `torch.mps`) is handed in, so that tests exercise each line with a double.
"""

from __future__ import annotations

import gc
import platform
import subprocess
import time
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

import torch
from torch import Tensor

from ganbench.errors import UsageError
from ganbench.machine.memory import (
    free_host_memory_bytes,
    keep_freed_memory,
    peak_host_memory_bytes,
    processor_name,
    release_host_memory,
    reset_peak_host_memory,
    used_host_memory_bytes,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = [
    "Device",
    "Event",
    "choose",
    "is_out_of_memory",
    "largest_card_bytes",
    "side_by_side",
]

Kind = Literal["cuda", "mps", "cpu"]
_DataType = torch.dtype  # in `Device`, torch is a property
_PIXELS = torch.uint8
_ALLOWED = "allowed: auto, cuda, cuda:1, mps, cpu"
_OUT_OF_MEMORY = (
    "out of memory",  # "CUDA error: out of memory", "MPS backend out of memory"
    "can't allocate memory",  # the CPU's allocator on Linux and macOS
    "not enough memory",  # and on Windows
    "alloc_failed",  # the status of cuBLAS and cuDNN
)
_CAPTURE_WARMUP = 3  # steps before a capture, in which libraries allocate what they need
_AS_IT_IS = nullcontext()


@contextmanager
def _tf32() -> Iterator[None]:
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    torch.set_float32_matmul_precision("high")
    torch.backends.cudnn.allow_tf32 = True
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before[0])
        torch.backends.cudnn.allow_tf32 = before[1]


class Event(Protocol):
    """A moment on a device's own time line."""

    def record(self) -> None:
        """Mark the moment when the work issued so far is done."""

    def synchronize(self) -> None:
        """Wait until the moment has come."""

    def elapsed_time(self, later: Any) -> float:
        """Milliseconds from this moment to a later one."""


class HostEvent:
    """An event on the CPU, where work is done when it returns."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def record(self) -> None:
        """Read the clock."""
        self.seconds = time.perf_counter()

    def synchronize(self) -> None:
        """Nothing is outstanding."""

    def elapsed_time(self, later: HostEvent) -> float:
        """Milliseconds between two readings."""
        return (later.seconds - self.seconds) * 1000


@dataclass
class Device:
    """A device and what ganbench asks of it.

    Attributes:
        kind: `cuda`, `mps` or `cpu`.
        index: Number of the card; 0 where there is only one.
        reason: Why it was chosen.
        vendor: The module that drives it; None for the CPU.
    """

    kind: Kind
    index: int = 0
    reason: str = ""
    vendor: Any = None
    _highest_bytes: int = field(default=0, repr=False)

    @property
    def torch(self) -> torch.device:
        """The device as PyTorch names it."""
        return (
            torch.device(self.kind, self.index) if self.kind == "cuda" else torch.device(self.kind)
        )

    @property
    def name(self) -> str:
        """The model of the device, for example `NVIDIA H100` or `Intel(R) Xeon(R)`."""
        if self.kind == "cuda":
            return str(self.vendor.get_device_name(self.index))
        chip = processor_name()
        return f"{chip} GPU" if self.kind == "mps" else chip

    @property
    def driver(self) -> str | None:
        """Version of what drives the device: NVIDIA's driver, or macOS; None on the CPU."""
        if self.kind == "cuda":
            return _nvidia_driver()
        return (platform.mac_ver()[0] or None) if self.kind == "mps" else None

    @property
    def libraries(self) -> dict[str, str]:
        """Versions of the vendor's libraries that torch was built with."""
        if self.kind != "cuda":
            return {}
        versions = {"cuda": torch.version.cuda, "cudnn": torch.backends.cudnn.version()}
        return {name: str(version) for name, version in versions.items() if version}

    def activate(self) -> None:
        """Make this card the current one of its vendor, for events, pinned memory and libraries.

        This initialises CUDA, so that it is for the process that trains or scores there. Its
        products and convolutions are float32 from then on; `training` rounds them more.
        """
        if self.kind == "cuda":
            self.vendor.set_device(self.index)
            torch.set_float32_matmul_precision("highest")
            torch.backends.cudnn.allow_tf32 = False  # torch itself rounds convolutions by default

    def synchronize(self) -> None:
        """Wait until all work that was issued to the device is done."""
        if self.kind == "cuda":
            self.vendor.synchronize(self.index)
        elif self.kind == "mps":
            self.vendor.synchronize()

    def event(self) -> Event:
        """Make an event that can be timed, and record it."""
        event: Event
        if self.kind == "cuda":
            event = self.vendor.Event(enable_timing=True)
        elif self.kind == "mps":
            event = self.vendor.event.Event(enable_timing=True)
        else:
            event = HostEvent()
        event.record()
        return event

    @property
    def trains_in_tf32(self) -> bool:
        """Whether float32 products are rounded to TensorFloat-32 in training."""
        return self.kind == "cuda"

    def training(self) -> AbstractContextManager[None]:
        """A context for training steps: on CUDA, products may use TensorFloat-32 there."""
        return _tf32() if self.trains_in_tf32 else _AS_IT_IS

    def capture(self, function: Callable[[], object]) -> Callable[[], None]:
        """Record what `function` issues to a CUDA device, to be issued again in one go.

        Args:
            function: Reads and writes the same memory each time, and never waits for the device.
                It is called a few times beforehand.

        Returns:
            Does on the device again what `function` did; nothing of it runs on the host.
        """
        vendor = self.vendor
        with vendor.device(self.index):
            side = vendor.Stream()
            side.wait_stream(vendor.current_stream())
            with vendor.stream(side):
                for _ in range(_CAPTURE_WARMUP):
                    function()
            vendor.current_stream().wait_stream(side)
            graph = vendor.CUDAGraph()
            with vendor.graph(graph):
                function()

        def replay() -> None:
            with vendor.device(self.index):
                graph.replay()

        return replay

    def reset_peak_memory(self, *, release: bool = True) -> None:
        """Forget the highest memory use so far.

        Args:
            release: Whether the CPU gives freed memory back first, which would count as in use.
        """
        self._highest_bytes = 0
        if self.kind == "cuda":
            self.vendor.reset_peak_memory_stats(self.index)
        elif self.kind == "cpu":
            if release:
                release_host_memory()
            reset_peak_host_memory()

    def note_memory(self) -> None:
        """Look at the memory in use now, on a device that keeps no record of its highest use."""
        if self.kind == "mps":
            self._highest_bytes = max(self._highest_bytes, self.vendor.driver_allocated_memory())

    def peak_memory_bytes(self) -> int:
        """Highest memory use since the reset: of the card, or of this process on the CPU."""
        if self.kind == "cuda":
            return int(self.vendor.max_memory_allocated(self.index))
        if self.kind == "mps":
            self.note_memory()
            return self._highest_bytes
        return peak_host_memory_bytes()

    def used_memory_bytes(self) -> int:
        """Memory in use now: of the card, or of this process on the CPU."""
        if self.kind == "cuda":
            return int(self.vendor.memory_allocated(self.index))
        if self.kind == "mps":
            return int(self.vendor.driver_allocated_memory())
        return used_host_memory_bytes()

    def free_memory_bytes(self) -> int:
        """Memory that can still be taken: of the card, or of the host on the CPU."""
        if self.kind == "cuda":
            return int(self.vendor.mem_get_info(self.index)[0])
        if self.kind == "mps":
            limit = self.vendor.recommended_max_memory()
            return max(0, int(limit - self.vendor.driver_allocated_memory()))
        return free_host_memory_bytes()

    def release_memory(self) -> None:
        """Give back what nobody refers to any more, the vendor's cache included."""
        if self.kind == "cpu":
            release_host_memory()
        else:
            gc.collect()
            self.vendor.empty_cache()

    def host_buffer(self, shape: tuple[int, ...], dtype: _DataType = _PIXELS) -> Tensor:
        """Memory of this machine for values, from which a CUDA card copies by itself."""
        buffer = torch.empty(shape, dtype=dtype)
        return buffer.pin_memory() if self.kind == "cuda" else buffer

    def upload(self, values: Tensor) -> Tensor:
        """Copy values from this machine to the device; on the CPU, the values themselves.

        CUDA copies while the program goes on. What lies in a `host_buffer` must not change before
        an `event` that is recorded after this call has come.
        """
        return values.to(self.torch, non_blocking=self.kind == "cuda")

    def rng_state(self) -> Tensor | None:
        """State of the card's own random number generator; None on the CPU."""
        if self.kind == "cuda":
            return cast("Tensor", self.vendor.get_rng_state(self.index))
        if self.kind == "mps":
            return cast("Tensor", self.vendor.get_rng_state())
        return None

    def set_rng_state(self, state: Tensor | None) -> None:
        """Put the card's random number generator back to a state from `rng_state`."""
        if state is None or self.kind == "cpu":
            return
        if self.kind == "cuda":
            self.vendor.set_rng_state(state, self.index)
        else:
            self.vendor.set_rng_state(state)


def choose(requested: str, *, cuda: Any = torch.cuda, mps: Any = None) -> Device:
    """Pick a device by name, or the best there is for `auto`: CUDA, then MPS, then the CPU.

    With the CPU, this process no longer gives memory back to the system by itself.

    Args:
        requested: `auto`, `cuda`, `cuda:<number>`, `mps` or `cpu`.
        cuda: Stands for `torch.cuda`.
        mps: Stands for `torch.mps`, with `is_available`.

    Raises:
        UsageError: The name is unknown, or the device is not there.
    """
    mps = torch.mps if mps is None else mps
    text = str(requested).strip().lower()  # a caller in Python may give anything
    kind, _, number = text.partition(":")
    if kind not in ("auto", "cuda", "mps", "cpu") or (
        number and not (kind == "cuda" and number.isdecimal())
    ):
        raise UsageError(f"unknown device {requested!r}: {_ALLOWED}")
    count = cuda.device_count() if cuda.is_available() else 0
    if kind == "auto":
        if count:
            return Device("cuda", 0, "auto chose cuda: a CUDA device was found", cuda)
        if mps.is_available():
            return Device("mps", 0, "auto chose mps: no CUDA device was found", mps)
        return _cpu("auto chose cpu: neither a CUDA nor an MPS device was found")
    if kind == "cuda":
        index = int(number or 0)
        if index >= count:
            there = f"{count} CUDA device(s) were found" if count else "no CUDA device was found"
            raise UsageError(f"device {requested!r} is not there: {there}; {_hint(count, mps)}")
        return Device("cuda", index, "asked for", cuda)
    if kind == "mps":
        if not mps.is_available():
            raise UsageError(
                f"device 'mps' is not there: this is no Apple GPU; {_hint(count, mps)}"
            )
        return Device("mps", 0, "asked for", mps)
    return _cpu("asked for")


def side_by_side(requested: str, *, cuda: Any = torch.cuda) -> tuple[str, ...]:
    """The cards over which runs side by side are spread: all CUDA cards, unless one was named.

    Args:
        requested: As `choose` takes it.
        cuda: Stands for `torch.cuda`.

    Returns:
        For example `cuda:0` and `cuda:1`; nothing where there are not several.
    """
    if requested.strip().lower() not in ("auto", "cuda") or not cuda.is_available():
        return ()
    count = cuda.device_count()
    return tuple(f"cuda:{index}" for index in range(count)) if count > 1 else ()


def _cpu(reason: str) -> Device:
    keep_freed_memory()
    return Device("cpu", 0, reason)


def _hint(cuda_count: int, mps: Any) -> str:
    there = [f"cuda:{index}" for index in range(cuda_count)]
    there += ["mps"] if mps.is_available() else []
    return f"give one of auto, {', '.join([*there, 'cpu'])}"


def _nvidia_driver() -> str | None:
    """Ask NVIDIA's own tool, which comes with the driver; None where it does not answer."""
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(  # noqa: S603 - fixed arguments
            command, capture_output=True, text=True, check=True, timeout=10
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return next(iter(done.stdout.split()), None)


@cache
def largest_card_bytes() -> int | None:
    """Memory of the largest NVIDIA card of this machine; None where its tool does not answer."""
    command = ["nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(  # noqa: S603 - fixed arguments
            command, capture_output=True, text=True, check=True, timeout=10
        )
        return 2**20 * max(map(int, done.stdout.split()))
    except (OSError, subprocess.SubprocessError, ValueError):
        return None


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, of a card or of the host.

    CUDA has an error of its own; MPS and the CPU's allocator raise a `RuntimeError` that says so.
    """
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and any(phrase in text for phrase in _OUT_OF_MEMORY)
