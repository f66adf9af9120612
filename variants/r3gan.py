"""R3GAN: relativistic pairs with gradient penalties on both sides, on plain modern networks.

Huang et al. 2024, arXiv:2501.05441, as in the authors' code: grouped residual blocks without
normalisation layers, R1 and R2 at the pixels before augmentation in each step, Adam with beta1 0,
and numbers that change along half a cosine wave. Departs from the paper in the defaults, which
train on a CPU: widths of 64 for 768, a batch of 64 for 512, changes over the whole budget for the
first 8% of it, and a moving average whose half-life is at most 5% of the images seen (Karras et al.
2020, arXiv:2006.06676), as a short run would show its first weights;
docs/suites/r3gan-cifar10.yaml has the paper's. Augmentation is DiffAugment's where the paper's
grows over the first images and stays; neither is on by default. On points the loss and its
penalties train the networks that all variants have there, and `--set network=dcgan` and the others
give it those of other variants on images.
"""

import math
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import conv2d, interpolate, leaky_relu

import ganbench
from ganbench import Accepts, DatasetSpec, Variant, losses, networks

GAIN = math.sqrt(2 / (1 + 0.2**2))  # of LeakyReLU(0.2)


class Recipe(ganbench.ComposedRecipe):
    """A composed recipe's numbers, and the size of the networks."""

    network: Literal["r3gan", "mlp", "dcgan", "cnn", "resnet"] = Field(  # type: ignore[assignment]
        "r3gan", description="the two networks: the paper's, or those that other variants have"
    )
    blocks: int = Field(2, ge=1, description="residual blocks per stage")
    expansion: int = Field(2, ge=1, description="widening inside a block")
    group_width: int = Field(16, ge=1, description="channels of a group in the 3x3 convolutions")


class Convolution(nn.Conv2d):
    """A convolution that CUDA does without groups, their weights filled up with zeros.

    PyTorch differentiates a grouped convolution for the second time group by group, as a penalty
    asks for. On a graphics card so many small products cost more than the zeros do.
    """

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - named so in nn.Conv2d
        """Map (batch, channels, height, width) to maps of the same height and width."""
        if self.groups == 1 or not input.is_cuda:
            return super().forward(input)
        return conv2d(input, without_groups(self.weight, self.groups), padding=self.padding)


