"""The highest memory use of training alone, without what scoring takes between two steps."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ganbench.machine.memory import (
    peak_host_memory_bytes,
    release_host_memory,
    reset_peak_host_memory,
    used_host_memory_bytes,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ganbench.data.dataset import Split
    from ganbench.machine.device import Device

__all__ = ["TrainingMemory"]


@dataclass
class _Account:
    """One kind of memory: of the device, or of this process.

    Attributes:
        used: Bytes in use now.
        highest: The most bytes that were in use since the last reset.
        of_scoring: Bytes that scoring keeps between its turns.
        peak: The most bytes that training has used.
    """

    used: Callable[[], int]
    highest: Callable[[], int]
    of_scoring: int = 0
    peak: int = 0

    def note(self) -> None:
        """Take what was used since the last reset into the peak."""
        self.peak = max(self.peak, self.highest() - self.of_scoring)


class TrainingMemory:
    """Counts the memory of a run in stretches of training, with scoring in between left out.

    What scoring takes and gives back is in no stretch. What it keeps (features of the real images,
    the backbone) is measured when it ends, with freed memory given back before and after, and
    subtracted from all that follows. So the peak is the same however often a run is scored, and
    whether or not its process had to train the classifier. Grids of samples and checkpoints count.

    Args:
        device: Where the run trains.
        host: Stands for the memory of this process: what is used, the highest use, and forgetting
            that.
    """

    def __init__(
        self,
        device: Device,
        host: tuple[Callable[[], int], Callable[[], int], Callable[[], None]] = (
            used_host_memory_bytes,
            peak_host_memory_bytes,
            reset_peak_host_memory,
        ),
    ) -> None:
        self._device = device
        used, highest, self._reset_host = host
        self._accounts = {
            "device": _Account(device.used_memory_bytes, device.peak_memory_bytes),
            "host": _Account(used, highest),
        }

    def begin(self) -> None:
        """Forget what was used before, when training is about to begin."""
        self._device.reset_peak_memory(release=False)
        self._reset_host()

    @contextmanager
    def left_out(self, train: Split) -> Iterator[None]:
        """Leave out what happens inside a `with`, between two steps.

        Args:
            train: The training images, which may be mapped: what is in memory of them is not what
                scoring keeps.
        """
        self._note()
        self._release(train)
        before = {name: account.used() for name, account in self._accounts.items()}
        try:
            yield
        finally:
            self._release(train)
            for name, account in self._accounts.items():
                account.of_scoring += account.used() - before[name]
            self.begin()

    def _release(self, train: Split) -> None:
        train.release()
        if self._device.kind == "mps":  # whose use includes what it keeps to use again
            self._device.release_memory()
        release_host_memory()

    def _note(self) -> None:
        for account in self._accounts.values():
            account.note()

    @property
    def device_bytes(self) -> int:
        """The most memory of the device that training has used; of this process on the CPU."""
        self._note()
        return self._accounts["device"].peak

    @property
    def host_bytes(self) -> int:
        """The most memory of this process that training has used."""
        self._note()
        return self._accounts["host"].peak

    def state_dict(self) -> dict[str, int]:
        """The peaks so far, for a checkpoint."""
        return {"device": self.device_bytes, "host": self.host_bytes}

    def load_state_dict(self, values: Mapping[str, Any]) -> None:
        """Go on with stored peaks, in another process."""
        for name, account in self._accounts.items():
            account.peak = int(values[name])
