"""Whether another machine has the same ganbench: its version, and a hash of its source."""

from __future__ import annotations

import hashlib
import importlib.metadata
import socket
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ganbench.errors import UsageError

__all__ = ["SourceCode", "check_same_code", "own_code"]

_PACKAGE = Path(__file__).parents[1]
_VARIANTS = "variants"  # each of which has a hash of its own in a job's record


@dataclass(frozen=True)
class SourceCode:
    """What is installed as ganbench.

    Attributes:
        version: Of the package.
        source_hash: Of all its modules but variants; line endings do not matter.
    """

    version: str
    source_hash: str

    def __str__(self) -> str:
        return f"ganbench {self.version} of source {self.source_hash}"


@cache
def own_code() -> SourceCode:
    """What this process runs, as its files were when it was first asked."""
    digest = hashlib.sha256()
    for path in sorted(_PACKAGE.rglob("*.py")):
        name = path.relative_to(_PACKAGE)
        if name.parts[0] != _VARIANTS:
            content = path.read_bytes().replace(b"\r\n", b"\n")
            digest.update(f"{name.as_posix()} {len(content)}\n".encode() + content)
    return SourceCode(importlib.metadata.version("ganbench"), digest.hexdigest()[:16])


def check_same_code(there: SourceCode) -> None:
    """See that the machine that gave a job runs the same ganbench as this one.

    Raises:
        UsageError: It does not.
    """
    if there != own_code():
        raise UsageError(
            f"{socket.gethostname()} refuses runs: it has {own_code()}, and the command runs "
            f"{there}: install the same one on all machines"
        )