def without_groups(weight: Tensor, groups: int) -> Tensor:
    """Weights (channels, channels of a group, height, width) as those of one group, with zeros."""
    channels, width, *kernel = weight.shape
    own = torch.eye(groups, device=weight.device, dtype=weight.dtype)
    apart = weight.view(groups, channels // groups, 1, width, *kernel)
    filled = apart * own[:, None, :, None, None, None]
    return filled.reshape(channels, groups * width, *kernel)


def convolution(before: int, after: int, kernel: int, gain: float, groups: int = 1) -> nn.Conv2d:
    """A convolution without bias, its weights from N(0, gain / sqrt(fan in)); zeros for gain 0."""
    layer = Convolution(before, after, kernel, padding=kernel // 2, groups=groups, bias=False)
    nn.init.normal_(layer.weight, 0.0, gain / math.sqrt(layer.weight[0].numel()))
    return layer


class Biased(nn.Module):
    """Adds a bias per channel, then LeakyReLU(0.2)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels, 1, 1))

    def forward(self, maps: Tensor) -> Tensor:
        """Map (batch, channels, height, width) to the same shape."""
        return leaky_relu(maps + self.bias, 0.2)


class Block(nn.Module):
    """1x1, grouped 3x3 and 1x1 convolutions, the last of which begins at 0, around a shortcut."""

    def __init__(self, recipe: Recipe, width: int, gain: float) -> None:
        super().__init__()
        wide = width * recipe.expansion
        groups = max(1, wide // recipe.group_width)
        self.body = nn.Sequential(
            convolution(width, wide, 1, gain),
            Biased(wide),
            convolution(wide, wide, 3, gain, groups if wide % groups == 0 else 1),
            Biased(wide),
            convolution(wide, width, 1, 0.0),
        )

    def forward(self, maps: Tensor) -> Tensor:
        """Map (batch, width, height, width) to the same shape."""
        summed: Tensor = maps + self.body(maps)
        return summed


class Resample(nn.Module):
    """Doubles or halves a map, by bilinear interpolation."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, maps: Tensor) -> Tensor:
        """Map (batch, channels, size, size) to a size of `factor` times as much."""
        full = maps.float()  # the CPU has no antialiasing in half precision
        changed = interpolate(full, scale_factor=self.factor, mode="bilinear", antialias=True)
        return changed.to(maps.dtype)


def stages(recipe: Recipe, width: int, factor: float) -> list[nn.Module]:
    """Blocks of each size, with a change of size between them."""
    sizes = networks.convolutional_blocks(recipe.image_size) + 1
    gain = GAIN * (sizes * recipe.blocks) ** (-1 / 4)
    layers: list[nn.Module] = []
    for size in range(sizes):
        layers += [Resample(factor)] * (size > 0)
        layers += [Block(recipe, width, gain) for _ in range(recipe.blocks)]
    return layers


class Generator(nn.Module):
    """A learnt 4x4 map scaled by the latent, blocks of each size, a 1x1 convolution; no tanh."""

    def __init__(self, recipe: Recipe, dataset: DatasetSpec) -> None:
        super().__init__()
        width = recipe.generator_width
        self.basis = nn.Parameter(torch.randn(width, 4, 4))
        self.scale = nn.Linear(recipe.latent_dim, width, bias=False)
        nn.init.normal_(self.scale.weight, 0.0, 1 / math.sqrt(recipe.latent_dim))
        self.body = nn.Sequential(
            *stages(recipe, width, 2.0), convolution(width, dataset.channels, 1, 1.0)
        )

    def forward(self, latents: Tensor) -> Tensor:
        """Map (batch, latent_dim) to images, which may leave [-1, 1] in training."""
        images: Tensor = self.body(self.basis * self.scale(latents)[:, :, None, None])
        return images


class Summary(nn.Module):
    """A 4x4 convolution of each channel alone, on maps of 4x4: weighted sums.

    Written as a convolution, its groups would be gone through one by one where a penalty is
    differentiated.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(width, 4, 4) / 4)

    def forward(self, maps: Tensor) -> Tensor:
        """Map (batch, width, 4, 4) to (batch, width)."""
        return (maps * self.weight).sum((2, 3))


def generator(recipe: Recipe, dataset: DatasetSpec) -> nn.Module:
    """`Generator`, or the one that the recipe names."""
    if recipe.network != "r3gan" or dataset.kind == "points":
        return networks.generator(recipe, dataset)
    return Generator(recipe, dataset)


def discriminator(recipe: Recipe, dataset: DatasetSpec) -> nn.Module:
    """A 1x1 convolution, blocks of each size, a 4x4 convolution per channel, one logit."""
    if recipe.network != "r3gan" or dataset.kind == "points":
        return networks.discriminator(recipe, dataset)
    if recipe.d_norm != "none":
        raise ganbench.UsageError(
            f"d_norm={recipe.d_norm} does not fit R3GAN's network, which has no normalisation: "
            "give --set d_norm=none, or another network, such as --set network=dcgan"
        )
    width = recipe.discriminator_width
    last = nn.Linear(width, 1, bias=False)
    nn.init.normal_(last.weight, 0.0, 1 / math.sqrt(width))
    first = convolution(dataset.channels, width, 1, 1.0)
    return nn.Sequential(first, *stages(recipe, width, 0.5), Summary(width), last)


VARIANT = Variant(
    title="R3GAN",
    paper="Huang et al. 2024, arXiv:2501.05441",
    recipe=Recipe(
        d_norm="none",
        image_size=32,
        latent_dim=64,
        loss="relativistic",
        r1="0.05:0.005:cosine",
        r2="0.05:0.005:cosine",
        lr_g="2e-4:5e-5:cosine",
        lr_d="2e-4:5e-5:cosine",
        beta1=0.0,
        beta2="0.9:0.99:cosine",
        ema_half_life_kimg="0:500:cosine",
        ema_ramp=0.05,
    ),
    generator=generator,
    discriminator=discriminator,
    losses=losses.composed,
    clamp=True,
    accepts=Accepts(points=("lr_g", "lr_d", "beta1", "beta2")),
)
