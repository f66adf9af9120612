"""The real side of a score by its name: a dataset, a folder of images or an array."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ganbench import data
from ganbench.data.catalogue import IMAGEFOLDER_PREFIX
from ganbench.data.dataset import Dataset, Split, resize
from ganbench.data.imagefolder import LARGEST_NATIVE_SIZE
from ganbench.errors import DataError, UsageError, unknown
from ganbench.fakes.array_files import ARRAY_ENDINGS, read_array
from ganbench.fakes.arrays import ArrayFormat, images_of
from ganbench.machine.random_streams import generator
from ganbench.scoring.backbones.backbone import obtain_backbone
from ganbench.scoring.backbones.classifier import training_notice
from ganbench.scoring.reference import Reference
from ganbench.variant.definition import DatasetSpec

if TYPE_CHECKING:
    from collections.abc import Callable

    from ganbench.data.dataset import Progress

__all__ = ["dataset_of_array", "real_dataset", "reference_for"]

_TEST_SHARE = 0.1
_FEWEST = 20  # 18 to compare with, and 2 held out


def real_dataset(
    against: Any,
    *,
    data_root: Path,
    cache_root: Path,
    report: Progress,
    form: ArrayFormat | None = None,
) -> Dataset:
    """Read what generated images are compared with.

    Args:
        against: A dataset's name, `imagefolder:DIR`, a folder, an array file, or an array.
        data_root: Where datasets lie, and are downloaded to.
        cache_root: Where decoded image folders are kept.
        report: Called with the progress.
        form: What the user says of an array that does not say it itself.

    Raises:
        UsageError: It is none of these.
        DataError: It cannot be read, or holds too few images.
    """
    if not isinstance(against, str | Path):
        return dataset_of_array(against, "array", form)
    name = str(against)
    path = Path(name).expanduser()
    is_named = name in data.names() or name.startswith(IMAGEFOLDER_PREFIX)
    if not is_named and path.suffix in ARRAY_ENDINGS and path.is_file():
        key = form.key if form is not None else None
        return dataset_of_array(read_array(path, key), path.name, form)
    if not is_named and path.is_dir():
        name = f"{IMAGEFOLDER_PREFIX}{path.resolve()}"
    elif not is_named:
        raise unknown(
            "reference", name, data.names(), "or give a folder of images or an array file"
        )
    spec = data.describe(name, data_root)
    if spec.train_count + spec.test_count < _FEWEST:
        raise DataError(
            f"{name} holds {spec.train_count + spec.test_count} images: the scores need at least "
            f"{_FEWEST}"
        )
    return data.load(
        name,
        data_root=data_root,
        cache_root=cache_root,
        image_size=spec.native_size,
        report=report,
    )


def dataset_of_array(array: Any, name: str, form: ArrayFormat | None = None) -> Dataset:
    """Take an array of real images as a dataset of one class, a tenth of which is held out.

    Args:
        array: As `ganbench.fakes.arrays` takes it.
        name: For people.
        form: What the user says of it.

    Raises:
        UsageError: It is no array of images.
        DataError: It holds too few images.
    """
    if not hasattr(array, "shape") or not hasattr(array, "dtype"):
        raise UsageError(
            f"a {type(array).__name__} is no reference: give the name of a dataset, a folder of "
            "images, or an array"
        )
    images = images_of(array, form or ArrayFormat(), name)
    if len(images) < _FEWEST:
        raise DataError(f"{name} holds {len(images)} images: the scores need at least {_FEWEST}")
    if images.shape[-1] > LARGEST_NATIVE_SIZE:  # as image folders are read
        images = resize(images, LARGEST_NATIVE_SIZE)
    images = images.contiguous(memory_format=torch.channels_last)
    order = torch.randperm(len(images), generator=generator(0, "held out of an array"))
    held_out = max(2, round(len(images) * _TEST_SHARE))
    train, test = images[order[held_out:]], images[order[:held_out]]
    digest = hashlib.sha256(images.permute(0, 2, 3, 1).contiguous().numpy().data).hexdigest()[:8]
    _, channels, size, _ = images.shape
    spec = DatasetSpec(
        f"array:{name} {digest}", channels, size, ("image",), len(train), len(test), "{}"
    )
    labels = torch.zeros(len(images), dtype=torch.int64)
    return Dataset.of(spec, Split(train, labels[: len(train)]), Split(test, labels[: len(test)]))


def reference_for(
    dataset: Dataset,
    *,
    backbone: str,
    device: torch.device,
    cache_root: Path,
    report: Progress,
    say: Callable[[str], object],
    inception_weights: Path | None = None,
) -> Reference:
    """Prepare the real side of a score, with the backbone and the classifier of the dataset.

    Args:
        dataset: The real images.
        backbone: As `--backbone` takes it.
        device: Where networks run.
        cache_root: Where classifiers, weights and features are kept.
        report: Called with the progress.
        say: Called with each line that tells what is chosen.
        inception_weights: A file with the Inception weights, or None.

    Raises:
        UsageError: The backbone does not describe such data.
        DataError: Its weights cannot be had, or the cache cannot be written.
    """
    if dataset.spec.kind == "image" and (notice := training_notice(dataset, cache_root)):
        say(notice)
    chosen = obtain_backbone(backbone, dataset, device, cache_root, inception_weights, report)
    if inception_weights is not None and chosen.name != "inception":
        say(f"--inception-weights has no effect: the backbone is {chosen.name}")
    say(f"{dataset.spec.name}: {chosen.reason}")
    return Reference.of(dataset, chosen, cache_root, report)
