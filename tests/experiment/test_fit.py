"""A recipe is fitted to a dataset much smaller than its own, and to no other."""

from __future__ import annotations

import pytest

from ganbench import Accepts, DatasetSpec, Recipe
from ganbench.data.catalogue import SPECS
from ganbench.experiment.fit import fitted

FITTED = ("image_size", "batch_size", "generator_width", "discriminator_width")


def dataset(pixels, count):
    return DatasetSpec("tiny", 1, pixels, ("a", "b"), count, 100)


def numbers(recipe, spec, settings=()):
    """Image size, batch size and the widths of both networks, after fitting."""
    result, _ = fitted("gan", recipe, spec, settings)
    return tuple(getattr(result, key) for key in FITTED)


def test_the_recipes_of_a_dcgan_are_left_alone_on_photos_and_on_mnist():
    for recipe in (Recipe(), Recipe(batch_size=1024, generator_width=128), Recipe(image_size=28)):
        for name in ("cifar10", "mnist", "fashion-mnist"):
            assert fitted("gan", recipe, SPECS[name], ()) == (recipe, ())


def test_digits_are_enlarged_to_sixteen_pixels_and_their_networks_are_narrower():
    assert numbers(Recipe(), SPECS["digits"]) == (16, 32, 64, 32)
    wide = Recipe(batch_size=1024, generator_width=128)
    assert numbers(wide, SPECS["digits"]) == (16, 32, 64, 32)


def test_networks_keep_their_width_where_images_are_half_of_the_recipes_size():
    fully_connected = Recipe(image_size=28, generator_width=256, discriminator_width=256)
    assert numbers(fully_connected, SPECS["digits"]) == (14, 32, 256, 256)
    assert numbers(Recipe(image_size=32), SPECS["digits"]) == (16, 32, 64, 64)


@pytest.mark.parametrize(
    ("pixels", "size"),
    [(8, 16), (10, 16), (11, 32), (21, 32), (22, 64), (64, 64)],  # 3 * 21 = 63, 3 * 22 = 66
)
def test_images_are_enlarged_at_most_threefold(pixels, size):
    assert numbers(Recipe(), dataset(pixels, 60_000))[0] == size


def test_no_size_is_chosen_that_the_variant_does_not_accept():
    accepts = Accepts(image_sizes=(32, 64))
    result, _ = fitted("gan", Recipe(), SPECS["digits"], (), accepts)
    assert result.image_size == 32


@pytest.mark.parametrize(
    ("count", "batch"),
    [(2048, 64), (2047, 32), (1024, 32), (1023, 16), (40, 2), (3, 2)],  # 32 * 64 = 2048
)
def test_an_epoch_has_at_least_thirty_two_batches(count, batch):
    assert numbers(Recipe(), dataset(64, count)) == (64, batch, 64, 64)


def test_a_number_that_was_set_stays_and_the_others_follow_from_it():
    digits = SPECS["digits"]
    assert numbers(Recipe(), digits, ["image_size"]) == (64, 32, 64, 64)
    assert numbers(Recipe(), digits, ["batch_size"]) == (16, 64, 64, 32)
    assert numbers(Recipe(generator_width=200), digits, ["generator_width"])[2:] == (200, 32)
    wide = Recipe(generator_width=200, discriminator_width=50)
    assert numbers(wide, digits, ["discriminator_width"])[2:] == (100, 50)
    assert fitted("gan", Recipe(), digits, FITTED) == (Recipe(), ())


def test_the_narrowest_discriminator_has_one_channel():
    narrow = Recipe(generator_width=1, discriminator_width=1)
    assert numbers(narrow, SPECS["digits"])[2:] == (1, 1)


def test_one_note_says_what_was_changed_and_what_decides_otherwise():
    _, (note,) = fitted("gan", Recipe(), SPECS["digits"], ["batch_size"])
    assert note == (
        "gan: fitted to digits (1,438 training images of 8x8 pixels): image_size 16 instead of 64, "
        "discriminator_width 32 instead of 64 (--set decides otherwise)"
    )
