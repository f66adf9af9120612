"""Random numbers by name: each use has its own stream, derived from the run's seed.

The same seed gives each variant the same data order, fixed noise and evaluation noise, whatever
else the variant draws.
"""

from __future__ import annotations

import hashlib

import torch

__all__ = ["generator", "stream_seed"]


def stream_seed(seed: int, *names: str | int) -> int:
    """Derive the seed of a named stream: an integer in [0, 2**63)."""
    text = ":".join(map(str, (seed, *names)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(seed: int, *names: str | int, device: torch.device | str = "cpu") -> torch.Generator:
    """Make a random number generator at the beginning of a named stream."""
    return torch.Generator(device=device).manual_seed(stream_seed(seed, *names))
