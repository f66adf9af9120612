"""The device that a run trains on: choosing it, timing on it, and its memory.

`Device` is all that the rest of ganbench knows of CUDA, MPS and the CPU. The vendor's module
(`torch.cuda`, `torch.mps`) is handed in, so that tests exercise each line with a double.
"""

from __future__ import annotations

import platform
import sys
import time
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

import psutil
import torch
from torch import Tensor

from ganbench.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Device", "Event", "choose", "peak_host_memory_bytes", "reset_peak_host_memory"]

Kind = Literal["cuda", "mps", "cpu"]
_ALLOWED = "allowed: auto, cuda, cuda:1, mps, cpu"
_CAPTURE_REHEARSALS = 3  # steps before a capture, in which libraries allocate what they need
_AS_IT_IS = nullcontext()


@contextmanager
def _tf32() -> Iterator[None]:
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


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
        chip = _processor_name()
        return f"{chip} GPU" if self.kind == "mps" else chip

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
            aside = vendor.Stream()
            aside.wait_stream(vendor.current_stream())
            with vendor.stream(aside):
                for _ in range(_CAPTURE_REHEARSALS):
                    function()
            vendor.current_stream().wait_stream(aside)
            graph = vendor.CUDAGraph()
            with vendor.graph(graph):
                function()

        def replay() -> None:
            with vendor.device(self.index):
                graph.replay()

        return replay

    def reset_peak_memory(self) -> None:
        """Forget the highest memory use so far."""
        self._highest_bytes = 0
        if self.kind == "cuda":
            self.vendor.reset_peak_memory_stats(self.index)
        elif self.kind == "cpu":
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

    Args:
        requested: `auto`, `cuda`, `cuda:<number>`, `mps` or `cpu`.
        cuda: Stands for `torch.cuda`.
        mps: Stands for `torch.mps`, with `is_available`.

    Raises:
        UsageError: The name is unknown, or the device is not there.
    """
    mps = torch.mps if mps is None else mps
    text = requested.strip().lower()
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
        return Device("cpu", 0, "auto chose cpu: neither a CUDA nor an MPS device was found")
    if kind == "cuda":
        index = int(number or 0)
        if index >= count:
            found = f"{count} CUDA device(s) were found" if count else "no CUDA device was found"
            raise UsageError(f"device {requested!r} is not there: {found}; {_hint(count, mps)}")
        return Device("cuda", index, "asked for", cuda)
    if kind == "mps":
        if not mps.is_available():
            raise UsageError(
                f"device 'mps' is not there: this is no Apple GPU; {_hint(count, mps)}"
            )
        return Device("mps", 0, "asked for", mps)
    return Device("cpu", 0, "asked for")


def _hint(cuda_count: int, mps: Any) -> str:
    there = [f"cuda:{index}" for index in range(cuda_count)]
    there += ["mps"] if mps.is_available() else []
    return f"give one of auto, {', '.join([*there, 'cpu'])}"


def _processor_name() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def reset_peak_host_memory() -> None:
    """Start a new measurement of this process's highest memory use, where the system can."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return


def peak_host_memory_bytes() -> int:
    """Highest resident memory of this process: since the last reset on Linux, else since start."""
    try:
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    import resource

    highest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(highest if sys.platform == "darwin" else highest * 1024)
