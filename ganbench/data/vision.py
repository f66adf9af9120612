"""MNIST, Fashion-MNIST and CIFAR-10, read and downloaded by torchvision."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from filelock import FileLock
from torchvision.datasets import CIFAR10, MNIST, FashionMNIST

from ganbench.data.dataset import Dataset, Progress, Split
from ganbench.data.download import check_reachable, downloading, one_line
from ganbench.errors import DataError

if TYPE_CHECKING:
    from torch import Tensor

    from ganbench.variant.definition import DatasetSpec

__all__ = ["check_vision", "load_vision"]

_ADVICE = "give --data-root a folder that holds it, or take --dataset digits"
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
    try:
        splits = _read(source, data_root)
        if splits is None:
            _download(spec.name, source, data_root, report)
            splits = _read(source, data_root)
    except (DataError, MemoryError):
        raise
    except Exception as error:  # a damaged file makes torchvision raise anything
        raise _damaged(spec.name, data_root, one_line(error)) from error
    counts = [len(split) for split in splits or ()]
    if splits is None or counts != [spec.train_count, spec.test_count]:
        raise _damaged(spec.name, data_root, f"it holds {counts} images")
    return Dataset.of(spec, *splits)


def check_vision(name: str, data_root: Path) -> str:
    """See within seconds that one of torchvision's datasets is there or can be downloaded.

    Args:
        name: In the catalogue.
        data_root: torchvision's `root`; nothing is written or downloaded.

    Returns:
        What will be downloaded, as a sentence; empty where the files are there.

    Raises:
        DataError: They are not, and their server does not answer.
    """
    source = _CLASSES[name]
    if issubclass(source, MNIST):
        folder = data_root / source.__name__ / "raw"
        files = [Path(packed).stem for packed, _md5 in source.resources]
    else:
        folder = data_root / source.base_folder
        files = [file for file, _md5 in (*source.train_list, *source.test_list)]
    if all((folder / file).exists() for file in files):
        return ""
    missing = f"{name} is not in the data root {data_root}"
    try:
        check_reachable(_addresses(source))
    except OSError as error:
        raise DataError(
            f"{missing} and cannot be downloaded ({one_line(error)}): {_ADVICE}"
        ) from error
    return f"{missing}: it will be downloaded"


def _addresses(source: Any) -> list[str]:
    """Where one file of a dataset is, on each server that has it."""
    if issubclass(source, MNIST):
        return [mirror + source.resources[0][0] for mirror in source.mirrors]
    return [source.url]


def _damaged(name: str, data_root: Path, how: str) -> DataError:
    return DataError(
        f"{name} in the data root {data_root} is damaged ({how}): "
        "delete it there, or name another folder with --data-root"
    )


def _read(source: Any, data_root: Path) -> list[Split] | None:
    """Read both splits; None where they are not there."""
    try:
        return [_split(source(data_root, train=train)) for train in (True, False)]
    except RuntimeError as error:
        if "You can use download=True" in str(error):
            return None
        raise


def _split(source: Any) -> Split:
    """Turn one of torchvision's in-memory datasets into tensors."""
    data = torch.as_tensor(source.data)
    grey = data.ndim == 3  # noqa: PLR2004 - n, height, width
    images: Tensor = data.unsqueeze(1) if grey else data.permute(0, 3, 1, 2)
    images = images.contiguous(memory_format=torch.channels_last)
    return Split(images, torch.as_tensor(source.targets).long())


def _download(name: str, source: Any, data_root: Path, report: Progress) -> None:
    """Download a dataset.

    Raises:
        DataError: The data root cannot be written, or the data cannot be had.
    """
    missing = f"{name} is not in the data root {data_root}"
    try:
        data_root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{missing}, which cannot be made ({error.strerror}): {_ADVICE}") from error
    if not os.access(data_root, os.W_OK):
        raise DataError(f"{missing}, which cannot be written for a download: {_ADVICE}")
    try:
        with (
            FileLock(data_root / f".{name}.lock"),
            downloading(name, report, _addresses(source)),
        ):
            source(data_root, download=True)
    except (OSError, RuntimeError) as error:  # URLError is an OSError
        raise DataError(
            f"{missing} and cannot be downloaded ({one_line(error)}): {_ADVICE}"
        ) from error
