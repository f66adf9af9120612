"""Networks that several variants share, as functions of the recipe and the dataset.

Generators map latents of shape (batch, latent_dim) to images in [-1, 1] of shape
(batch, channels, image_size, image_size); discriminators map such images to logits of shape
(batch, 1). Those for points map latents to points of shape (batch, dimensions), and these to
logits. There is no sigmoid at the end: the losses work on logits.
"""

from ganbench.variant.networks.choice import (
    LabelGenerator,
    PairDiscriminator,
    discriminator,
    encoder,
    features,
    generator,
)
from ganbench.variant.networks.cnn import cnn_features, cnn_generator
from ganbench.variant.networks.conditional import (
    ConditionalBatchNorm,
    ConditionalGenerator,
    ProjectionDiscriminator,
)
from ganbench.variant.networks.dcgan import (
    dcgan_discriminator,
    dcgan_features,
    dcgan_generator,
)
from ganbench.variant.networks.initial import initialise_dcgan
from ganbench.variant.networks.layers import (
    Normalisation,
    convolutional_blocks,
    normalisation,
    normalised,
)
from ganbench.variant.networks.mlp import mlp_features, mlp_generator
from ganbench.variant.networks.points import (
    Maxout,
    points_discriminator,
    points_features,
    points_generator,
)
from ganbench.variant.networks.resnet import ResNetFeatures, ResNetGenerator

__all__ = [
    "ConditionalBatchNorm",
    "ConditionalGenerator",
    "LabelGenerator",
    "Maxout",
    "Normalisation",
    "PairDiscriminator",
    "ProjectionDiscriminator",
    "ResNetFeatures",
    "ResNetGenerator",
    "cnn_features",
    "cnn_generator",
    "convolutional_blocks",
    "dcgan_discriminator",
    "dcgan_features",
    "dcgan_generator",
    "discriminator",
    "encoder",
    "features",
    "generator",
    "initialise_dcgan",
    "mlp_features",
    "mlp_generator",
    "normalisation",
    "normalised",
    "points_discriminator",
    "points_features",
    "points_generator",
]
