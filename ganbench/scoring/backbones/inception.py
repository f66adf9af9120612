"""InceptionV3 of the FID paper, as torch-fidelity has it.

Heusel et al. 2017, arXiv:1706.08500. Its weights are a download, or a file that the user gives.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ganbench.data.cache import UNREADABLE, folder, say_damaged
from ganbench.data.dataset import ignore_progress
from ganbench.data.download import check_reachable, downloading, one_line
from ganbench.errors import DataError
from ganbench.visible import quoted

if TYPE_CHECKING:
    from torch import nn

    from ganbench.data.dataset import Progress

__all__ = ["check_inception", "obtain_inception"]

# torch-fidelity's URL_INCEPTION_V3; the package takes seconds to load, and few commands need it
_WEIGHTS_URL = (
    "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/"
    "weights-inception-2015-12-05-6726825d.pth"
)
_WEIGHTS_FILE = Path(_WEIGHTS_URL).name
_WEIGHTS_HASH_PREFIX = _WEIGHTS_FILE.removesuffix(".pth").rpartition("-")[2]


def obtain_inception(given: Path | None, cache_root: Path, report: Progress) -> nn.Module:
    """Build torch-fidelity's InceptionV3 with the weights of the FID paper.

    It maps uint8 images (n, 3, height, width) of any size to float32 features (n, 2048) and logits
    without their bias (n, 1008).

    Args:
        given: A file with the weights; None takes those of the cache, or downloads them.
        cache_root: Downloaded weights are kept in its folder `inception`.
        report: Called with the progress of the download.

    Raises:
        DataError: The weights cannot be had, or are not those of this network.
    """
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    path = given or _weights(cache_root, report)
    try:
        if path.exists() and not path.is_file():
            raise OSError("it is no file")
        torch.load(path, weights_only=True)  # torch-fidelity itself would run what is in the file
        network: Any = FeatureExtractorInceptionV3(
            "inception-v3-compat", ["2048", "logits_unbiased"], str(path)
        )
    except UNREADABLE as error:  # of shapes too, which `load_state_dict` compares
        raise DataError(
            f"{path} does not hold inception weights ({quoted(str(error), 200)}): "
            f"give the file {_WEIGHTS_FILE} with --inception-weights, or take --backbone classifier"
        ) from error
    return network  # type: ignore[no-any-return]  # torch-fidelity ships no types


def check_inception(given: Path | None, cache_root: Path) -> str:
    """See within seconds that the weights are there, or could be downloaded.

    Args:
        given: A file with the weights, which is read whole; None for those of the cache.
        cache_root: Downloaded weights are kept in its folder `inception`; nothing is written.

    Returns:
        What will be downloaded, as a sentence; empty where nothing is.

    Raises:
        DataError: The weights cannot be had, or the file holds others.
    """
    if given is not None:
        obtain_inception(given, cache_root, ignore_progress)
        return ""
    if _known(cache_root) is not None:
        return ""
    try:
        check_reachable([_WEIGHTS_URL])
    except OSError as error:
        raise _not_to_be_had(error) from error
    return f"inception weights are not in the cache {cache_root}: they will be downloaded"


def _not_to_be_had(error: Exception) -> DataError:
    return DataError(
        f"inception weights cannot be downloaded ({one_line(error)}): "
        f"give the file {_WEIGHTS_FILE} with --inception-weights, or take --backbone classifier"
    )


def _is_published(path: Path) -> bool:
    """Whether a file holds the weights that its name gives the hash of."""
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return False
    return digest.startswith(_WEIGHTS_HASH_PREFIX)


def _known(cache_root: Path) -> Path | None:
    """The weights in the cache or in torch's own; None where neither has them."""
    for path in (_cached(cache_root), Path(torch.hub.get_dir()) / "checkpoints" / _WEIGHTS_FILE):
        if path.is_file():
            if _is_published(path):
                return path
            say_damaged(path, "its checksum does not fit the one in its name")
    return None


def _cached(cache_root: Path) -> Path:
    return cache_root / "inception" / _WEIGHTS_FILE


def _weights(cache_root: Path, report: Progress) -> Path:
    """Find the weights in the cache or in torch's own, or download them.

    Raises:
        DataError: There is no way to get them.
    """
    if (known := _known(cache_root)) is not None:
        return known
    ours = _cached(cache_root)
    folder(ours.parent)
    try:
        with downloading("inception weights", report, [_WEIGHTS_URL]):
            torch.hub.download_url_to_file(
                _WEIGHTS_URL, str(ours), _WEIGHTS_HASH_PREFIX, progress=False
            )
    except (OSError, RuntimeError) as error:  # URLError is an OSError
        raise _not_to_be_had(error) from error
    return ours
