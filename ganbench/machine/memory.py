"""The machine that ganbench runs on: its processor, and the memory of this process."""

from __future__ import annotations

import ctypes
import gc
import platform
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = [
    "free_host_memory_bytes",
    "host_memory_bytes",
    "keep_freed_memory",
    "peak_host_memory_bytes",
    "processor_name",
    "release_host_memory",
    "reset_peak_host_memory",
    "trim_host_memory",
    "used_host_memory_bytes",
    "without_collection",
]

_CONTROL_GROUP = Path("/sys/fs/cgroup")

# glibc's malloc.h
_TRIM_THRESHOLD = -1
_MAPPED_BLOCKS = -4
_NEVER = -1


def processor_name() -> str:
    """The model of the processor, for example `Intel(R) Xeon(R)`."""
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


def used_host_memory_bytes() -> int:
    """Resident memory of this process now."""
    return int(psutil.Process().memory_info().rss)


def free_host_memory_bytes(control_group: Path = _CONTROL_GROUP) -> int:
    """Memory that this process can still take: of the machine, or of its container if that is less.

    Args:
        control_group: Where Linux tells a container's limit and use.
    """
    free = int(psutil.virtual_memory().available)
    try:
        limit = (control_group / "memory.max").read_text(encoding="ascii").strip()
        used = (control_group / "memory.current").read_text(encoding="ascii").strip()
        return min(free, max(0, int(limit) - int(used)))
    except (OSError, ValueError):  # no such container, or `max`: no limit
        return free


def host_memory_bytes(control_group: Path = _CONTROL_GROUP) -> int:
    """Memory of the machine, or that its container may take if that is less.

    Args:
        control_group: Where Linux tells a container's limit.
    """
    total = int(psutil.virtual_memory().total)
    try:
        return min(total, int((control_group / "memory.max").read_text(encoding="ascii")))
    except (OSError, ValueError):  # no such container, or `max`: no limit
        return total


def keep_freed_memory() -> None:
    """Let this process use again what it has freed, until `release_host_memory`.

    glibc gives every large tensor back to the system and asks for the next one, whose pages the
    system then clears one by one: time that networks on the CPU do not need to spend.
    """
    tune = _glibc("mallopt")
    if tune is not None:
        tune(_MAPPED_BLOCKS, 0)
        tune(_TRIM_THRESHOLD, _NEVER)


def release_host_memory() -> None:
    """Give freed memory back to the system, so that what is measured next does not hold it."""
    gc.collect()
    trim_host_memory()


def trim_host_memory() -> None:
    """Give freed memory back to the system, without looking for what only refers to itself."""
    trim = _glibc("malloc_trim")
    if trim is not None:
        trim(0)


def _glibc(function: str) -> Callable[..., int] | None:
    """A function of glibc's allocator, or None: musl and other systems have others."""
    return getattr(ctypes.CDLL(None), function, None) if sys.platform == "linux" else None


@contextmanager
def without_collection() -> Iterator[None]:
    """Look for no unreachable objects while very many are made that all stay.

    Each look would go through all of those again.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
