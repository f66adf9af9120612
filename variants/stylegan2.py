"""StyleGAN2 in small: mapping network, modulated convolutions, lazy R1 and path-length penalty.

Karras et al. 2020, arXiv:1912.04958. Logistic loss; R1 every 16 steps; every 4 steps the length
of the gradient of the images by w is drawn towards its moving mean. The mapping network learns at
a hundredth of the generator's rate; the discriminator is residual and sees the standard deviation
over groups of four images. Departs from the paper in the widths, in four layers of the mapping
network for eight and a weight of R1 of 1 for 10, as for small images, and has no style mixing, no
blurring filter in resampling, and no correction of Adam's numbers for the lazy penalties.
"""

import itertools
import math
from typing import Any

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import (
    avg_pool2d,
    conv2d,
    interpolate,
    leaky_relu,
    linear,
)

import ganbench
from ganbench import DatasetSpec, Losses, LossOutput, Variant, networks


class Recipe(ganbench.Recipe):
    """A DCGAN's numbers, and those of StyleGAN2."""

    mapping_layers: int = Field(4, ge=1, description="layers of the mapping network")
    lr_mapping: ganbench.Scheduled = ganbench.scheduled(
        2e-5, gt=0, description="learning rate of the mapping network"
    )
    gamma: ganbench.Scheduled = ganbench.scheduled(1.0, ge=0, description="weight of R1")
    r1_interval: int = Field(16, ge=1, description="steps between two penalties R1")
    path_weight: float = Field(2.0, ge=0, description="weight of the path-length penalty")
    path_interval: int = Field(4, ge=1, description="steps between two path-length penalties")
    path_decay: float = Field(0.99, ge=0, lt=1, description="decay of the mean path length")


class Linear(nn.Linear):
    """A linear layer with an equalised learning rate."""

    def reset_parameters(self) -> None:
        """Draw weights from N(0, 1); they are scaled when they are used."""
        nn.init.normal_(self.weight)
        nn.init.zeros_(self.bias)

    def forward(self, values: Tensor) -> Tensor:
        """Map (batch, inputs) to (batch, outputs)."""
        return linear(values, self.weight / math.sqrt(self.in_features), self.bias)


class Activation(nn.Module):
    """LeakyReLU(0.2) with the gain that keeps the size of what goes through."""

    def forward(self, values: Tensor) -> Tensor:
        """Map to the same shape."""
        return leaky_relu(values, 0.2) * math.sqrt(2)


class ModulatedConv(nn.Module):
    """A convolution whose input channels are scaled by a style, and demodulated; adds noise."""

    def __init__(self, inputs: int, outputs: int, style: int, *, to_rgb: bool = False) -> None:
        super().__init__()
        self.style = Linear(style, inputs)
        self.weight = nn.Parameter(torch.randn(outputs, inputs, *((1, 1) if to_rgb else (3, 3))))
        self.bias = nn.Parameter(torch.zeros(outputs, 1, 1))
        self.noise = None if to_rgb else nn.Parameter(torch.zeros(()))

    def forward(self, images: Tensor, w: Tensor) -> Tensor:
        """Map images by the style of each."""
        # The channels are scaled and not the weights, which gives the same: a group per image
        # would be gone through one by one where a penalty is differentiated
        weight = self.weight / math.sqrt(self.weight[0].numel())
        scale = 1 + self.style(w)
        result = conv2d(images * scale[:, :, None, None], weight, padding="same")
        if self.noise is None:
            return result + self.bias
        squares = scale.square() @ weight.square().sum((2, 3)).T
        result = result * (squares + 1e-8).rsqrt()[:, :, None, None] + self.bias
        noise = torch.randn(len(images), 1, *images.shape[2:], device=images.device)
        return leaky_relu(result + self.noise * noise, 0.2) * math.sqrt(2)


class Generator(nn.Module):
    """Latents to w by the mapping network; a learnt constant of 4×4 pixels and w to images."""

    def __init__(self, recipe: Recipe, dataset: DatasetSpec) -> None:
        super().__init__()
        size, width = recipe.latent_dim, recipe.generator_width
        blocks = networks.convolutional_blocks(recipe.image_size)
        layers = ((Linear(size, size), Activation()) for _ in range(recipe.mapping_layers))
        self.mapping = nn.Sequential(*(part for layer in layers for part in layer))
        self.constant = nn.Parameter(torch.randn(1, width, 4, 4))
        self.convs = nn.ModuleList(ModulatedConv(width, width, size) for _ in range(2 * blocks + 1))
        self.to_rgb = nn.ModuleList(
            ModulatedConv(width, dataset.channels, size, to_rgb=True) for _ in range(blocks + 1)
        )

    def styles(self, latents: Tensor) -> Tensor:
        """Map (batch, latent_dim) to w of the same shape."""
        w: Tensor = self.mapping(latents * (latents.square().mean(1, keepdim=True) + 1e-8).rsqrt())
        return w

    def synthesis(self, w: Tensor) -> Tensor:
        """Map w to images, which may leave [-1, 1] in training."""
        features = self.convs[0](self.constant.expand(len(w), -1, -1, -1), w)
        images: Tensor = self.to_rgb[0](features, w)
        for block, to_rgb in enumerate(self.to_rgb[1:]):
            features = self.convs[2 * block + 1](interpolate(features, scale_factor=2.0), w)
            features = self.convs[2 * block + 2](features, w)
            images = interpolate(images, scale_factor=2.0, mode="bilinear") + to_rgb(features, w)
        return images

    def forward(self, latents: Tensor) -> Tensor:
        """Map (batch, latent_dim) to images."""
        return self.synthesis(self.styles(latents))


