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

from ganbench.data.cache import UNREADABLE, read_text, write_text
from ganbench.data.dataset import Progress, ignore_progress
from ganbench.machine.random_streams import generator, stream_seed
from ganbench.scoring.draw import BATCH_SIZE
from ganbench.scoring.metrics.catalogue import SCORES
from ganbench.scoring.metrics.constants import HELD_OUT, HELD_OUT_POINTS, NOISE, UNTRAINED
from ganbench.scoring.metrics.intra_fid import fid_by_class, intra_fid
from ganbench.scoring.metrics.prompt_alignment import prompt_alignment
from ganbench.variant.networks.dcgan import dcgan_generator
from ganbench.variant.networks.points import points_generator
from ganbench.variant.recipe import Recipe

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from torch import Tensor

    from ganbench.scoring.reference import Reference

__all__ = [
    "HELD_OUT",
    "HELD_OUT_POINTS",
    "NOISE",
    "UNTRAINED",
    "reference_rows",
    "untrained_images",
]

_SEED = 0
_SIZES = (16, 32, 64)  # of the images that the untrained generator draws
_POINTS_LATENT = 2
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
        By name `held-out real images` (or points), with the size where it is not that of the
        dataset, `untrained generator` and `noise`: the number of `images`, at most as
        many as a generator draws, and their `scores`.

    Raises:
        DataError: The cache cannot be written.
    """
    is_points = reference.form.kind == "points"
    way = f" through {image_size}×{image_size}"
    if is_points or image_size == reference.stored_size:
        way = ""
    held_out = HELD_OUT_POINTS if is_points else f"{HELD_OUT}{way}"
    makers: dict[str, Callable[[], dict[str, Any]]] = {
        held_out: lambda: _held_out(reference, image_size, report),
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

    Of points, what PacGAN's generator draws. On the CPU and in float64, so that the order in which
    threads add numbers changes no grey value.

    Returns:
        As the dataset stores them and as many as a generator draws: uint8 of shape (n, channels,
        size, size) at the stored size, or float32 points of shape (n, dimensions).
    """
    spec, count, form = reference.dataset.spec, reference.fake_count, reference.form
    is_points = form.kind == "points"
    size = next((size for size in _SIZES if size >= reference.stored_size), _SIZES[-1])
    recipe = (
        Recipe(latent_dim=_POINTS_LATENT)
        if is_points
        else Recipe(image_size=size, generator_width=_WIDTH)
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stream_seed(_SEED, "untrained reference"))
        build = points_generator if is_points else dcgan_generator
        network = build(recipe, spec).double().eval()
    noise = generator(_SEED, "untrained reference latents")
    latents = torch.randn(count, recipe.latent_dim, generator=noise).double()
    with torch.inference_mode():
        images = torch.cat([form.to_stored(network(part)) for part in latents.split(BATCH_SIZE)])
    return form.from_size(images, reference.stored_size)


def _kept(file: Path, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """A row from the cache, or made and kept there."""
    try:
        row: dict[str, Any] = json.loads(read_text(file) or "null")
        if row["images"] and row["scores"].keys() >= set(SCORES):  # of an older version: fewer
            return row
    except (*UNREADABLE, ValueError, AttributeError):
        pass
    row = make()
    write_text(file, json.dumps(row))
    return row


def _held_out(reference: Reference, image_size: int, report: Progress) -> dict[str, Any]:
    test = reference.dataset.test
    order = torch.randperm(len(test), generator=generator(_SEED, "held-out reference"))
    rows = order[: reference.fake_count]
    images, labels = test.images[rows], test.labels.cpu()[rows]
    form = reference.form
    returned = form.from_size(form.at_size(images, image_size), reference.stored_size)
    features = (
        reference.held_out.rows(rows)
        if torch.equal(returned, images)
        else reference.backbone.extract(returned, report)
    )
    scores = {**reference.score(features, _SEED).scores, **reference.manifold_scores(returned)}
    real_labels = reference.dataset.train.labels.cpu()
    distances = fid_by_class(reference.real.vectors, real_labels, features.vectors, labels)
    scores["intra_fid"] = intra_fid(distances, len(reference.dataset.spec.class_names))
    probabilities = reference.class_probabilities(features)
    scores["prompt_alignment"] = prompt_alignment(probabilities, labels, features.inside)
    if reference.form.kind == "points":  # no variant draws points by mode
        scores["intra_fid"] = scores["prompt_alignment"] = None
    return {"images": len(rows), "scores": scores}


def _untrained(reference: Reference, report: Progress) -> dict[str, Any]:
    images = untrained_images(reference)
    scores = reference.score(reference.backbone.extract(images, report), _SEED).scores
    return {"images": len(images), "scores": {**scores, **reference.manifold_scores(images)}}


def _noise(reference: Reference, report: Progress) -> dict[str, Any]:
    shape = (reference.fake_count, *reference.dataset.train.images.shape[1:])
    noise = reference.form.noise(shape, generator(_SEED, "noise reference"))
    scores = reference.score(reference.backbone.extract(noise, report), _SEED).scores
    return {"images": len(noise), "scores": {**scores, **reference.manifold_scores(noise)}}
