"""What held-out real images, an untrained generator and noise score: the rows of comparison.

Held-out real images are the best that a generator could draw. They go through each size that a
comparison trains at and back, so that a loss on that way is seen, and not blamed on the variants of
that size.

The untrained generator is a DCGAN's with its first weights, whichever variants are compared: so the
row is a number of the protocol, the same in all comparisons, and costs one scoring in all of them
together. A row for each variant's own first weights would cost one scoring per variant, and say the
same: before its first step a generator draws all but one grey image. Noise differs from image to
image, but has no shape.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import torch

from ganbench.data.cache import UNREADABLE, whole
from ganbench.data.dataset import Progress, ignore_progress
from ganbench.data.sizes import bring_back, bring_to
from ganbench.machine.random_streams import generator, stream_seed
from ganbench.scoring.draw import BATCH_SIZE, to_uint8
from ganbench.scoring.metrics.intra_fid import fid_by_class, intra_fid
from ganbench.scoring.metrics.prompt_alignment import prompt_alignment
from ganbench.variant.networks.dcgan import dcgan_generator
from ganbench.variant.recipe import Recipe

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from torch import Tensor

    from ganbench.scoring.evaluate import Reference

__all__ = ["HELD_OUT", "NOISE", "UNTRAINED", "reference_rows", "untrained_images"]

HELD_OUT = "held-out real images"
UNTRAINED = "untrained generator"
NOISE = "noise"
_SEED = 0
_SIZES = (16, 32, 64)  # of the images that the untrained generator draws
_WIDTH = 16  # a quarter of the DCGAN's: as grey, and drawn in a fraction of the time


def reference_rows(
    reference: Reference, image_size: int, cache_root: Path, report: Progress = ignore_progress
) -> dict[str, dict[str, Any]]:
    """Score what stands beside a generator that draws images of a size.

    Args:
        reference: The real side.
        image_size: Height and width of the generator's images, in pixels.
        cache_root: Its folder `references` holds one file per protocol and row.
        report: Called with the progress.

    Returns:
        By name `held-out real images`, with the size where it is not that of the dataset,
        `untrained generator` and `noise`: the number of `images`, at most as many as a generator
        draws, and their `scores`.

    Raises:
        DataError: The cache cannot be written.
    """
    stored = reference.stored_size
    way = "" if image_size == stored else f" through {image_size}×{image_size}"
    makers: dict[str, Callable[[], dict[str, Any]]] = {
        f"{HELD_OUT}{way}": lambda: _held_out(reference, image_size, report),
        UNTRAINED: lambda: _untrained(reference, report),
        NOISE: lambda: _noise(reference, report),
    }
    folder = cache_root / "references"
    digest = reference.protocol().hash
    endings = {UNTRAINED: "untrained", NOISE: NOISE}
    files = {name: f"{digest}-{endings.get(name, image_size)}.json" for name in makers}
    return {name: _kept(folder / files[name], make) for name, make in makers.items()}


def untrained_images(reference: Reference) -> Tensor:
    """What a DCGAN draws before its first step, as generators are drawn: by running statistics.

    On the CPU and in float64, so that the order in which threads add numbers changes no grey value.

    Returns:
        uint8 of shape (n, channels, size, size), as many as a generator draws, at the stored size.
    """
    spec, count = reference.dataset.spec, reference.fake_count
    size = next((size for size in _SIZES if size >= reference.stored_size), _SIZES[-1])
    recipe = Recipe(image_size=size, generator_width=_WIDTH)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stream_seed(_SEED, "untrained reference"))
        network = dcgan_generator(recipe, spec).double().eval()
    noise = generator(_SEED, "untrained reference latents")
    latents = torch.randn(count, recipe.latent_dim, generator=noise).double()
    with torch.inference_mode():
        images = torch.cat([to_uint8(network(part)) for part in latents.split(BATCH_SIZE)])
    return bring_back(images, reference.stored_size)


def _kept(file: Path, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """A row from the cache, or made and kept there."""
    try:
        row: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        if isinstance(row, dict) and {"images", "scores"} <= row.keys():
            return row
    except (*UNREADABLE, ValueError):
        pass
    row = make()
    with whole(file) as temporary:
        temporary.write_text(json.dumps(row), encoding="utf-8")
    return row


def _held_out(reference: Reference, image_size: int, report: Progress) -> dict[str, Any]:
    test = reference.dataset.test
    order = torch.randperm(len(test), generator=generator(_SEED, "held-out reference"))
    rows = order[: reference.fake_count]
    images, labels = test.images[rows], test.labels.cpu()[rows]
    returned = bring_back(bring_to(images, image_size), reference.stored_size)
    features = (
        reference.held_out.rows(rows)
        if torch.equal(returned, images)
        else reference.backbone.extract(returned, report)
    )
    scores = dict(reference.score(features, _SEED).scores)
    real_labels = reference.dataset.train.labels.cpu()
    distances = fid_by_class(reference.real.vectors, real_labels, features.vectors, labels)
    scores["intra_fid"] = intra_fid(distances, len(reference.dataset.spec.class_names))
    scores["prompt_alignment"] = prompt_alignment(features.probabilities, labels, features.inside)
    return {"images": len(rows), "scores": scores}


def _untrained(reference: Reference, report: Progress) -> dict[str, Any]:
    images = untrained_images(reference)
    scores = reference.score(reference.backbone.extract(images, report), _SEED).scores
    return {"images": len(images), "scores": scores}


def _noise(reference: Reference, report: Progress) -> dict[str, Any]:
    shape = (reference.fake_count, *reference.dataset.train.images.shape[1:])
    noise: Tensor = torch.randint(
        256, shape, dtype=torch.uint8, generator=generator(_SEED, "noise reference")
    )
    scores = reference.score(reference.backbone.extract(noise, report), _SEED).scores
    return {"images": len(noise), "scores": scores}
