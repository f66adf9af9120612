"""The numbers of a recipe on points: PacGAN's, but for those that make a variant what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ganbench.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from ganbench.variant.definition import Variant
    from ganbench.variant.recipe import Recipe

__all__ = ["NUMBERS", "changes_on_points", "refuse_image_options"]

NUMBERS: Mapping[str, Any] = {
    "network": "mlp",
    "d_norm": "none",
    "batch_size": 100,
    "latent_dim": 2,
    "latent": "normal",
    "generator_batch": 1,
    "generator_width": 100,
    "discriminator_width": 50,
    "d_steps": 1,
    "g_steps": 1,
    "lr_g": 1e-4,
    "lr_d": 1e-4,
    "beta1": 0.8,
    "beta2": 0.999,
    "weight_decay": 0.0,
}
"""PacGAN's numbers on the ring and the grid (Lin et al. 2018, arXiv:1712.04086)."""

_OF_IMAGES = ("image_size", "augment")
"""Numbers that say nothing of points: they are of pixels."""


def changes_on_points(
    variant: Variant, recipe: Recipe, given: Collection[str] = ()
) -> dict[str, Any]:
    """The numbers of a recipe that are others on points.

    Args:
        variant: Its `accepts.points` names the numbers that stay.
        recipe: Of the variant.
        given: Numbers that the user has set, which stay too.
    """
    stay = {*given, *(variant.accepts.points or ())}
    return {
        name: value
        for name, value in NUMBERS.items()
        if name in type(recipe).model_fields and name not in stay and getattr(recipe, name) != value
    }


def refuse_image_options(settings: Mapping[str, str], dataset: str) -> None:
    """Refuse what a user has set for images where a dataset holds points.

    Raises:
        UsageError: One of the settings is of pixels alone.
    """
    for name in _OF_IMAGES:
        if name in settings:
            raise UsageError(
                f"{name}={settings[name]} is of images, and {dataset} holds points: leave it out"
            )
