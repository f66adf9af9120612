"""Where progress is shown for those who call ganbench from Python: on stderr, or nowhere."""

from __future__ import annotations

from rich.console import Console

from ganbench.launch.progress import Display

__all__ = ["display"]


def display(*, quiet: bool) -> Display:
    """Show progress on stderr, or not at all."""
    return Display(Console(stderr=True, quiet=quiet, markup=False, emoji=False))
