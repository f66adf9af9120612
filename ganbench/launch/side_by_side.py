"""One function of many items, in some processes side by side.

A pipe ties each process to this one: it ends when this one is gone. What a process was doing that
was ended from outside is done in this one.
"""

from __future__ import annotations

from contextlib import suppress
from multiprocessing import connection
from typing import TYPE_CHECKING, Any, TypeVar

from ganbench.launch import processes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from multiprocessing.connection import Connection

__all__ = ["side_by_side"]

_Item = TypeVar("_Item")
_Made = TypeVar("_Made")


def side_by_side(
    function: Callable[[_Item], _Made], items: Sequence[_Item], count: int
) -> Iterator[_Made]:
    """Call a function with each item, and give what it returns in the order of the items.

    Args:
        function: Of a module. It travels by pickle, as do the items and what it returns.
        items: What to call it with.
        count: The most processes. With one, all is done in this process.

    Raises:
        Exception: What the function raised.
    """
    count = min(count, len(items))
    workers = [_Worker(function) for _ in range(count)] if count > 1 else []
    waiting = list(reversed(range(len(items))))
    made: dict[int | None, _Made] = {}
    try:
        for place, item in enumerate(items):
            while place not in made and workers:
                for worker in workers:
                    if worker.place is None and waiting:
                        index = waiting.pop()
                        worker.give(index, items[index])
                made |= _received(workers)
            yield made.pop(place) if place in made else function(item)
    finally:
        for worker in workers:
            worker.end()


def _received(workers: list[_Worker]) -> dict[int | None, Any]:
    """Wait for what is done next, by place; a worker that is gone is removed."""
    received: dict[int | None, Any] = {}
    ready = connection.wait([worker.pipe for worker in workers])
    for worker in [worker for worker in workers if worker.pipe in ready]:
        try:
            made, error = worker.pipe.recv()
        except (EOFError, OSError):
            worker.end()
            workers.remove(worker)
            continue
        if error is not None:
            raise error
        received[worker.place] = made
        worker.place = None
    return received


class _Worker:
    """A process that calls a function with one item after the other.

    Attributes:
        pipe: To it.
        place: Of the item that it has; None where it has none.
    """

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self._process, self.pipe = processes.start(_work, function)
        self.place: int | None = None

    def give(self, place: int, item: Any) -> None:
        """Let it begin with an item."""
        self.place = place
        with suppress(OSError):  # it is gone, which is seen when it is waited for
            self.pipe.send(item)

    def end(self) -> None:
        """End the process, whatever it does."""
        self.pipe.close()
        self._process.kill()
        self._process.join()


def _work(function: Callable[[Any], Any], pipe: Connection) -> None:
    with suppress(EOFError, OSError):  # the other end is gone
        while True:
            item = pipe.recv()
            try:
                answer: tuple[Any, Exception | None] = function(item), None
            except Exception as error:  # noqa: BLE001 - raised again at the other end
                answer = None, error
            pipe.send(answer)
