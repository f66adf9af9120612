"""Stacked digits, described channel by channel with the classifier of single digits.

No network learns the 1,000 classes: so the published protocol has it (Lin et al. 2018, PacGAN,
arXiv:1712.04086), and what a generator draws badly is named as its most likely digits are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganbench.scoring.backbones.classifier_network import Description

if TYPE_CHECKING:
    from torch import Tensor

    from ganbench.scoring.backbones.classifier_network import ClassifierNetwork

__all__ = ["describe_channels", "joint_probabilities"]

_CHANNELS = 3


def describe_channels(network: ClassifierNetwork, images: Tensor) -> Description:
    """Map images of shape (n, 3, size, size) to what a classifier of grey images says of them.

    Returns:
        The features of the three channels joined, (n, 3 d); the probabilities of the digits of
        each channel joined, (n, 30), from which `joint_probabilities` has those of the classes; and
        the distance of the channel that is farthest from the data, (n, 1).
    """
    count, _, *size = images.shape
    alone = network.describe(images.reshape(_CHANNELS * count, 1, *size))
    return Description(
        alone.vectors.reshape(count, -1),
        alone.probabilities.reshape(count, -1),
        alone.distances.view(count, _CHANNELS).amax(dim=1, keepdim=True),
    )


def joint_probabilities(probabilities: Tensor) -> Tensor:
    """Probabilities of the classes 100 a + 10 b + c from those of the three digits.

    The channels are taken for independent, so that the most likely class is that of the most
    likely digits.

    Args:
        probabilities: Those of each channel joined, of shape (n, 30).

    Returns:
        Of shape (n, 1000).
    """
    red, green, blue = probabilities.chunk(_CHANNELS, dim=1)
    pairs = (red[:, :, None] * green[:, None, :]).flatten(1)
    return (pairs[:, :, None] * blue[:, None, :]).flatten(1)
