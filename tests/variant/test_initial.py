"""Initial weights, against their distributions and their bounds."""

import math

import pytest
import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from ganbench.errors import UsageError
from ganbench.variant.networks.initial import draw_anew


def strange() -> nn.Sequential:
    """Layers whose weights are all far from what any scheme draws."""
    network = nn.Sequential(
        nn.Conv2d(16, 32, 4), nn.BatchNorm2d(64), nn.ConvTranspose2d(32, 16, 4), nn.Linear(128, 64),
        spectral_norm(nn.Linear(96, 48)), nn.BatchNorm2d(8, affine=False), nn.BatchNorm1d(4096),
    )  # fmt: skip
    for weight in network.parameters():
        nn.init.constant_(weight, 7.0)
    return network


def drawn(scheme: str) -> nn.Sequential:
    torch.manual_seed(0)
    network = strange()
    draw_anew(network, scheme)
    return network


def weights(network: nn.Sequential) -> list[torch.Tensor]:
    """Of the four layers, that under the spectral norm as it is stored."""
    return [
        *(network[index].weight.detach() for index in (0, 2, 3)),
        network[4].parametrizations.weight.original.detach(),
    ]


FAN_IN = (16 * 16, 16 * 16, 128, 96)  # PyTorch takes a transposed convolution's from its outputs
FAN_OUT = (32 * 16, 32 * 16, 64, 48)


def test_pytorchs_weights_and_biases_are_uniform_within_the_root_of_the_fan_in():
    network = drawn("pytorch")
    biases = [network[index].bias.detach() for index in (0, 2, 3, 4)]
    for weight, bias, fan_in in zip(weights(network), biases, FAN_IN, strict=True):
        bound = 1 / math.sqrt(fan_in)
        assert bound * 0.99 < float(weight.abs().max()) <= bound
        assert float(weight.std()) == pytest.approx(bound / math.sqrt(3), rel=0.03)
        assert bound * 0.5 < float(bias.abs().max()) <= bound


def test_pytorchs_weights_are_those_that_a_layer_begins_with():
    ours, own = nn.Linear(30, 20), nn.Linear(30, 20)
    torch.manual_seed(3)
    draw_anew(ours, "pytorch")
    torch.manual_seed(3)
    own.reset_parameters()
    assert torch.equal(ours.weight, own.weight)
    assert torch.equal(ours.bias, own.bias)


def test_normal_weights_are_the_dcgan_papers():
    network = drawn("normal")
    for weight in weights(network):
        assert float(weight.std()) == pytest.approx(0.02, rel=0.05)
        assert float(weight.mean()) == pytest.approx(0, abs=0.001)
    scales = network[6].weight.detach()
    assert float(scales.mean()) == pytest.approx(1, abs=0.002)
    assert float(scales.std()) == pytest.approx(0.02, rel=0.05)


def test_glorots_weights_are_uniform_within_their_bound():
    for weight, inside, outside in zip(weights(drawn("xavier")), FAN_IN, FAN_OUT, strict=True):
        bound = math.sqrt(6 / (inside + outside))
        assert bound * 0.99 < float(weight.abs().max()) <= bound
        assert float(weight.std()) == pytest.approx(bound / math.sqrt(3), rel=0.03)


def test_orthogonal_weights_keep_lengths():
    for weight in weights(drawn("orthogonal")):
        flat = weight.flatten(1).double()
        product = flat @ flat.T if len(flat) <= flat.shape[1] else flat.T @ flat
        torch.testing.assert_close(product, torch.eye(len(product)).double(), rtol=0, atol=1e-5)


@pytest.mark.parametrize("scheme", ["normal", "xavier", "orthogonal", "pytorch"])
def test_norms_begin_anew_and_biases_at_nothing(scheme):
    network = drawn(scheme)
    if scheme != "normal":
        assert torch.equal(network[6].weight, torch.ones(4096))
    assert not network[1].bias.any()
    if scheme != "pytorch":
        assert not any(network[index].bias.any() for index in (0, 2, 3, 4))


@pytest.mark.parametrize("scheme", ["normal", "xavier", "orthogonal", "pytorch"])
def test_a_spectral_norm_measures_the_weight_that_was_drawn(scheme):
    network = drawn(scheme).eval()
    largest = torch.linalg.matrix_norm(network[4].weight.detach(), 2)
    assert float(largest) == pytest.approx(1, abs=0.05)


def test_what_is_held_and_embeddings_stay():
    network = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 5), nn.Embedding(6, 7))
    network[0].requires_grad_(False)
    held, embedded = (network[index].weight.clone() for index in (0, 2))
    draw_anew(network, "normal")
    assert torch.equal(network[0].weight, held)
    assert torch.equal(network[2].weight, embedded)
    assert float(network[1].weight.detach().abs().max()) < 0.15


class Scaled(nn.Module):
    """A weight of a kind of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.basis = nn.Parameter(torch.randn(3, 4))


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        (Scaled(), "0.basis is a weight of Scaled"),
        (nn.LazyLinear(4), "0.weight is a weight of LazyLinear"),
        (nn.utils.spectral_norm(nn.Linear(3, 4)), "0.weight_orig is a weight of Linear"),
    ],
    ids=["own", "lazy", "behind a hook"],
)
def test_weights_that_only_their_author_can_draw_are_refused(layer, said):
    network = nn.Sequential(layer, nn.Linear(4, 5))
    before = network[1].weight.clone()
    with pytest.raises(UsageError, match=said):
        draw_anew(network, "normal")
    assert torch.equal(network[1].weight, before)
