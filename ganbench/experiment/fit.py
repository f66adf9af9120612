"""Fitting a recipe to a dataset much smaller than its own, so that a run of seconds learns it.

A recipe for large colour photos does a few dozen steps in the time that tiny images take for
hundreds, and ends with one pattern for all latents. Three numbers follow from the dataset:

- Images are enlarged at most threefold: their size is halved until they are, as far as the variant
  can be trained at such sizes.
- An epoch has at least 32 batches: the batch is halved until it has.
- Where the images are a quarter of the recipe's size or less, the discriminator has half the width,
  and the generator at most twice the discriminator's. A discriminator that is made for much more
  detail than there is soon knows each real image by heart, and its generator learns no more.

A number that the user has set is left as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganbench.variant.definition import Accepts

if TYPE_CHECKING:
    from collections.abc import Collection

    from ganbench.variant.definition import DatasetSpec
    from ganbench.variant.recipe import Recipe

__all__ = ["fitted"]

_LARGEST_ENLARGEMENT = 3
_FEWEST_BATCHES = 32
_SMALLEST_BATCH = 2
_MUCH_SMALLER = 4
_ANY = Accepts()


def fitted(
    name: str,
    recipe: Recipe,
    spec: DatasetSpec,
    settings: Collection[str],
    accepts: Accepts = _ANY,
) -> tuple[Recipe, tuple[str, ...]]:
    """Fit a recipe to a dataset.

    Args:
        name: Of the variant, for the note.
        recipe: Its numbers.
        spec: The dataset.
        settings: Names of the numbers that the user has set.
        accepts: The sizes that the variant can be trained at; it is given no other.

    Returns:
        The recipe, and one sentence that says what was changed; none where nothing was.
    """
    size = recipe.image_size
    while size > _LARGEST_ENLARGEMENT * spec.native_size and not accepts.refusal(spec, size // 2):
        size //= 2
    batch = recipe.batch_size
    while batch > _SMALLEST_BATCH and batch * _FEWEST_BATCHES > spec.train_count:
        batch //= 2
    wanted = {"image_size": size, "batch_size": batch}
    if size * _MUCH_SMALLER <= recipe.image_size and "image_size" not in settings:
        d_width = max(1, recipe.discriminator_width // 2)
        if "discriminator_width" in settings:
            d_width = recipe.discriminator_width
        wanted["discriminator_width"] = d_width
        wanted["generator_width"] = min(recipe.generator_width, 2 * d_width)
    changes = {
        key: value
        for key, value in wanted.items()
        if value != getattr(recipe, key) and key not in settings
    }
    if not changes:
        return recipe, ()
    texts = [f"{key} {value} instead of {getattr(recipe, key)}" for key, value in changes.items()]
    pixels = f"{spec.native_size}x{spec.native_size} pixels"
    note = (
        f"{name}: fitted to {spec.name} ({spec.train_count:,} training images of {pixels}): "
        f"{', '.join(texts)} (--set decides otherwise)"
    )
    return recipe.override(changes), (note,)
