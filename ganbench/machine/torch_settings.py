"""Settings of torch that hold for a whole process: reading them, and putting them back.

The code of a variant may change them when it is imported, when its networks are built, or in its
losses. Left so, they would change how the variant is scored.
"""

from __future__ import annotations

import os
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["limit_threads", "preserved_settings", "settings"]

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def limit_threads(threads: int) -> None:
    """Give the libraries of this process no more than some threads, those that load later too."""
    from threadpoolctl import threadpool_limits

    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, str(threads)))
    threadpool_limits(limits=threads)
    torch.set_num_threads(threads)


def _set_default_device(device: torch.device) -> None:
    # torch without a default device is quicker than with the CPU as one
    torch.set_default_device(None if device.type == "cpu" else device)


def _set_anomaly_mode(values: tuple[bool, bool]) -> None:
    enabled, checks_nan = values
    torch.set_anomaly_enabled(enabled, check_nan=checks_nan)


def _blanket_filters() -> tuple[tuple[str, str], ...]:
    """Action and category of each filter that holds for all of one of Python's own warnings.

    The libraries that a variant loads add filters for messages and categories of their own, which
    change nothing for others.
    """
    return tuple(
        (action, category.__name__)
        for action, message, category, module, _ in warnings.filters
        if message is None
        and module is None
        and isinstance(category, type)
        and category.__module__ == "builtins"
    )


def _set_attribute(owner: Any, name: str) -> Callable[[Any], None]:
    return lambda value: setattr(owner, name, value)


_SETTINGS: dict[str, tuple[Callable[[], Any], Callable[[Any], object]]] = {
    "the default dtype": (torch.get_default_dtype, torch.set_default_dtype),
    "the default device": (torch.get_default_device, _set_default_device),
    "gradients": (torch.is_grad_enabled, torch.set_grad_enabled),
    "the number of threads": (torch.get_num_threads, torch.set_num_threads),
    "deterministic algorithms": (
        torch.get_deterministic_debug_mode,
        torch.set_deterministic_debug_mode,
    ),
    "anomaly detection": (
        lambda: (torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()),
        _set_anomaly_mode,
    ),
    "the precision of all backends": (
        lambda: getattr(torch.backends, "fp32_precision", None),  # torch 2.9 and later
        _set_attribute(torch.backends, "fp32_precision"),
    ),
    "the float32 precision": (
        torch.get_float32_matmul_precision,
        torch.set_float32_matmul_precision,
    ),
    "TF32 in matrix products": (
        lambda: torch.backends.cuda.matmul.allow_tf32,
        _set_attribute(torch.backends.cuda.matmul, "allow_tf32"),
    ),
    "TF32 in cuDNN": (
        lambda: torch.backends.cudnn.allow_tf32,
        _set_attribute(torch.backends.cudnn, "allow_tf32"),
    ),
    "the cuDNN benchmark": (
        lambda: torch.backends.cudnn.benchmark,
        _set_attribute(torch.backends.cudnn, "benchmark"),
    ),
    "deterministic cuDNN": (
        lambda: torch.backends.cudnn.deterministic,
        _set_attribute(torch.backends.cudnn, "deterministic"),
    ),
    "cuDNN": (
        lambda: torch.backends.cudnn.enabled,
        _set_attribute(torch.backends.cudnn, "enabled"),
    ),
}


def settings() -> dict[str, Any]:
    """The settings of this process by what they are called in a sentence, as plain values.

    Python's filters of warnings are among them, as far as they hold for more than one library.
    """
    return {
        **{name: _value(read) for name, (read, _) in _SETTINGS.items()},
        "the filters of warnings": _blanket_filters(),
    }


def _value(read: Callable[[], Any]) -> Any:
    try:
        return read()
    except RuntimeError:  # torch refuses to say where its older and newer names were mixed
        return "mixed"


@contextmanager
def preserved_settings() -> Iterator[None]:
    """Put back at the end of a `with` all that its inside has changed of `settings`."""
    before = {name: _value(read) for name, (read, _) in _SETTINGS.items()}
    try:
        with warnings.catch_warnings():
            yield
    finally:
        for name, (read, write) in _SETTINGS.items():
            if _value(read) != before[name]:
                write(before[name])
