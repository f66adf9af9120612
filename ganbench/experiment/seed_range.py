"""Seeds as needed, as people write them: `auto` or `auto:3-20`, and a margin of equivalence."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ganbench.errors import UsageError

__all__ = ["SeedRange", "parse_margin", "parse_seed_range"]

_DEFAULT = "auto:3-20"
_MOST = 50
_PATTERN = re.compile(r"auto:(\d{1,9})-(\d{1,9})")


@dataclass(frozen=True)
class SeedRange:
    """From how many seeds to how many a variant is run, as its comparisons need.

    Attributes:
        first: Seeds of the first round, at least two.
        limit: Seeds at most.
    """

    first: int
    limit: int

    def __str__(self) -> str:
        return f"auto:{self.first}-{self.limit}"


def parse_seed_range(text: str) -> SeedRange | None:
    """Read `auto` or `auto:3-20`; None where the text does not begin with `auto`.

    Raises:
        UsageError: It begins so and cannot be read, or is out of range.
    """
    text = text.strip()
    if not text.startswith("auto"):
        return None
    match = _PATTERN.fullmatch(_DEFAULT if text == "auto" else text)
    if match is None:
        raise UsageError(
            f"seeds {text!r} cannot be read: give auto, or auto:3-20 for 3 to 20 seeds"
        )
    first, limit = map(int, match.groups())
    if not 2 <= first <= limit <= _MOST:  # noqa: PLR2004 - one seed has no spread
        raise UsageError(
            f"seeds {text!r} are out of range: give auto:FIRST-LIMIT with at least 2 seeds at "
            f"first, and a limit from there to {_MOST}"
        )
    return SeedRange(first, limit)


def parse_margin(text: str) -> float:
    """Read `10%` or `0.1` as 0.1; 0 where no two variants are to count as equivalent.

    Raises:
        UsageError: It is neither, or not a share from 0 to below 100%.
    """
    number = text.strip()
    try:
        margin = float(number.removesuffix("%")) / (100 if number.endswith("%") else 1)
    except ValueError:
        margin = -1.0
    if not 0 <= margin < 1:
        raise UsageError(
            f"margin {text!r} cannot be used: give a share of the score such as 10%, or 0% so that "
            "no variants count as equivalent"
        )
    return margin
