"""Augmentations against what they do to an image, pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ganbench import losses
from ganbench.variant.augmentation import flip, per_image, shifted, translation

EDGES = {"constant": {"constant_values": 0.0}, "reflect": {}}


def views(image, rows, columns, edges):
    """All places at which a window of the image's size lies in the image with its edges."""
    _, height, width = image.shape
    around = ((0, 0), (rows, rows), (columns, columns))
    padded = np.pad(image.numpy(), around, mode=edges, **EDGES[edges])
    return {
        (row, column): padded[:, row : row + height, column : column + width]
        for row in range(2 * rows + 1)
        for column in range(2 * columns + 1)
    }


@pytest.mark.parametrize("edges", EDGES)
def test_each_image_is_shifted_by_up_to_the_rows_and_columns_each_way(edges):
    torch.manual_seed(0)
    image = torch.rand(2, 6, 9)
    moved = shifted(image.expand(200, -1, -1, -1), (1, 2), edges=edges).numpy()
    allowed = views(image, 1, 2, edges)
    places = [
        next(place for place, view in allowed.items() if np.array_equal(view, one)) for one in moved
    ]
    assert set(places) == set(allowed)  # 15 places; 200 images miss one by 1 in 65,000


def test_a_translation_shifts_by_an_eighth_of_each_side_and_fills_with_zeros():
    torch.manual_seed(0)
    ones = translation(torch.ones(300, 1, 16, 32))
    emptied = {(int((one[0].sum(1) == 0).sum()), int((one[0].sum(0) == 0).sum())) for one in ones}
    assert {rows for rows, _ in emptied} == set(range(3))  # 16 / 8
    assert {columns for _, columns in emptied} == set(range(5))  # 32 / 8


def test_numbers_per_image_broadcast_over_images_and_over_points():
    assert per_image(torch.zeros(5, 3, 8, 8)).shape == (5, 1, 1, 1)
    assert per_image(torch.zeros(5, 2)).shape == (5, 1)
    assert len(per_image(torch.zeros(5, 2)).unique()) == 5


def test_half_of_the_images_are_mirrored():
    torch.manual_seed(0)
    image = torch.arange(4.0).view(1, 1, 1, 4).expand(400, 1, 1, 4)
    first = flip(image)[:, 0, 0, 0]
    assert set(first.tolist()) == {0.0, 3.0}
    assert float((first == 3).float().mean()) == pytest.approx(0.5, abs=0.1)  # four standard errors


@pytest.mark.parametrize(("size", "most"), [(4, 1), (8, 1), (16, 2)])
def test_consistency_looks_at_images_shifted_by_an_eighth_and_reflected(size, most):
    torch.manual_seed(0)
    seen = []

    def discriminator(images):
        seen.append(images)
        return images.mean(dim=(1, 2, 3))

    image = torch.rand(1, size, size)
    losses.consistency_penalty(discriminator, image.expand(400, -1, -1, -1), torch.zeros(400))
    allowed = {
        view.tobytes()
        for some in (image, image.flip(2))
        for view in views(some, most, most, "reflect").values()
    }
    assert {one.numpy().tobytes() for one in seen[0]} == allowed  # of 50 places, none is missed
