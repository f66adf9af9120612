"""Networks that take a condition: joined to the latent, or projected onto features."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["ConditionalBatchNorm", "ConditionalGenerator", "ProjectionDiscriminator"]


class ConditionalGenerator(nn.Module):
    """A generator that takes a condition beside its latent, by joining the two vectors.

    `generator` is any network whose latent is as long as both together.
    """

    def __init__(self, generator: nn.Module) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, latent: Tensor, condition: Tensor) -> Tensor:
        """Map (batch, latent_dim) and (batch, condition_size) to images."""
        images: Tensor = self.generator(torch.cat([latent, condition], dim=1))
        return images


class ProjectionDiscriminator(nn.Module):
    """A discriminator that projects the condition onto its features (Miyato and Koyama 2018).

    The logit is that of the image alone plus the inner product of the features, averaged over the
    map where the paper sums them, with a linear map of the condition (arXiv:1802.05637).

    Args:
        features: Maps images to a (batch, wide, 4, 4) map.
        wide: Channels of that map.
        condition_size: Entries of the condition.
    """

    def __init__(self, features: nn.Module, wide: int, condition_size: int) -> None:
        super().__init__()
        self.features = features
        self.head = nn.Conv2d(wide, 1, 4, 1, 0, bias=False)
        self.projection = nn.Linear(condition_size, wide, bias=False)

    def forward(self, images: Tensor, condition: Tensor) -> Tensor:
        """Map images and (batch, condition_size) to logits of shape (batch, 1)."""
        features = self.features(images)
        unconditional = self.head(features).flatten(1)
        projected = (features.mean(dim=(2, 3)) * self.projection(condition)).sum(1, keepdim=True)
        logits: Tensor = unconditional + projected
        return logits


class ConditionalBatchNorm(nn.Module):
    """BatchNorm whose scale and shift are learnt by class (de Vries et al. 2017, arXiv:1707.00683).

    Args:
        channels: Of the map that is normalised.
        classes: Number of classes.
    """

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.scale = nn.Embedding(classes, channels)
        self.shift = nn.Embedding(classes, channels)
        nn.init.ones_(self.scale.weight)
        nn.init.zeros_(self.shift.weight)

    def forward(self, maps: Tensor, labels: Tensor) -> Tensor:
        """Normalise maps (batch, channels, height, width) by their classes, int64 (batch,)."""
        scale, shift = (part(labels)[:, :, None, None] for part in (self.scale, self.shift))
        normalised: Tensor = self.norm(maps) * scale + shift
        return normalised
