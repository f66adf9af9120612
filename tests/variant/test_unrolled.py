"""The unrolled GAN's own parts."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from ganbench.variants import unrolled
from torch import nn

from ganbench import Context
from ganbench.data import describe

RATE, STEPS = 0.1, 3


def sigmoid(value):
    return 1 / (1 + np.exp(-value))


def after_steps(weight, real, fake, first, scales):
    """The generator's loss against D(x) = weight x after steps of Adam, by hand.

    Args:
        weight: Of the discriminator.
        real: Real values.
        fake: Generated values.
        first: The first moment, and how many steps it is of.
        scales: Root of the second moment in each step; a list to be filled, or one that is held.
    """
    moment, before, seconds = first
    held = list(scales)
    for step in range(1, STEPS + 1):
        slope = -(sigmoid(-weight * real) * real).mean() + (sigmoid(weight * fake) * fake).mean()
        moment = 0.5 * moment + 0.5 * slope
        seconds = 0.9 * seconds + 0.1 * slope**2
        if len(held) < step:
            scales.append(np.sqrt(seconds / (1 - 0.9 ** (before + step))) + 1e-3)
        weight -= RATE * moment / (1 - 0.5 ** (before + step)) / scales[step - 1]
    return np.logaddexp(0, -weight * fake).mean()


@pytest.mark.parametrize("has_stepped", [True, False])
def test_the_generator_learns_through_the_discriminators_own_steps(has_stepped, tmp_path):
    network = nn.Linear(1, 1, bias=False).double()
    nn.init.constant_(network.weight, 0.7)
    optimizer = torch.optim.Adam(network.parameters(), lr=RATE, betas=(0.5, 0.9), eps=1e-3)
    first = (0.0, 0, 0.0)
    if has_stepped:
        network.weight.grad = torch.full_like(network.weight, 0.25)
        optimizer.step()
        first = (0.5 * 0.25, 1, 0.1 * 0.25**2)
    weight = network.weight.item()
    real, fake = np.array([[1.5], [0.3], [-0.2]]), np.array([[-0.4], [0.1], [0.9]])
    images = torch.tensor(fake, requires_grad=True)

    def discriminator(some, weights=None):
        return torch.func.functional_call(network, weights or {}, some)

    recipe = unrolled.Recipe(unroll_steps=STEPS)
    context = Context(
        recipe,
        {"discriminator": network},
        torch.zeros(3, 1),
        None,
        None,
        lambda latent: latent,
        lambda: (1, 0.0),
        {"discriminator": optimizer},
    )
    losses = unrolled.losses(recipe, describe("digits", tmp_path))
    loss = losses.g_loss(discriminator, torch.tensor(real), images, context).loss
    scales = []
    assert loss.item() == pytest.approx(after_steps(weight, real, fake, first, scales), rel=1e-7)
    loss.backward()
    for index in range(3):
        nudge = np.zeros_like(fake)
        nudge[index] = 1e-6
        slope = after_steps(weight, real, fake + nudge, first, scales)
        slope -= after_steps(weight, real, fake - nudge, first, scales)
        assert images.grad[index].item() == pytest.approx(slope / 2e-6, rel=1e-4)
    assert network.weight.item() == weight
