"""What a step has to do and what a machine can do, against arithmetic done by hand."""

from __future__ import annotations

import pytest
import torch
from doubles import FakeCard, tiny_spec, tiny_split
from torch import nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from ganbench.machine.device import choose
from ganbench.throughput.flops import count
from ganbench.throughput.peak import Machine, measure_machine
from ganbench.training.session import Session
from ganbench.training.state import TrainState
from ganbench.training.step import train_step
from ganbench.variant.registry import resolve

FLOAT = 4  # bytes


def test_a_matrix_product_counts_two_operations_per_entry_and_moves_three_matrices():
    left, right = torch.rand(3, 5), torch.rand(5, 7)
    work = count(lambda: left @ right)
    assert work.flops == 2 * 3 * 5 * 7
    assert work.bytes_moved == FLOAT * (15 + 35 + 21)
    assert work.bytes_without_products == 0


def test_a_convolution_counts_forward_and_backward():
    images = torch.rand(2, 3, 8, 8, requires_grad=True)
    weight = torch.rand(5, 3, 4, 4, requires_grad=True)
    work = count(lambda: F.conv2d(images, weight, stride=2).sum().backward())
    forward = 2 * (2 * 5 * 3 * 3) * (3 * 4 * 4)
    assert work.flops == 3 * forward  # the gradients of images and weight cost as much each
    weight.requires_grad = False
    assert count(lambda: F.conv2d(images, weight, stride=2).sum().backward()).flops == 2 * forward


def test_a_view_of_memory_moves_nothing():
    images = torch.rand(4, 6)
    assert count(lambda: images.view(2, 12).t().unsqueeze(0)).bytes_moved == 0
    assert count(lambda: torch.empty_like(images)).bytes_moved == 0


def test_a_change_in_place_reads_and_writes():
    images = torch.rand(10)
    work = count(lambda: images.mul_(2.0))
    assert work.bytes_moved == FLOAT * 20
    assert work.bytes_without_products == FLOAT * 20
    (operator,) = work.operators
    assert (operator.name, operator.calls) == ("aten.mul_", 1)


def test_an_expanded_tensor_lies_in_memory_once():
    row = torch.rand(1, 8).expand(100, 8)
    assert count(lambda: row + 1.0).bytes_moved == FLOAT * (8 + 800)


def test_a_list_of_weights_that_an_optimizer_changes_is_seen():
    weight = torch.rand(50, requires_grad=True)
    weight.grad = torch.rand(50)
    optimizer = torch.optim.Adam([weight], fused=True)
    optimizer.step()
    (update,) = [
        operator for operator in count(optimizer.step).operators if "adam" in operator.name
    ]
    # weight, gradient and two moments are read and written, but for the step count's few bytes
    assert update.bytes_moved == pytest.approx(FLOAT * 50 * 8, rel=0.05)


def test_a_training_step_of_an_mlp_counts_what_its_layers_say():
    (entry,) = resolve(["mlp"])
    recipe = entry.variant.recipe.override(
        {"batch_size": 8, "generator_width": 6, "discriminator_width": 5, "image_size": 32}
    )
    spec = tiny_spec()
    state = TrainState.create(entry.variant, recipe, spec, torch.device("cpu"), seed=0)
    session = Session(state, tiny_split(spec), spec.captions, choose("cpu"), 0)
    work = count(lambda: train_step(state, session.batches()))

    pixels, latent = 32 * 32, recipe.latent_dim
    into_generator, out_of_generator = latent * 6, 6 * pixels
    into_discriminator, out_of_discriminator = pixels * 5, 5
    generator = into_generator + out_of_generator
    discriminator = into_discriminator + out_of_discriminator
    expected = (
        generator  # fake images
        + 2 * discriminator  # outputs on real and fake images
        + 2 * (discriminator + out_of_discriminator)  # gradients; none for the pixels
        + 2 * discriminator  # outputs for the generator, and back to the pixels, no weights
        + generator  # gradients of the generator's weights
        + out_of_generator  # and of its hidden layer
    )
    assert work.flops == 2 * 8 * expected


# --- The machine ---


def test_the_peak_is_the_best_product():
    machine = Machine({"512×512": 3e9, "convolution": 4e9}, bytes_per_second=1e9)
    assert machine.best_product == "convolution"
    assert machine.flops_per_second == 4e9


def test_the_roofline_rises_with_intensity_to_the_peak():
    machine = Machine({"convolution": 4e9}, bytes_per_second=1e9)
    assert machine.roofline(0.5) == 0.5e9
    assert machine.roofline(4.0) == machine.roofline(100.0) == 4e9


def test_two_measurements_join_to_the_better_of_each():
    first = Machine({"a": 1.0, "b": 5.0}, 7.0)
    joined = first.joined(Machine({"a": 2.0, "b": 4.0}, 6.0))
    assert joined == Machine({"a": 2.0, "b": 5.0}, 7.0)


def test_a_machine_can_be_measured():
    machine = measure_machine(choose("cpu"), seconds=0.01, squares=(32, 64))
    assert list(machine.products) == ["32×32", "64×64", "convolution"]
    assert min(machine.products.values()) > 0
    assert machine.bytes_per_second > 0


class ProductPrecisions(TorchFunctionMode):
    """Notes the precision that is set whenever a matrix product is computed."""

    def __init__(self):
        super().__init__()
        self.precisions = set()

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if func is torch.mm:
            self.precisions.add(torch.get_float32_matmul_precision())
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize(("device", "precision"), [(FakeCard(), "high"), (None, "highest")])
def test_products_use_the_numbers_of_a_training_step(device, precision):
    with ProductPrecisions() as products:
        measure_machine(device or choose("cpu"), seconds=0.001, squares=(32,))
    assert products.precisions == {precision}
    assert torch.get_float32_matmul_precision() == "highest"


def test_a_gradient_penalty_can_be_counted():
    """The gradient of a linear layer's output by its input is one more product, and its own two."""
    layer = nn.Linear(6, 1, bias=False)
    images = torch.randn(4, 6, requires_grad=True)

    def step():
        output = layer(images).sum()
        (gradient,) = torch.autograd.grad(output, images, create_graph=True)
        gradient.square().sum().backward()

    # forward, by the input, and of that gradient by the weight: 2 · 4 · 6 operations each
    assert count(step).flops == 3 * 2 * 4 * 6
