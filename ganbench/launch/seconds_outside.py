"""Seconds of a run outside its training clock, by what they were spent on."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["SecondsOutside"]


class SecondsOutside:
    """What `evaluation`, `samples`, `saving` and `first_use` have taken, by these names."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}

    @contextmanager
    def measure(self, name: str) -> Iterator[None]:
        """Add the time that the inside of a `with` takes to that of `name`."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            spent = time.perf_counter() - begun
            self._seconds[name] = self._seconds.get(name, 0.0) + spent

    def state_dict(self) -> dict[str, float]:
        """The seconds so far, by name."""
        return dict(self._seconds)

    def load_state_dict(self, values: Mapping[str, float]) -> None:
        """Go on with stored seconds."""
        self._seconds = dict(values)
