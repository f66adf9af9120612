"""Adam with less around its kernel does what torch's does, to the last bit."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from ganbench.training.lean_adam import LeanAdam, LeanAdamW, is_possible

KINDS = [(LeanAdam, torch.optim.Adam), (LeanAdamW, torch.optim.AdamW)]
NUMBERS = {"lr": 3e-3, "betas": (0.5, 0.99), "eps": 1e-7, "weight_decay": 0.03, "fused": True}


def groups_of(network):
    """Two groups of which one has a learning rate of its own."""
    first, *others = network.parameters()
    return [{"params": [first], "lr": 0.01}, {"params": others}]


def trained(kind, steps, change=lambda _optimizer, _step: None, **more):
    """Weights and state after some steps; a weight has no gradient in some of them."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 1))
    optimizer = kind(groups_of(network), **NUMBERS, **more)
    for step in range(steps):
        change(optimizer, step)
        optimizer.zero_grad()
        network(torch.randn(4, 5)).square().mean().backward()
        if step % 3 == 1:
            network[2].bias.grad = None
        optimizer.step()
    return network.state_dict(), optimizer.state_dict()


def assert_same(one, other):
    for name, tensor in one[0].items():
        assert torch.equal(tensor, other[0][name]), name
    assert one[1]["param_groups"] == other[1]["param_groups"]
    assert one[1]["state"].keys() == other[1]["state"].keys()
    for place, values in one[1]["state"].items():
        assert all(
            torch.equal(tensor, other[1]["state"][place][name]) for name, tensor in values.items()
        )


@pytest.mark.parametrize(("lean", "usual"), KINDS)
@pytest.mark.parametrize("more", [{}, {"amsgrad": True}, {"maximize": True}])
def test_weights_and_state_are_those_of_torch_to_the_last_bit(lean, usual, more):
    assert_same(trained(lean, 20, **more), trained(usual, 20, **more))


@pytest.mark.parametrize(("lean", "usual"), KINDS)
def test_numbers_that_change_are_followed(lean, usual):
    def change(optimizer, step):
        optimizer.param_groups[0].update(lr=0.01 / (step + 1), betas=(0.1 * (step % 3), 0.9))

    assert_same(trained(lean, 9, change), trained(usual, 9, change))


def test_a_stored_state_goes_on_in_either():
    torch.manual_seed(1)
    network = nn.Linear(3, 2)
    lean = LeanAdam(network.parameters(), **NUMBERS)
    network(torch.ones(1, 3)).sum().backward()
    lean.step()
    other = copy.deepcopy(network)
    usual = torch.optim.Adam(other.parameters(), **NUMBERS)
    usual.load_state_dict(copy.deepcopy(lean.state_dict()))
    for module, optimizer in ((network, lean), (other, usual)):
        optimizer.zero_grad()
        module(torch.ones(1, 3)).sum().backward()
        optimizer.step()
    assert torch.equal(network.weight, other.weight)


def test_hooks_are_called_once_for_each_step():
    network, seen = nn.Linear(3, 2), []
    optimizer = LeanAdam(network.parameters(), **NUMBERS)
    network(torch.ones(1, 3)).sum().backward()
    handles = [
        optimizer.register_step_pre_hook(lambda *_: seen.append("before")),
        optimizer.register_step_post_hook(lambda *_: seen.append("after")),
    ]
    optimizer.step()
    assert seen == ["before", "after"]
    for handle in handles:
        handle.remove()
    optimizer.step()
    assert seen == ["before", "after"]


def test_scaled_gradients_are_unscaled_and_infinite_ones_skipped():
    for kind in (LeanAdam, torch.optim.Adam):
        weight = nn.Parameter(torch.ones(3))
        optimizer = kind([weight], lr=0.1, fused=True)
        weight.grad = torch.full((3,), torch.inf)
        optimizer.grad_scale, optimizer.found_inf = torch.tensor(2.0), torch.tensor(1.0)
        optimizer.step()
        assert torch.equal(weight, torch.ones(3))


@pytest.mark.parametrize(
    ("types", "possible"),
    [
        ([torch.float32, torch.float32], True),
        ([torch.float64], True),
        ([torch.float32, torch.float64], False),
        ([torch.complex64], False),
    ],
)
def test_the_parameters_of_a_group_must_be_alike(types, possible):
    weights = [nn.Parameter(torch.ones(2, dtype=kind)) for kind in types]
    assert is_possible([{"params": weights}]) is possible
    assert not is_possible([{"params": [nn.Parameter(torch.ones(2, device="meta"))]}])
