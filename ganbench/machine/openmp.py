"""How long the threads of OpenMP spin while they wait for work; to be set before torch is loaded.

A training step of small networks is a row of short parallel loops, between which the threads wait
for the next one. They wait by spinning, which is quick while each has a processor of its own. On a
machine that is busy with other programs, a thread that spins keeps the processor from the thread
that it waits for. Measured for `mlp` on 2 processors, in real images per second: alone 16,200 with
libgomp's own length of spinning and 16,400 with a bounded one, after which the thread sleeps;
beside two processes that compute 2,900 (at worst 230) and 5,300 (at worst 4,600).
`benchmarks/spin.py` measures it again.
"""

from __future__ import annotations

import os

__all__ = ["bound_spinning", "spinning"]

_BOUNDS = {
    "GOMP_SPINCOUNT": "100000",  # of GNU's OpenMP, which torch has on Linux: rounds of a loop
    "KMP_BLOCKTIME": "1",  # of Intel's and LLVM's: milliseconds
}
_CHOICES = ("OMP_WAIT_POLICY", *_BOUNDS)


def bound_spinning() -> None:
    """Let the threads of OpenMP spin briefly, in this process and those that it starts.

    Nothing is changed where the user has said how they wait, by one of the environment variables
    OMP_WAIT_POLICY, GOMP_SPINCOUNT and KMP_BLOCKTIME.
    """
    if not any(name in os.environ for name in _CHOICES):
        os.environ.update(_BOUNDS)


def spinning() -> dict[str, str]:
    """The environment variables that say how the threads wait, as far as they are set."""
    return {name: os.environ[name] for name in _CHOICES if name in os.environ}