class Convolution(nn.Conv2d):
    """A convolution with an equalised learning rate."""

    def reset_parameters(self) -> None:
        """Draw weights from N(0, 1); they are scaled when they are used."""
        nn.init.normal_(self.weight)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, images: Tensor) -> Tensor:
        """Map (batch, channels, size, size) to as many pixels."""
        weight = self.weight / math.sqrt(self.weight[0].numel())
        return conv2d(images, weight, self.bias, padding="same")


class HalvingBlock(nn.Module):
    """Two convolutions and a halving, around a shortcut."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.first = Convolution(before, before, 3)
        self.second = Convolution(before, after, 3)
        self.shortcut = Convolution(before, after, 1, bias=False)

    def forward(self, images: Tensor) -> Tensor:
        """Map (batch, before, size, size) to (batch, after, size / 2, size / 2)."""
        residual = leaky_relu(self.first(images), 0.2) * math.sqrt(2)
        residual = leaky_relu(self.second(residual), 0.2) * math.sqrt(2)
        return avg_pool2d(residual + self.shortcut(images), 2) / math.sqrt(2)


class Discriminator(nn.Module):
    """Residual blocks to 4x4, the deviation over groups of images as one more channel, a logit."""

    def __init__(self, recipe: Recipe, dataset: DatasetSpec) -> None:
        super().__init__()
        blocks, width = networks.convolutional_blocks(recipe.image_size), recipe.discriminator_width
        widths = [width * min(2**power, 8) for power in range(blocks + 1)]
        self.first = Convolution(dataset.channels, width, 1)
        self.blocks = nn.Sequential(*(HalvingBlock(*pair) for pair in itertools.pairwise(widths)))
        self.last = Convolution(widths[-1] + 1, widths[-1], 3)
        self.hidden = Linear(16 * widths[-1], widths[-1])
        self.logit = Linear(widths[-1], 1)

    def forward(self, images: Tensor) -> Tensor:
        """Map images to logits of shape (batch, 1)."""
        maps = self.blocks(leaky_relu(self.first(images), 0.2) * math.sqrt(2))
        count = len(maps)
        group = next(size for size in (4, 2, 1) if count % size == 0)
        spread = maps.unflatten(0, (group, -1)).var(dim=0, correction=0).add(1e-8).sqrt()
        spread = spread.mean((1, 2, 3)).repeat(group)[:, None, None, None].expand(-1, 1, 4, 4)
        maps = leaky_relu(self.last(torch.cat([maps, spread], dim=1)), 0.2) * math.sqrt(2)
        hidden = leaky_relu(self.hidden(maps.flatten(1)), 0.2) * math.sqrt(2)
        logits: Tensor = self.logit(hidden)
        return logits


class PathLength(nn.Module):
    """The moving mean of the path length."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(()))


def losses(recipe: Recipe, dataset: DatasetSpec) -> Losses:
    """The logistic loss, with each of the two penalties every few steps."""
    bare = ganbench.losses.bce(recipe, dataset)

    def d_loss(
        discriminator: Any, real: Tensor, fake: Tensor, context: ganbench.Context
    ) -> LossOutput:
        output = LossOutput.of(bare.d_loss(discriminator, real, fake))
        if context.every(recipe.r1_interval):
            penalty, _ = ganbench.losses.zero_centred_penalty(discriminator, real, recipe.packing)
            weight = recipe.r1_interval * context.value("gamma") / 2
            output = (output + weight * penalty).recording(r1=penalty)
        return output

    def path_penalty(context: ganbench.Context) -> Tensor:
        generator: Any = context.networks["generator"]
        losses_state: Any = context.networks["losses"]
        mean: Tensor = losses_state.mean
        w = generator.styles(context.latent[: (len(context.latent) + 1) // 2])
        images = generator.synthesis(w)
        weighted = (images * torch.randn_like(images)).sum() / images.shape[-1]
        (gradient,) = torch.autograd.grad(weighted, w, create_graph=True)
        lengths = gradient.float().square().sum(1).sqrt()
        mean_length = ganbench.losses.whole_mean(lengths.detach().mean())
        mean.lerp_(mean_length, 1 - recipe.path_decay)
        penalty: Tensor = (lengths - mean.clone()).square().mean()
        return penalty

    def g_loss(
        discriminator: Any, real: Tensor, fake: Tensor, context: ganbench.Context
    ) -> LossOutput:
        output = LossOutput.of(bare.g_loss(discriminator, real, fake))
        if context.every(recipe.path_interval):
            penalty = path_penalty(context)
            weight = recipe.path_interval * recipe.path_weight
            output = (output + weight * penalty).recording(path_penalty=penalty)
        return output

    return Losses(d_loss, g_loss, PathLength())


VARIANT = Variant(
    title="StyleGAN2, small",
    paper="Karras et al. 2020, arXiv:1912.04958",
    recipe=Recipe(
        image_size=32,
        latent_dim=64,
        lr_g=0.002,
        lr_d=0.002,
        beta1=0.0,
        beta2=0.99,
        ema_half_life_kimg=10.0,
        generator_width=64,
        discriminator_width=32,
    ),
    generator=Generator,
    discriminator=Discriminator,
    losses=losses,
    learning_rates={"generator.mapping": "lr_mapping"},
    clamp=True,
    group=4,
)
