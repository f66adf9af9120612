"""Triangles: their corners, their rendering, their classes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from ganbench import data
from ganbench.data.triangles import corners, heights, render
from ganbench.scoring.backbones.classifier import PUBLISHED

SIZE = 32
FINE = 16  # times as many pixels


@pytest.fixture(scope="module")
def triangles(cache_root):
    return data.load("triangles", data_root=cache_root, cache_root=cache_root, image_size=SIZE)


def drawn_by_pillow(triangle: torch.Tensor) -> np.ndarray:
    sheet = Image.new("L", (SIZE * FINE, SIZE * FINE))
    places = [(float(x) * FINE - 0.5, float(y) * FINE - 0.5) for x, y in triangle]
    ImageDraw.Draw(sheet).polygon(places, fill=1)
    return np.asarray(sheet).reshape(SIZE, FINE, SIZE, FINE).mean(axis=(1, 3))


def test_a_triangle_looks_as_another_program_draws_it_from_finer_pixels():
    drawn = corners(30, SIZE, 5)
    for triangle, ours in zip(drawn, render(drawn, SIZE).numpy(), strict=True):
        theirs = drawn_by_pillow(triangle)
        # soft edges are one pixel wide in another way; insides and outsides are the same
        assert np.abs(ours - theirs)[(theirs == 0) | (theirs == 1)].mean() < 0.004
        assert np.abs(ours - theirs).mean() < 0.01
        assert np.abs(ours - theirs).max() < 0.6


def test_the_order_of_the_corners_does_not_show():
    drawn = corners(20, SIZE, 6)
    for order in ([1, 2, 0], [0, 2, 1]):
        assert torch.allclose(render(drawn[:, order], SIZE), render(drawn, SIZE), atol=1e-12)


def test_corners_keep_a_margin_and_no_triangle_is_narrow():
    drawn = corners(5000, SIZE, 7)
    assert drawn.shape == (5000, 3, 2)
    assert float(drawn.min()) >= 2
    assert float(drawn.max()) <= 30
    sides = (drawn - drawn.roll(1, dims=1)).norm(dim=2)
    half = sides.sum(dim=1) / 2  # Heron's formula
    areas = (half * (half - sides.T).prod(dim=0)).sqrt()
    least = 2 * areas / sides.max(dim=1).values
    assert torch.allclose(least, heights(drawn))
    assert float(least.min()) >= 6


def test_the_dataset_is_the_same_on_every_machine_so_that_its_classifier_ships(triangles):
    assert triangles.train.images.shape == (20_000, 1, SIZE, SIZE)
    assert triangles.test.images.shape == (10_000, 1, SIZE, SIZE)
    assert len(list(PUBLISHED.glob(f"triangles-{triangles.fingerprint}-*.npz"))) == 1


def test_the_class_is_the_quarter_of_the_centre(triangles):
    images = triangles.test.images[:2000, 0].double()
    places = torch.arange(SIZE, dtype=torch.float64) + 0.5
    mass = images.sum(dim=(1, 2))
    right = (images.sum(dim=1) @ places / mass) > SIZE / 2
    lower = (images.sum(dim=2) @ places / mass) > SIZE / 2
    names = [
        f"{'lower' if below else 'upper'} {'right' if beside else 'left'}"
        for below, beside in zip(lower, right, strict=True)
    ]
    classes = [triangles.spec.class_names[label] for label in triangles.test.labels[:2000]]
    # the centre of grey values is that of the corners but for soft edges
    assert np.mean([name == other for name, other in zip(names, classes, strict=True)]) > 0.99
    assert triangles.spec.captions[0] == "a triangle at the upper left"
