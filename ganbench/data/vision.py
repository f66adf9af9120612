"""MNIST, Fashion-MNIST and CIFAR-10 through torchvision, which checks each download's checksum."""

from __future__ import annotations

import io
import os
from contextlib import redirect_stderr
from typing import TYPE_CHECKING, Any

import torch
from torchvision.datasets import CIFAR10, MNIST, FashionMNIST

from ganbench.data.dataset import Dataset, Progress, Split
from ganbench.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from ganbench.variant import DatasetSpec

__all__ = ["load_vision"]

_CLASSES: dict[str, Any] = {"cifar10": CIFAR10, "fashion-mnist": FashionMNIST, "mnist": MNIST}


def load_vision(spec: DatasetSpec, data_root: Path, report: Progress) -> Dataset:
    """Read one of torchvision's datasets; download it first where it is not there.

    Args:
        spec: Its entry in the catalogue.
        data_root: torchvision's `root`; written only when something must be downloaded.
        report: Called before and after a download.

    Raises:
        DataError: The data are not there and cannot be downloaded, or they are damaged.
    """
    source = _CLASSES[spec.name]
    _require(spec.name, source, data_root, report)
    try:
        train, test = (_split(source(data_root, train=train)) for train in (True, False))
    except Exception as error:  # noqa: BLE001 - a damaged file makes torchvision raise anything
        raise DataError(
            f"{spec.name} in {data_root} is damaged ({_one_line(error)}): "
            "delete it there, or name another folder with --data-root"
        ) from error
    if (len(train), len(test)) != (spec.train_count, spec.test_count):
        raise DataError(
            f"{spec.name} in {data_root} has {len(train)} and {len(test)} images instead of "
            f"{spec.train_count} and {spec.test_count}: delete it there to download it again"
        )
    return Dataset.of(spec, train, test)


def _require(name: str, source: Any, data_root: Path, report: Progress) -> None:
    """Download a dataset unless it is there.

    Raises:
        DataError: It is not there, and there is no way to get it.
    """
    try:
        source(data_root, train=True)
    except RuntimeError:  # torchvision's word for "not found"
        pass
    except Exception:  # noqa: BLE001 - it is there, but damaged: the caller says so
        return
    else:
        return
    missing = f"{name} is not in the data root {data_root}"
    advice = "give --data-root a folder that holds it, or take --dataset digits"
    try:
        data_root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{missing}, which cannot be made ({error.strerror}): {advice}") from error
    if not os.access(data_root, os.W_OK):
        raise DataError(f"{missing}, which cannot be written for a download: {advice}")
    report(f"downloading {name}", 0, 0)
    try:
        with redirect_stderr(io.StringIO()):  # torchvision draws bars of its own
            source(data_root, download=True)
    except (OSError, RuntimeError) as error:  # URLError is an OSError
        raise DataError(
            f"{missing} and cannot be downloaded ({_one_line(error)}): {advice}"
        ) from error
    report(f"downloading {name}", 1, 1)


def _split(source: Any) -> Split:
    """Turn one of torchvision's in-memory datasets into tensors."""
    data = torch.as_tensor(source.data)
    grey = data.ndim == 3  # noqa: PLR2004 - n, height, width
    images: Tensor = data.unsqueeze(1) if grey else data.permute(0, 3, 1, 2)
    return Split(images, torch.as_tensor(source.targets).long())


def _one_line(error: BaseException) -> str:
    """Say what an error says, in one line."""
    return " ".join(str(error).split()) or type(error).__name__
