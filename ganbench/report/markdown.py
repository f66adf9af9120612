"""Texts of other people in Markdown: shown as they are, whatever signs they hold."""

from __future__ import annotations

import re

__all__ = ["cell", "code", "literal"]

# Backslashes, code, emphasis and formulas; tags and entities; the ends of links and of their names.
_MARKUP = re.compile(r"[\\`*$~]|<(?=[\w/!?])|&(?=[\w#]+;)|\](?=[\[(:])|(?<!\w)_|_(?!\w)")


def cell(text: str) -> str:
    """A text that can stand in a cell of a Markdown table."""
    return literal(" ".join(text.split())).replace("|", "\\|")


def literal(text: str) -> str:
    """A text that Markdown shows as it is, with as few escapes as that needs."""
    return _MARKUP.sub(lambda sign: f"\\{sign[0]}", text)


def code(text: str) -> str:
    """A text in one line as code, between more backticks than it holds in a row."""
    text = " ".join(text.split())
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    return f"{fence} {text} {fence}" if longest else f"`{text}`"
