"""How the processes of jobs begin: forked from a server that has loaded torch once, or spawned.

A new process that imports torch and ganbench by itself needs seconds before its first step. On
Linux a server imports them once, while the command's own process makes its plan, and is forked for
each job. It does nothing but import: it initialises no CUDA, which a fork would break, and starts
no threads of OpenMP, which a fork would leave behind. Elsewhere forking is not safe, and each
process starts from the beginning.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import signal
import sys
from contextlib import contextmanager, suppress
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

__all__ = ["start", "start_method", "start_server", "without_main_module"]

_IMPORTED = (  # by the server
    "ganbench.cli.run",  # which a process imports with the main module
    "ganbench.launch.run_job",
    "ganbench.launch.resources",
    "ganbench.launch.retime",
    "ganbench.launch.worker",
    "torch._dynamo",  # which an optimizer imports when it is made
    "sklearn.datasets",
    "sklearn.neighbors",
)


def start_server() -> None:
    """Start the server, where there is one and it does not run yet; does not wait for it."""
    if sys.platform != "linux":
        return
    from multiprocessing import forkserver, resource_tracker

    forkserver.set_forkserver_preload(list(_IMPORTED))
    resource_tracker.ensure_running()  # by itself, as it lets all signals through at its end
    with _ignored_signals(), _safe_path():
        forkserver.ensure_running()
    atexit.unregister(_end_server)
    atexit.register(_end_server)


def _end_server() -> None:
    """End the server at once: by itself it takes apart all that it has loaded, for seconds."""
    from multiprocessing import forkserver

    server = getattr(forkserver, "_forkserver", None)  # Python has no public name for it
    number = getattr(server, "_forkserver_pid", None)
    if number is not None:
        with suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)


def start_method() -> str:
    """How processes begin here, as multiprocessing names it."""
    return "forkserver" if sys.platform == "linux" else "spawn"


def start(function: Callable[..., Any], *arguments: Any) -> tuple[BaseProcess, Connection]:
    """Start a process that calls a function of a module, and a pipe to it.

    Args:
        function: Found again by its name. Its last argument is the other end of the pipe.
        arguments: Those before; they travel by pickle.
    """
    start_server()
    context: Any = multiprocessing.get_context(start_method())  # stubs know names alone
    here, there = multiprocessing.Pipe()
    process: BaseProcess = context.Process(target=function, args=(*arguments, there))
    process.start()
    there.close()  # so that the pipe ends with the process
    return process, here


@contextmanager
def without_main_module() -> Iterator[None]:
    """Let the processes of runs not run the caller's main module, which they have no need of.

    Python's multiprocessing has each new process import the main module, so that a script without
    a guard would begin itself again in each of them.
    """
    before = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = before


@contextmanager
def _ignored_signals() -> Iterator[None]:
    """Let a new process ignore Ctrl-C and SIGTERM, which reach all processes of a command.

    It inherits them blocked. In this process those that come meanwhile are delivered afterwards.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _safe_path() -> Iterator[None]:
    """Let a new process take no module from the folder where the user happens to be."""
    name = "PYTHONSAFEPATH"
    before = os.environ.get(name)
    os.environ[name] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
