"""Recipes whose network, loss and penalties are chosen by name."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ganbench.variant.recipe import Recipe
from ganbench.variant.schedule import Scheduled, scheduled

__all__ = ["ComposedRecipe", "NetworkRecipe"]


class NetworkRecipe(Recipe):
    """The numbers of a variant whose networks are chosen by name.

    `networks.generator`, `networks.discriminator`, `networks.features` and `networks.encoder` build
    them: `--set network=resnet --set d_norm=spectral`.
    """

    network: Literal["mlp", "dcgan", "cnn", "resnet"] = Field(
        "dcgan", description="the two networks: fully connected, DCGAN's, SNGAN's CNN or ResNet"
    )
    d_norm: Literal["batch", "spectral", "layer", "none"] = Field(
        "batch", description="what normalises the discriminator"
    )


class ComposedRecipe(NetworkRecipe):
    """The numbers of a variant whose loss and penalties are chosen by name as well.

    `losses.composed` builds the loss and every penalty whose weight is above 0. So any loss runs on
    any network, with any of the penalties: `--set loss=hinge --set r1=0.1`.
    """

    loss: Literal[
        "logistic",
        "least-squares",
        "hinge",
        "wasserstein",
        "relativistic",
        "relativistic-average",
    ] = Field("logistic", description="the objective of both networks")
    gradient_penalty: Scheduled = scheduled(
        0.0, ge=0, description="weight of WGAN-GP's gradient penalty"
    )
    dragan: Scheduled = scheduled(
        0.0, ge=0, description="weight of DRAGAN's penalty, around real images"
    )
    r1: Scheduled = scheduled(
        0.0, ge=0, description="gamma of R1: half of it weighs the gradient at real images"
    )
    r2: Scheduled = scheduled(
        0.0, ge=0, description="gamma of R2: half of it weighs the gradient at generated images"
    )
    consistency: float = Field(
        0.0, ge=0, description="weight of the consistency of D under flips and shifts (CR)"
    )
    lecam: float = Field(0.0, ge=0, description="weight of the LeCam regularisation")
    lecam_decay: float = Field(0.99, ge=0, lt=1, description="decay of LeCam's moving means")
    lecam_start: int = Field(1000, ge=0, description="steps before LeCam sets in")
