"""Text from outside as it can be shown: no control characters, no formulas."""

from __future__ import annotations

import re
import textwrap
from typing import Any

__all__ = ["quoted", "spreadsheet_text", "visible", "visible_values"]

# Control characters, line separators, marks that change the direction of what follows, marks that
# nobody sees (those stay by which scripts and emoji join letters), and halves of surrogate pairs,
# by which Python stands for bytes of a file name that are not UTF-8.
_INVISIBLE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\u061c\u200e\u200f"
    r"\u00ad\u200b\u2060-\u2064\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff\ud800-\udfff]"
)
_SENTENCE_END = re.compile(r"[.!?](?= [A-Z])")
_NO_TEXT = frozenset({float, int, bool, type(None)})  # most values; asking their type is quick
_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


def visible(text: str) -> str:
    r"""Text in one line, in which nothing acts on a terminal or fails to be encoded.

    What does either is written as Python would: the escape character as `\x1b`, a line's end as
    `\n`, a byte of a file name that is not UTF-8 as `\udcff`.
    """
    if text.isprintable():  # as nothing is that is escaped; it is the quick way for most texts
        return text
    return _INVISIBLE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def visible_values(value: Any) -> Any:
    """The same plain values, with `visible` texts in all lists and dictionaries, keys included."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, dict):
        return {
            key if type(key) is str and key.isprintable() else visible_values(key):
            item if type(item) in _NO_TEXT else visible_values(item)
            for key, item in value.items()
        }  # fmt: skip
    if isinstance(value, list | tuple):
        return type(value)(map(visible_values, value))
    return value


def quoted(text: str, most: int) -> str:
    """The beginning of a message of another library, in one line and in whole sentences.

    Args:
        text: The message; line ends and other space become single spaces.
        most: Characters at most. A first sentence that is longer ends after a word, with ` …`.
    """
    line = " ".join(text.split())
    if len(line) <= most:
        return line
    ends = [found.end() for found in _SENTENCE_END.finditer(line) if found.end() <= most]
    return line[: ends[-1]] if ends else textwrap.shorten(line, most, placeholder=" …")


def spreadsheet_text(value: object) -> object:
    """A cell of a CSV that no spreadsheet takes for a formula.

    An apostrophe is put before a text that begins like one; numbers, and texts that are numbers,
    stay as they are.
    """
    if not isinstance(value, str) or not value.startswith(_FORMULA_SIGNS):
        return value
    try:
        float(value)
    except ValueError:
        return f"'{value}"
    return value
