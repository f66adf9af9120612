"""How fast could a step of `mlp` be? ganbench's against steps written by hand, in one process.

All take turns on the same kind of batch, data included, and compute the same up to rounding:

- ganbench: the step of a run (`Session.advance`);
- least: what any step needs that leaves the networks and losses to their authors: two forward and
  two backward passes by autograd, and the fused Adam of torch, called past its optimizers;
- flat: the same with all weights of a network in one tensor, so that Adam has one to update;
- without autograd: the derivatives of these two networks worked out, both passes of the
  discriminator in one product, all results in place. No other network can be trained with it.

    python benchmarks/hand_written.py --rounds 15
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Annotated, Any

import flags
import torch
import typer
from command import Report, run
from measuring import range_text, spread
from torch import Tensor, nn
from torch.nn import functional as F
from turns import steps_in, take
from workloads import Workload

from ganbench.errors import GanbenchError
from ganbench.machine.device import Device

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ganbench.training.session import Session
    from ganbench.variant.recipe import Recipe

_WARMUP_STEPS = 50
_CHECKED_STEPS = 5
_SLOPE = 0.2  # of the leaky rectifier


class _Adam:
    """torch's fused Adam on some tensors, past `torch.optim`."""

    def __init__(self, tensors: Sequence[Tensor], rate: float, recipe: Recipe) -> None:
        self._tensors = list(tensors)
        self._means, self._squares = (
            [torch.zeros_like(tensor) for tensor in tensors] for _ in range(2)
        )
        self._steps = [torch.zeros(()) for _ in tensors]
        self._numbers = {
            "lr": rate, "beta1": recipe.beta1, "beta2": recipe.beta2, "weight_decay": 0.0,
            "eps": 1e-8, "amsgrad": False, "maximize": False,
        }  # fmt: skip

    def update(self, gradients: Sequence[Tensor]) -> None:
        """Update the tensors in place."""
        torch._foreach_add_(self._steps, 1)
        torch._fused_adam_(
            self._tensors, list(gradients), self._means, self._squares, [], self._steps,
            **self._numbers,
        )  # fmt: skip


