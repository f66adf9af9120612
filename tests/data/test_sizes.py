"""The way to a recipe's size and back loses nothing, and amplifies nothing."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from ganbench.data.dataset import resize
from ganbench.data.sizes import bring_back, bring_to

PADDED = ((28, 32), (8, 10), (64, 80), (31, 32))
ENLARGED = ((8, 16), (8, 28), (8, 32), (28, 48), (28, 64), (32, 64), (32, 128))
GREY = 128.0


def noise(count, channels, size, seed=0):
    random = torch.Generator().manual_seed(seed)
    return torch.randint(256, (count, channels, size, size), dtype=torch.uint8, generator=random)


def furthest(one, other):
    return int((one.int() - other.int()).abs().max())


@pytest.mark.parametrize(("stored", "size"), PADDED)
def test_a_border_is_cropped_to_the_very_image(stored, size):
    images = noise(20, 3, stored)
    larger = bring_to(images, size)
    assert larger.shape == (20, 3, size, size)
    assert torch.equal(bring_back(larger, stored), images)


@pytest.mark.parametrize(("stored", "size"), ENLARGED)
def test_an_enlargement_comes_back_within_one_grey_value(stored, size):
    images = noise(20, 1, stored)
    assert furthest(bring_back(bring_to(images, size), stored), images) <= 1


def test_nearly_all_pixels_of_the_digits_come_back_exactly_from_four_times_their_size(digits):
    images = digits.train.images
    returned = bring_back(bring_to(images, 32), 8)
    assert furthest(returned, images) <= 1
    assert float((returned == images).double().mean()) > 0.999


@pytest.mark.parametrize(("stored", "size"), [pair for pair in ENLARGED if pair[1] >= 2 * pair[0]])
def test_the_way_back_does_not_amplify_what_a_generator_gets_wrong(stored, size):
    """Noise of one standard deviation on a grey image has no larger one at the stored size."""
    random = np.random.default_rng(0)
    added = random.normal(0, 20, (200, 1, size, size))
    noisy = torch.from_numpy((GREY + added).round().clip(0, 255).astype(np.uint8))
    returned = bring_back(noisy, stored).double() - GREY
    assert float(returned.std()) <= 20.0
    assert float(returned.std(dim=0).max()) <= 20.0 * 1.2  # of a pixel, seen in 200 images


@pytest.mark.parametrize("size", [48, 64])
def test_a_flat_image_stays_flat(size):
    for value in (0, 1, 127, 255):
        images = torch.full((1, 1, 28, 28), value, dtype=torch.uint8)
        assert (bring_to(images, size) == value).all()
        assert (bring_back(bring_to(images, size), 28) == value).all()


def test_a_border_repeats_the_edge_and_lies_around_the_middle():
    image = torch.arange(9, dtype=torch.uint8).view(1, 1, 3, 3)
    expected = np.pad(image[0, 0].numpy(), ((0, 1), (0, 1)), mode="edge")
    assert np.array_equal(bring_to(image, 4)[0, 0].numpy(), expected)
    mnist_like = torch.zeros(1, 1, 28, 28, dtype=torch.uint8)
    mnist_like[..., 10:18, 10:18] = 255
    larger = bring_to(mnist_like, 32)
    assert (larger[..., 12:20, 12:20] == 255).all()
    assert int(larger.long().sum()) == int(mnist_like.long().sum())


def test_a_large_enlargement_is_bilinear():
    images = noise(3, 1, 8)
    picture = Image.fromarray(images[0, 0].numpy()).resize((32, 32), Image.Resampling.BILINEAR)
    assert furthest(bring_to(images, 32)[0, 0], torch.from_numpy(np.array(picture))) <= 1


def test_smaller_images_are_antialiased_and_enlarged_back():
    images = noise(3, 3, 32)
    assert torch.equal(bring_to(images, 16), resize(images, 16))
    assert torch.equal(bring_back(bring_to(images, 16), 32), resize(resize(images, 16), 32))


def test_images_of_the_right_size_are_not_touched():
    images = noise(2, 1, 28)
    assert bring_to(images, 28) is images
    assert bring_back(images, 28) is images


def test_the_way_back_does_not_depend_on_the_batch():
    images = noise(9, 1, 64)
    one_by_one = torch.cat([bring_back(image, 28) for image in images.split(1)])
    assert torch.equal(bring_back(images, 28), one_by_one)
