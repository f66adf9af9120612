"""Images or generators made elsewhere as rows of a comparison: `--variants frozen:PATH`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from ganbench.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ganbench.fakes.source import Source

__all__ = ["PREFIX", "frozen_name", "is_frozen", "opened", "seeds_of", "split"]

PREFIX = "frozen:"

_LONGEST = 60  # characters
_OTHER_SIGNS = re.compile(r"[^\w.-]+")


def is_frozen(request: str) -> bool:
    """Whether a name of a variant asks for images or a generator made elsewhere."""
    return request.startswith(PREFIX)


def split(variants: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names of variants that are trained, and the paths of what is not."""
    trained = tuple(name for name in variants if not is_frozen(name))
    paths = tuple(name.removeprefix(PREFIX).strip() for name in variants if is_frozen(name))
    if "" in paths:
        raise UsageError("frozen: needs a path, for example --variants mlp,frozen:samples/")
    return trained, paths


def frozen_name(path: str, taken: Sequence[str] = ()) -> str:
    """The name of a row for a folder or file: `frozen-` and the name of the file.

    Raises:
        UsageError: Another row has it.
    """
    stem = Path(path).expanduser().resolve().stem
    name = f"frozen-{_OTHER_SIGNS.sub('-', stem)[:_LONGEST].strip('-') or 'images'}"
    if name in taken:
        raise UsageError(f"frozen:{path} would be a second row named {name}: rename the file")
    return name


def opened(path: str) -> Source:
    """Open what is scored without training.

    Raises:
        UsageError: It is no folder of images, no array and no generator, or holds too few images.
        DataError: It cannot be read.
    """
    from ganbench.fakes.scored import FEWEST
    from ganbench.fakes.source import open_source  # loads torch

    source = open_source(Path(path).expanduser())
    if source.count is not None and source.count < FEWEST:
        count = f"{source.count} image{'s' if source.count != 1 else ''}"
        raise UsageError(f"{path} holds {count}: give {FEWEST} or more")
    return source


def seeds_of(source: Source, seeds: Sequence[int]) -> tuple[int, ...]:
    """The seeds that a source is scored with: images are the same for each, so one is enough."""
    return tuple(seeds) if source.count is None else (seeds[0],)