class _ByHand:
    """Networks of `mlp` that are trained by a step of its own.

    Args:
        session: Gives the batches; its networks are copied as they are at first.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        recipe = session.state.recipe
        self.generator, self.discriminator = (
            _copy(session.state.networks[name]) for name in ("generator", "discriminator")
        )
        self.g_weights, self.d_weights = (
            list(network.parameters()) for network in (self.generator, self.discriminator)
        )
        self.recipe = recipe
        self._prepare()
        self.images_seen = 0

    def _prepare(self) -> None:
        self.g_adam = _Adam(self.g_weights, self.recipe.lr_g, self.recipe)
        self.d_adam = _Adam(self.d_weights, self.recipe.lr_d, self.recipe)

    def advance(self) -> None:
        """Do one step."""
        (batch,) = self.session.batches().discriminator
        self.session.steps += 1
        self.step(batch.real, batch.latent)
        self.images_seen += len(batch.real)

    def step(self, real: Tensor, latent: Tensor) -> None:
        """Update the discriminator, then the generator."""
        fake = self.generator(latent)
        d_loss = (
            F.softplus(-self.discriminator(real)).mean()
            + F.softplus(self.discriminator(fake.detach())).mean()
        )
        self.d_adam.update(torch.autograd.grad(d_loss, self.d_weights))
        g_loss = F.softplus(-self.discriminator(fake)).mean()
        self.g_adam.update(torch.autograd.grad(g_loss, self.g_weights))


class _Flat(_ByHand):
    """All weights of a network in one tensor."""

    def _prepare(self) -> None:
        flat = [
            nn.utils.parameters_to_vector(weights).detach()
            for weights in (self.g_weights, self.d_weights)
        ]
        for vector, weights in zip(flat, (self.g_weights, self.d_weights), strict=True):
            nn.utils.vector_to_parameters(vector, weights)  # which are views of it from now on
        self._g_adam = _Adam(flat[:1], self.recipe.lr_g, self.recipe)
        self._d_adam = _Adam(flat[1:], self.recipe.lr_d, self.recipe)
        self._g_gradient, self._d_gradient = map(torch.zeros_like, flat)
        for vector, weights in (
            (self._g_gradient, self.g_weights), (self._d_gradient, self.d_weights),
        ):  # fmt: skip
            parts = vector.split([weight.numel() for weight in weights])
            for weight, part in zip(weights, parts, strict=True):
                weight.grad = part.view_as(weight)

    def step(self, real: Tensor, latent: Tensor) -> None:
        """Update the discriminator, then the generator; gradients add up in one tensor each."""
        fake = self.generator(latent)
        self._d_gradient.zero_()
        d_loss = (
            F.softplus(-self.discriminator(real)).mean()
            + F.softplus(self.discriminator(fake.detach())).mean()
        )
        d_loss.backward(inputs=self.d_weights)
        self._d_adam.update([self._d_gradient])
        self._g_gradient.zero_()
        F.softplus(-self.discriminator(fake)).mean().backward(inputs=self.g_weights)
        self._g_adam.update([self._g_gradient])


class _WithoutAutograd(_ByHand):
    """Derivatives of these networks worked out."""

    def _prepare(self) -> None:
        super()._prepare()
        rows, pixels = self.recipe.batch_size, self.d_weights[0].shape[1]
        wide = len(self.d_weights[0])
        self._images = torch.empty(2 * rows, pixels)
        self._hidden = torch.empty(2 * rows, wide)
        self._g_gradients = [torch.empty_like(weight) for weight in self.g_weights]
        self._d_gradients = [torch.empty_like(weight) for weight in self.d_weights]

    @torch.no_grad()
    def step(self, real: Tensor, latent: Tensor) -> None:
        """Update the discriminator, then the generator."""
        rows = len(real)
        first, first_bias, last, last_bias = self.g_weights
        images, fake = self._images[: 2 * rows], self._images[rows : 2 * rows]
        images[:rows] = real.flatten(1)
        g_hidden = torch.addmm(first_bias, latent, first.T).relu_()
        torch.addmm(last_bias, g_hidden, last.T, out=fake).tanh_()

        hidden, logits = self._judge(images, self._hidden[: 2 * rows])
        slope = logits.sigmoid_()
        slope[:rows] -= 1
        slope /= rows
        d_first, d_first_bias, d_last, d_last_bias = self._d_gradients
        torch.mm(slope.T, hidden, out=d_last)
        torch.sum(slope, 0, out=d_last_bias)
        back = self._through_hidden(slope, hidden)
        torch.mm(back.T, images, out=d_first)
        torch.sum(back, 0, out=d_first_bias)
        self.d_adam.update(self._d_gradients)

        hidden, logits = self._judge(fake, self._hidden[:rows])
        slope = logits.sigmoid_().sub_(1).div_(rows)
        back = self._through_hidden(slope, hidden) @ self.d_weights[0]
        back.addcmul_(back * fake, fake, value=-1)  # the derivative of tanh
        g_first, g_first_bias, g_last, g_last_bias = self._g_gradients
        torch.mm(back.T, g_hidden, out=g_last)
        torch.sum(back, 0, out=g_last_bias)
        back = (back @ last).mul_(g_hidden > 0)
        torch.mm(back.T, latent, out=g_first)
        torch.sum(back, 0, out=g_first_bias)
        self.g_adam.update(self._g_gradients)

    def _judge(self, images: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
        first, first_bias, last, last_bias = self.d_weights
        torch.addmm(first_bias, images, first.T, out=hidden)
        F.leaky_relu_(hidden, _SLOPE)
        return hidden, torch.addmm(last_bias, hidden, last.T)

    def _through_hidden(self, slope: Tensor, hidden: Tensor) -> Tensor:
        back = slope * self.d_weights[2]
        return torch.where(hidden > 0, back, back * _SLOPE)


_WAYS = {"least": _ByHand, "flat": _Flat, "without autograd": _WithoutAutograd}


def _copy(network: nn.Module) -> nn.Module:
    return copy.deepcopy(network)


def check(work: Workload, device: Device) -> float:
    """Train each way for some steps on the same batches.

    Returns:
        The largest difference of a weight from ganbench's, over the learning rate.

    Raises:
        GanbenchError: A way computes something else.
    """
    ours = work.session(device)
    others = [way(work.session(device)) for way in _WAYS.values()]
    for _ in range(_CHECKED_STEPS):
        for loop in (ours, *others):
            loop.advance()
    expected = [
        weight
        for name in ("generator", "discriminator")
        for weight in ours.state.networks[name].parameters()
    ]
    worst = max(
        float((weight.detach() - other.detach()).abs().max())
        for loop in others
        for weight, other in zip(expected, [*loop.g_weights, *loop.d_weights], strict=True)
    )
    if worst > work.recipe.lr_g:  # Adam moves each weight by about as much in a step
        raise GanbenchError(f"the steps do not agree: a weight differs by {worst:.1e}")
    return worst / work.recipe.lr_g


def measure(
    device: Device,
    *,
    rounds: flags.Rounds = 15,
    steps: flags.Steps = 0,
    seconds: flags.Seconds = 2,
    threads: flags.Threads = 0,  # noqa: ARG001 - set by `run`
    tiny: Annotated[bool, typer.Option(help="A small network, to try the command.")] = False,
) -> Report:
    """Measure the four steps in turns."""
    if device.kind != "cpu":
        raise GanbenchError("this compares steps on the CPU: give --device cpu")
    work = Workload.sized("mlp", device, tiny=tiny)
    difference = check(work, device)
    loops: dict[str, Any] = {"ganbench": work.session(device)}
    loops |= {name: way(work.session(device)) for name, way in _WAYS.items()}
    warm = [take(loop, _WARMUP_STEPS, device) for loop in loops.values()]
    steps = steps or steps_in(seconds, *warm)
    turns: dict[str, list[float]] = {name: [] for name in loops}
    for _ in range(rounds):
        for name, loop in loops.items():
            turns[name].append(1000 * take(loop, steps, device).seconds / steps)
    results = [
        {
            "step": name,
            "milliseconds": spread(of_rounds),
            "share_of_ganbench": spread(
                [one / ours for one, ours in zip(of_rounds, turns["ganbench"], strict=True)]
            ),
            "batch_size": work.recipe.batch_size,
            "largest_difference_in_learning_rates": difference,
        }
        for name, of_rounds in turns.items()
    ]
    return Report(
        f"a step of mlp, {rounds} × {steps} steps each",
        ("step", "ms", "share of ganbench's"),
        [
            (row["step"], range_text(row["milliseconds"], ".2f"),
             range_text(row["share_of_ganbench"], ".3f"))
            for row in results
        ],
        results,
    )  # fmt: skip


if __name__ == "__main__":
    run(measure)
