"""Precision and recall on the manifold of triangles."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
import torch
from scipy.optimize import least_squares

from ganbench.data.triangles import corners, render
from ganbench.scoring.metrics.manifold import MANIFOLD_IMAGES, manifold_precision_recall
from ganbench.scoring.metrics.projection import in_range, project

SIZE = 32


def images_of(drawn: torch.Tensor) -> torch.Tensor:
    return render(drawn, SIZE).mul(255).round().to(torch.uint8)[:, None]


def between(one: np.ndarray, other: np.ndarray) -> float:
    """Distance of two triangles, for the best order of the corners."""
    return min(float(np.linalg.norm(one - other[list(order)])) for order in permutations(range(3)))


def corner_of_the_latent_space(count: int) -> torch.Tensor:
    """Triangles whose corners are all in the upper left."""
    drawn = corners(count * 150, SIZE, 8)
    return drawn[(drawn < 18).flatten(1).all(dim=1)][:count]


# --- the nearest triangle


def test_the_nearest_triangle_of_a_rendered_one_is_itself():
    drawn = corners(60, SIZE, 1)
    found, squared = project(images_of(drawn)[:, 0].float() / 255)
    assert float(squared.max()) < 1e-3
    assert in_range(found, SIZE).all()
    for ours, theirs in zip(found.double().numpy(), drawn.numpy(), strict=True):
        assert between(ours, theirs) < 0.2


def test_no_search_by_another_program_finds_a_nearer_triangle_of_a_noisy_image():
    drawn = corners(4, SIZE, 2)
    noise = 0.05 * torch.randn(4, SIZE, SIZE, generator=torch.Generator().manual_seed(0))
    pixels = (render(drawn, SIZE).float() + noise).clamp(0, 1)
    _, squared = project(pixels)
    for image, start, ours in zip(pixels, drawn, squared, strict=True):

        def residuals(flat, image=image):
            rendered = render(torch.from_numpy(flat).view(1, 3, 2), SIZE)[0]
            return (rendered - image).flatten().numpy()

        theirs = 2 * least_squares(residuals, start.flatten().numpy()).cost
        assert float(ours) <= 1.01 * theirs


def test_what_no_triangle_of_the_dataset_shows_is_out_of_range():
    sliver = torch.tensor([[[4.0, 4.0], [28.0, 4.0], [16.0, 6.0]]])
    outside = torch.tensor([[[0.0, 4.0], [28.0, 4.0], [16.0, 26.0]]])
    inside = torch.tensor([[[4.0, 4.0], [28.0, 4.0], [16.0, 26.0]]])
    assert in_range(torch.cat([sliver, outside, inside]), SIZE).tolist() == [False, False, True]


# --- scores


def test_recall_is_that_of_a_count_from_true_corners():
    drawn = corners(40, SIZE, 3)
    held_out, real = (corners(MANIFOLD_IMAGES, SIZE, seed) for seed in (1000, 1001))
    found = 0
    for wanted in held_out.numpy():
        orders = np.stack([wanted[list(order)] for order in permutations(range(3))])

        def nearest(given, place, orders=orders):
            distances = np.linalg.norm((orders[:, None] - given).reshape(6, -1, 6), axis=2)
            return np.sort(distances.min(axis=0))[place]

        found += nearest(drawn.numpy(), 0) <= nearest(real.numpy(), 4)
    precision, recall = manifold_precision_recall(images_of(drawn))
    assert precision == 1
    assert recall == pytest.approx(found / MANIFOLD_IMAGES, abs=0.005)
    assert 0.1 < recall < 0.5  # 40 images for 1,000


def test_noise_and_black_images_are_neither_precise_nor_find_anything():
    generator = torch.Generator().manual_seed(0)
    noise = torch.randint(256, (20, 1, SIZE, SIZE), dtype=torch.uint8, generator=generator)
    for images in (noise, torch.zeros_like(noise), torch.full_like(noise, 255)):
        assert manifold_precision_recall(images) == (0, 0)


def test_half_of_the_images_spoilt_is_half_of_the_precision():
    images = images_of(corners(40, SIZE, 4))
    images[::2] = torch.nn.functional.avg_pool2d(images[::2].float(), 5, 1, 2).to(torch.uint8)
    assert manifold_precision_recall(images)[0] == 0.5


def test_images_of_one_corner_of_the_latent_space_are_precise_and_find_little():
    drawn = corner_of_the_latent_space(60)
    all_over = corners(60, SIZE, 9)
    precision, recall = manifold_precision_recall(images_of(drawn))
    assert precision == 1
    assert recall < 0.12
    assert manifold_precision_recall(images_of(all_over))[1] > 3 * recall


@pytest.mark.slow
def test_real_images_score_as_high_as_there_is():
    precision, recall = manifold_precision_recall(images_of(corners(MANIFOLD_IMAGES, SIZE, 10)))
    assert precision > 0.999
    assert recall == pytest.approx(1 - 1 / 2**5, abs=0.02)  # as many, and the fifth neighbour
    drawn = corner_of_the_latent_space(MANIFOLD_IMAGES)
    precision, recall = manifold_precision_recall(images_of(drawn))
    assert precision > 0.999
    assert recall < 0.12
