"""Array files, .npy, .npz and .pt: read as data, and nothing of what is in them is run."""

from __future__ import annotations

import pickle
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ganbench.errors import DataError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ARRAY_ENDINGS", "is_torchscript", "read_array"]

ARRAY_ENDINGS = (".npy", ".npz", ".pt", ".pth")
_SIGNS_OF_PICKLES = ("Python objects in dtype", "Object arrays")
_USUAL_KEYS = ("images", "arr_0", "samples", "fakes", "x")


def is_torchscript(path: Path) -> bool:
    """Whether a file holds a TorchScript program; other files of torch have no such part."""
    if not path.is_file():  # a device such as /dev/zero would be read until the memory is full
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith("/constants.pkl") for name in archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return False


def read_array(path: Path, key: str | None = None) -> Any:
    """Read the array of a file, mapped into memory where the format allows that.

    Args:
        path: Of kind `.npy`, `.npz`, `.pt` or `.pth`.
        key: Name of the array where the file holds several.

    Returns:
        A NumPy array or a tensor on the CPU.

    Raises:
        DataError: The file cannot be read, or holds pickled objects, which could run code.
        UsageError: It holds several arrays, and which is meant is not clear.
    """
    if not path.is_file():
        raise DataError(f"{path} is no file: give one of {', '.join(ARRAY_ENDINGS)}")
    if path.suffix == ".npz" and not zipfile.is_zipfile(path):
        raise DataError(f"{path} is no archive of numpy.savez: write it again")
    try:
        if path.suffix == ".npy":
            return np.load(path, mmap_mode="r", allow_pickle=False)
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as archive:
                return archive[_key(path, list(archive.files), key)]
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except UsageError:  # a DataError is one too
        raise
    except Exception as error:  # damaged files make readers raise many kinds
        raise _unreadable(path, error) from error
    if isinstance(loaded, torch.Tensor):
        return loaded
    if isinstance(loaded, dict):
        tensors = {str(name): value for name, value in loaded.items() if torch.is_tensor(value)}
        return tensors[_key(path, list(tensors), key)]
    raise DataError(
        f"{path} holds a {type(loaded).__name__} and no tensor: "
        "save the images with torch.save(images, file)"
    )


def _key(path: Path, names: list[str], wanted: str | None) -> str:
    """Which of several arrays is meant."""
    if wanted is not None and wanted in names:
        return wanted
    shown = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")  # noqa: PLR2004 - enough to see
    if wanted is not None:
        raise UsageError(f"{path} holds no array {wanted!r}: it has {shown or 'none'}")
    if len(names) == 1:
        return names[0]
    usual = [name for name in _USUAL_KEYS if name in names]
    if not usual:
        raise UsageError(f"{path} holds {shown or 'no array'}: say which with --key NAME")
    return usual[0]


def _unreadable(path: Path, error: Exception) -> DataError:
    text = " ".join(str(error).split())
    refused = "pickled objects, which can run any code when they are read, and are refused"
    if isinstance(error, pickle.UnpicklingError):
        return DataError(
            f"{path} cannot be read as a tensor: it is damaged, or holds {refused}: "
            "save the images alone, with torch.save(images, file)"
        )
    if any(sign in text for sign in _SIGNS_OF_PICKLES):
        return DataError(f"{path} holds {refused}: save plain numbers with numpy.save")
    what = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return DataError(f"{path} cannot be read as an array ({what[:200]}): write it again")
