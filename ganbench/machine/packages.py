"""Whether a package is installed, without importing it."""

from __future__ import annotations

import importlib.util

__all__ = ["is_installed"]


def is_installed(package: str) -> bool:
    """Whether a package is there; a mere folder of its name, as trackers leave some, is none."""
    spec = importlib.util.find_spec(package)
    return spec is not None and spec.origin is not None
