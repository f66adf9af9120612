"""Losses with one signature: (discriminator, real, fake) -> LossOutput, and penalties for them."""

from ganbench.machine.ranks import whole_mean
from ganbench.variant.losses.composed import composed, objective, wasserstein
from ganbench.variant.losses.objectives import (
    bce,
    binary_cross_entropy,
    hinge,
    least_squares,
    refuse_labels,
    relativistic,
    relativistic_average,
)
from ganbench.variant.losses.penalties import (
    LeCam,
    consistency_penalty,
    dragan_penalty,
    gradient_penalty,
    zero_centred_penalty,
)

__all__ = [
    "LeCam",
    "bce",
    "binary_cross_entropy",
    "composed",
    "consistency_penalty",
    "dragan_penalty",
    "gradient_penalty",
    "hinge",
    "least_squares",
    "objective",
    "refuse_labels",
    "relativistic",
    "relativistic_average",
    "wasserstein",
    "whole_mean",
    "zero_centred_penalty",
]
