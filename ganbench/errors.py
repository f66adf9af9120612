"""What can go wrong, as a tree.

GanbenchError
├── UsageError          the command cannot be carried out as given: exit code 2
│   └── DataError       a dataset or weights file is missing or unreadable
├── ContractError       a variant breaks the contract that every variant must keep, or changes
└── ExecutionError      a step cannot be compiled or captured
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from ganbench.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "ContractError",
    "DataError",
    "ExecutionError",
    "GanbenchError",
    "UsageError",
    "near",
    "unknown",
]


_LONGEST = 200  # characters of a name that are shown


class GanbenchError(Exception):
    """Base of all errors that ganbench raises on purpose.

    Its text is one line in which nothing acts on a terminal, whatever names it quotes.
    """

    def __str__(self) -> str:
        return visible(super().__str__())


class UsageError(GanbenchError):
    """What was asked for cannot be done; the message is one line that says what to do instead."""


class DataError(UsageError):
    """A dataset, a cache or a weights file is missing, unreadable or not what was expected."""


class ContractError(GanbenchError):
    """A variant does not keep the contract of `ganbench check`, or changes while it is run."""


class ExecutionError(GanbenchError):
    """A variant's step cannot be compiled or captured here."""


def near(name: str, allowed: Iterable[str]) -> list[str]:
    """Return up to three names of `allowed` that look like `name`, best first."""
    return difflib.get_close_matches(name[:_LONGEST].lower(), sorted(allowed), n=3, cutoff=0.5)


def unknown(what: str, name: str, allowed: Iterable[str], hint: str = "") -> UsageError:
    """Build the one-line error for a name that is not among the allowed ones.

    Args:
        what: The kind of thing in the singular, for example `"variant"`.
        name: What was given.
        allowed: All names that would have been right.
        hint: A closing clause that says where to look.
    """
    name, names = str(name), sorted(allowed)  # a caller in Python may give anything
    if len(name) > _LONGEST:
        name = f"{name[:_LONGEST]}…"
    close = near(name, names)
    guess = f"did you mean {' or '.join(close)}? " if close else ""
    tail = f"; {hint}" if hint else ""
    return UsageError(f"unknown {what} {name!r}: {guess}allowed: {', '.join(names)}{tail}")
