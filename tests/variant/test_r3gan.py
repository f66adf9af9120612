"""R3GAN's own parts."""

from __future__ import annotations

import torch
from ganbench.variants import r3gan
from torch.nn.functional import conv2d


def test_weights_without_groups_give_the_grouped_convolution_and_its_second_derivative():
    drawn = torch.Generator().manual_seed(0)
    maps = torch.randn(3, 12, 5, 5, generator=drawn, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(12, 4, 3, 3, generator=drawn, dtype=torch.float64, requires_grad=True)

    def penalised(kernel, groups):
        made = conv2d(maps, kernel, padding=1, groups=groups)
        (slope,) = torch.autograd.grad(made.pow(3).sum(), maps, create_graph=True)
        (second,) = torch.autograd.grad(slope.square().sum(), weight)
        return made, slope, second

    for plain, filled in zip(
        penalised(weight, 3), penalised(r3gan.without_groups(weight, 3), 1), strict=True
    ):
        torch.testing.assert_close(filled, plain)
