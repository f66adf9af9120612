"""Arguments of functions as they come from Python: of the right type, or refused in one line."""

from __future__ import annotations

import operator
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ganbench.errors import UsageError
from ganbench.visible import quoted

__all__ = [
    "LARGEST_SEED",
    "key_values",
    "name_list",
    "names",
    "optional_path",
    "optional_text",
    "path",
    "refused",
    "truth",
    "whole",
]

LARGEST_SEED = 2**63 - 1
"""Of all seeds that users give, as torch takes it."""

_SHOWN = 100  # characters of a value that is refused


def path(name: str, value: Any) -> Path:
    """A path, with the home folder in the place of `~`.

    Args:
        name: Of the argument, for people.
        value: A text or a `pathlib.Path`, as all other paths here.

    Raises:
        UsageError: It is no path, or empty, which would be the working directory.
    """
    given = os.fspath(value) if isinstance(value, str | os.PathLike) else None
    if not isinstance(given, str):
        raise refused(name, value, "a path as a text or a pathlib.Path")
    if not given:
        raise UsageError(f"'' was given for {name}: give a path, or leave it out")
    try:
        return Path(given).expanduser()
    except RuntimeError:  # there is no such user
        return Path(given)


def optional_path(name: str, value: Any) -> Path | None:
    """A path, or None where it was left out.

    Raises:
        UsageError: It is no path, or empty.
    """
    return None if value is None else path(name, value)


def optional_text(name: str, value: Any) -> str | None:
    """A text, or None where it was left out.

    Raises:
        UsageError: It is none.
    """
    if value is not None and not isinstance(value, str):
        raise refused(name, value, "a text")
    return value


def names(name: str, value: Any) -> str | tuple[str, ...] | None:
    """Names in one text, or each by itself; None where they were left out.

    Raises:
        UsageError: It is neither.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bytes | Mapping) or not isinstance(value, Iterable):
        raise refused(name, value, "a text, or a list of texts")
    given = tuple(value)
    wrong = [item for item in given if not isinstance(item, str | os.PathLike)]
    if wrong:
        raise refused(name, wrong[0], "a text, or a list of texts")
    return tuple(map(str, given))


def name_list(name: str, value: Any) -> tuple[str, ...] | None:
    """Names, where a text is one of them; None where they were left out.

    Raises:
        UsageError: It is neither a text nor a list of texts.
    """
    given = names(name, value)
    return (given,) if isinstance(given, str) else given


def key_values(name: str, value: Any) -> tuple[str, ...] | None:
    """Values by name as `KEY=VALUE`, as flags give them; None where they were left out.

    Raises:
        UsageError: It is neither a dictionary nor texts of that form.
    """
    if isinstance(value, Mapping):
        return tuple(f"{key}={item}" for key, item in value.items())
    return name_list(name, value)


def whole(name: str, value: Any, least: int, most: int) -> int:
    """A whole number within bounds.

    Raises:
        UsageError: It is none, or lies outside.
    """
    try:
        number = None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = None
    if number is None or not least <= number <= most:
        raise refused(name, value, f"a whole number from {least:,} to {most:,}")
    return number


def truth(name: str, value: Any) -> bool:
    """True or False; nothing else, as the text `no` would count as True.

    Raises:
        UsageError: It is neither.
    """
    if not isinstance(value, bool):
        raise refused(name, value, "True or False")
    return value


def refused(name: str, value: Any, allowed: str) -> UsageError:
    """The error that says what was given for an argument, and what is allowed."""
    shown = quoted(_repr(value), _SHOWN)
    return UsageError(f"{name}={shown} is not allowed: give {allowed}")


def _repr(value: Any) -> str:
    """What a value looks like; of a number of 5,000 digits, which has no text, its type."""
    try:
        return repr(value)
    except ValueError:
        return f"a {type(value).__name__}"
