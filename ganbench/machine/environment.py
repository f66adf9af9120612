"""What a number depends on besides the plan: versions, machine, threads, commit."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import torch

from ganbench.machine.openmp import spinning

if TYPE_CHECKING:
    from ganbench.machine.device import Device

__all__ = ["describe", "numerics"]

_PACKAGES = ("ganbench", "torch", "torchvision", "torch-fidelity", "numpy", "scipy", "scikit-learn")


def describe(device: Device) -> dict[str, Any]:
    """Collect the conditions of a run as plain values.

    `threads` is the number of threads with which this process computes, and `cpu_capability` the
    widest vector instructions that torch uses: both decide in which order it adds numbers.
    """
    return {**numerics(device), **_machine(device), **_commit(Path(__file__).parent)}


def numerics(device: Device) -> dict[str, Any]:
    """What decides the last digits of a number on a device, without asking the device itself."""
    return {
        "versions": {"python": platform.python_version(), **_versions(), **device.libraries},
        "threads": torch.get_num_threads(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "driver": device.driver,
    }


def _machine(device: Device) -> dict[str, Any]:
    return {
        "platform": platform.platform(),
        "device": device.kind,
        "device_name": device.name,
        "device_reason": device.reason,
        "processors": os.cpu_count(),
        "openmp": spinning(),
        "tf32_in_training": device.trains_in_tf32,
        "memory_bytes": psutil.virtual_memory().total,
    }


def _versions() -> dict[str, str]:
    versions = {}
    for package in _PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return versions


def _commit(folder: Path) -> dict[str, Any]:
    """The commit of the source tree that runs, and whether it was changed since."""

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(folder), *arguments]
        done = subprocess.run(  # noqa: S603 - fixed arguments
            command, capture_output=True, text=True, check=True, timeout=10
        )
        return done.stdout.strip()

    try:
        git("ls-files", "--error-unmatch", "__init__.py")
        return {
            "commit": git("rev-parse", "HEAD"),
            "dirty": bool(git("status", "--porcelain", "--untracked-files=no")),
        }
    except (OSError, subprocess.SubprocessError):
        return {"commit": None, "dirty": None}
