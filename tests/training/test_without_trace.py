"""Steps that are done and taken back: nothing of a run is another one afterwards."""

from __future__ import annotations

import copy

import pytest
import torch
from doubles import FakeCard, tiny_spec, tiny_split, train_to_end
from torch import nn

from ganbench.machine.device import choose
from ganbench.training.calls import Batch
from ganbench.training.execution import Execution
from ganbench.training.session import Session
from ganbench.training.state import TrainState
from ganbench.training.step import Batches, train_step
from ganbench.training.without_trace import without_trace
from ganbench.variant.budget import Budget
from ganbench.variant.registry import resolve

SPEC = tiny_spec(count=40)
CPU = torch.device("cpu")
DEVICE = choose("cpu")


def state_of(name="dcgan", execution=None, **changes):
    (found,) = resolve([name])
    small = {"generator_width": 4, "discriminator_width": 4, "image_size": 32, "batch_size": 8}
    recipe = found.variant.recipe.override({**small, "ema_decay": 0.9, **changes})
    return TrainState.create(found.variant, recipe, SPEC, CPU, 0, execution or Execution())


def batches(seed=0):
    stream = torch.Generator().manual_seed(seed)
    real = torch.rand(8, 1, 32, 32, generator=stream) * 2 - 1
    return Batches([Batch(real, torch.randn(8, 100, generator=stream))])


class Odd(nn.Module):
    """A discriminator that keeps state in all the ways that a module can."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner
        self.calls = 0
        self.register_buffer("replaced", torch.zeros(2))
        self.register_buffer("expanded", torch.ones(1).expand(3))
        self.register_buffer("first_input", None)
        self.seen = []

    def get_extra_state(self):
        return {"seen": self.seen}

    def set_extra_state(self, values):
        self.seen = values["seen"]

    def forward(self, images):
        self.calls += 1
        self.replaced = self.replaced + 1
        if self.first_input is None:
            self.first_input = images.detach().clone()
        self.seen.append(len(images))
        return self.inner(images)


def everything(state):
    """All of a run's state that can be compared, copied."""
    modules = [(name, module) for name, net in state.networks.items() for module in net.modules()]
    return copy.deepcopy(
        {
            "checkpoint": state.state_dict(),
            "calls": [vars(module).get("calls") for _, module in modules],
            "buffers": [dict(module.named_buffers()) for _, module in modules],
            "gradients": [weight.grad for net in state.networks.values()
                          for weight in net.parameters()],
        }
    )  # fmt: skip


def assert_same(one, other, path=""):
    assert type(one) is type(other), path
    if isinstance(one, torch.Tensor):
        assert torch.equal(one, other), path
    elif isinstance(one, dict):
        assert one.keys() == other.keys(), path
        for key, value in one.items():
            assert_same(value, other[key], f"{path}/{key}")
    elif isinstance(one, list | tuple):
        assert len(one) == len(other), path
        for place, pair in enumerate(zip(one, other, strict=True)):
            assert_same(*pair, f"{path}/{place}")
    else:
        assert one == other, path


def odd_state(optimizer):
    state = state_of()
    state.networks["discriminator"] = Odd(state.discriminator)
    for update in ("generator", "discriminator"):
        state.optimizers[update] = optimizer(list(state.parameters_of(update)))
    return state


OPTIMIZERS = {
    "adam": lambda weights: torch.optim.Adam(weights, 1e-3),
    "nadam": lambda weights: torch.optim.NAdam(weights, 1e-3),
    "dampened": lambda weights: torch.optim.SGD(weights, 1e-3, momentum=0.5, dampening=0.5),
}


@pytest.mark.parametrize("steps_before", [0, 1])
@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_all_that_a_step_changes_is_put_back(optimizer, steps_before):
    state = odd_state(optimizer)
    for seed in range(steps_before):
        train_step(state, batches(seed), measure=True)
    before = everything(state)
    places = {name: values.data_ptr() for name, values in state.generator.named_parameters()}
    with without_trace(state, DEVICE):
        train_step(state, batches(5))
        weight = next(iter(before["checkpoint"]["generator"].values()))
        assert not torch.equal(next(state.generator.parameters()), weight)
    assert_same(everything(state), before)
    assert {name: v.data_ptr() for name, v in state.generator.named_parameters()} == places


@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_training_goes_on_as_if_nothing_had_been_done(optimizer):
    one, other = odd_state(optimizer), odd_state(optimizer)
    for number in range(1, 4):
        with without_trace(one, DEVICE):
            train_step(one, batches(7), number=9)
            torch.rand(5)
        for state in (one, other):
            torch.manual_seed(number)
            train_step(state, batches(number), number=number)
    assert_same(everything(one), everything(other))


def test_random_numbers_are_drawn_again():
    state = state_of()
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    with without_trace(state, DEVICE):
        torch.rand(9)
    assert torch.equal(torch.rand(4), expected)


def test_steps_that_fail_leave_no_trace_either():
    state = state_of()
    before = everything(state)

    def fail():
        with without_trace(state, DEVICE):
            train_step(state, batches())
            raise ValueError("enough")

    with pytest.raises(ValueError, match="enough"):
        fail()
    assert_same(everything(state), before)


def test_gradient_scales_are_put_back():
    state = state_of(execution=Execution(precision="fp16"))
    before = state.scaling.state_dict()
    with without_trace(state, DEVICE):
        for _ in range(3):
            train_step(state, batches())
    assert state.scaling.state_dict() == before


def test_moments_that_a_captured_step_writes_to_stay_where_they_are_as_zeros():
    state = state_of("mlp", Execution(cuda_graphs=True))
    with without_trace(state, FakeCard(), keeps_moments=True):
        train_step(state, batches())
        places = [slots["exp_avg"].data_ptr() for slots in state.generator_optimizer.state.values()]
    moments = [slots["exp_avg"] for slots in state.generator_optimizer.state.values()]
    assert [moment.data_ptr() for moment in moments] == places
    assert not any(bool(moment.any()) for moment in moments)


# --- The first step of a run


def session(name="dcgan"):
    return Session(state_of(name), tiny_split(SPEC), SPEC, DEVICE, 0)


def test_a_run_that_is_prepared_long_before_it_begins_learns_the_same():
    early, late = session(), session()
    early.prepare()
    early.prepare()  # once is enough
    for one in (early, late):
        with one.isolated_rng("something else"):
            torch.rand(3)
        train_to_end(one, Budget(3, "steps"))
    assert_same(everything(early.state), everything(late.state))
    names = [name for name in early.history[0] if "second" not in name]
    rows = [[[row[name] for name in names] for row in one.history] for one in (early, late)]
    assert rows[0] == rows[1]
