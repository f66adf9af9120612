"""Directions along which images change most, where they are known."""

from __future__ import annotations

import torch

from ganbench.playground.directions import base_count, principal_directions


def test_directions_of_a_linear_generator_are_its_right_singular_vectors():
    matrix = torch.randn(7, 5, generator=torch.Generator().manual_seed(1))
    _, values, right = torch.linalg.svd(matrix, full_matrices=False)
    directions, shares = principal_directions(lambda z: z @ matrix.T, torch.randn(3, 5), 4)
    assert directions.shape == (4, 5)
    torch.testing.assert_close((directions @ right[:4].T).abs(), torch.eye(4), atol=1e-3, rtol=0)
    torch.testing.assert_close(shares, (values**2 / (values**2).sum())[:4], atol=1e-3, rtol=0)


def test_the_largest_entry_of_a_direction_is_positive():
    directions, _ = principal_directions(lambda z: -z, torch.zeros(1, 4), 4)
    assert bool((directions.gather(1, directions.abs().argmax(1, keepdim=True)) > 0).all())


def test_what_only_averages_out_in_pixels_changes_nothing():
    checks = torch.ones(32, 32)
    checks[::2, ::2], checks[1::2, 1::2] = -1, -1

    def draw(latents):
        noise = latents[:, 0, None, None] * checks
        return (noise + latents[:, 1, None, None])[:, None]

    directions, shares = principal_directions(draw, torch.zeros(2, 2), 2)
    torch.testing.assert_close(directions[0], torch.tensor([0.0, 1.0]))
    assert shares[0] > 0.999


def test_few_latents_of_many_entries_are_changed_and_more_of_few():
    assert base_count(8) > base_count(256) >= base_count(4096) >= 2
