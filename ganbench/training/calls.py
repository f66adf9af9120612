"""How a step calls networks and losses: number format, condition, packing, augmentation."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Self

import torch
from torch import Tensor, nn

from ganbench.errors import ContractError
from ganbench.variant.context import Context
from ganbench.variant.definition import LossOutput

if TYPE_CHECKING:
    from ganbench.training.state import TrainState

__all__ = ["EAGER_CALLS", "Batch", "Calls", "forward", "probe", "takes_context"]

Position = Callable[[], tuple[int, float]]
Objective = tuple[Tensor, Tensor | None, Tensor | None, Mapping[str, Tensor]]

_AS_IT_IS = nullcontext()


@dataclass(frozen=True)
class Batch:
    """What one update consumes, on the device.

    Attributes:
        real: float32 images in [-1, 1] of shape (batch, channels, size, size), or points of shape
            (batch, dimensions).
        latent: float32 of shape (count, latent_dim); a generator's batch may hold a multiple.
        condition: As the networks take it, one row per latent, or None.
        labels: Class of each latent's image, int64 of shape (count,), or None.
    """

    real: Tensor
    latent: Tensor
    condition: Tensor | None = None
    labels: Tensor | None = None


def takes_context(loss: Callable[..., Any]) -> bool:
    """Whether a loss has a parameter named `context`."""
    try:
        return "context" in inspect.signature(loss).parameters
    except (TypeError, ValueError):  # a callable that does not tell
        return False


def _format(state: TrainState, images: Tensor) -> AbstractContextManager[Any]:
    """The number format of the networks' arithmetic; losses stay float32."""
    if state.autocast is None:
        return _AS_IT_IS
    return torch.autocast(images.device.type, state.autocast)


def _draw(state: TrainState, latent: Tensor, condition: Tensor | None) -> Tensor:
    """Images of the generator in training."""
    given = (condition,) if condition is not None and state.gives_condition("generator") else ()
    with _format(state, latent):
        fake: Tensor = state.networks["generator"](latent, *given)
    return fake.float()


def _packed(values: Tensor, count: int) -> Tensor:
    """Join each `count` rows along the second dimension."""
    if count == 1:
        return values
    return values.reshape(len(values) // count, count * values.shape[1], *values.shape[2:])


def _discriminate(
    state: TrainState,
    images: Tensor,
    further: tuple[Tensor, ...],
    condition: Tensor | None,
    networks: Mapping[str, Callable[..., Any]] | None = None,
) -> Any:
    """Outputs of the discriminator network on images, augmented and packed as the recipe says."""
    networks = state.networks if networks is None else networks
    if "augment" in networks:
        images = networks["augment"](images)
    inputs = [_packed(values, state.recipe.packing) for values in (images, *further)]
    given = (condition,) if condition is not None else ()
    return _float(networks["discriminator"](*inputs, *given))


def _float(outputs: Any) -> Any:
    """Outputs in float32, whatever the format of the arithmetic; a tuple's one by one."""
    if isinstance(outputs, Tensor):
        return outputs.float()
    if isinstance(outputs, tuple | list):
        return tuple(_float(output) for output in outputs)
    return outputs


def _with(network: nn.Module, weights: Mapping[str, Tensor], *inputs: Tensor) -> Any:
    """Call a network with other weights by name, and copies of its buffers: it stays as it is."""
    copies = {name: held.clone() for name, held in network.named_buffers()}
    return torch.func.functional_call(network, {**copies, **weights}, inputs)


class _Discriminator:
    """The discriminator that a loss is given: bound to the condition of the step's images."""

    def __init__(
        self, state: TrainState, condition: Tensor | None, call: Callable[..., Any]
    ) -> None:
        self._state = state
        self._condition = condition if state.gives_condition("discriminator") else None
        self._call = call

    def __call__(
        self, images: Tensor, *further: Tensor, weights: Mapping[str, Tensor] | None = None
    ) -> Any:
        condition = self._condition
        if condition is not None and len(condition) != len(images):
            condition = condition[: len(images)]
        if weights is None:
            return self._call(self._state, images, further, condition)
        networks: dict[str, Callable[..., Any]] = {
            **self._state.networks,
            "discriminator": partial(_with, self._state.networks["discriminator"], weights),
        }
        return _discriminate(self._state, images, further, condition, networks)


def _no_position() -> tuple[int, float]:
    """For losses without a context; always the same function, so that nothing is compiled anew."""
    raise ContractError("a loss looks at the step without a parameter `context`")


def _objective(
    state: TrainState,
    name: str,
    batch: Batch,
    fake: Tensor,
    position: Position,
    call: Callable[..., Any] = _discriminate,
) -> Objective:
    """A loss: its value, the discriminator's outputs on real and generated images, and scalars."""
    discriminator = _Discriminator(state, batch.condition, call)
    loss_function = getattr(state.losses, name)
    with _format(state, fake):
        if state.losses_take_context[name]:
            output = loss_function(
                discriminator, batch.real, fake, context=_context(state, batch, position)
            )
        else:
            output = loss_function(discriminator, batch.real, fake)
    if isinstance(output, LossOutput):
        return output.loss, output.real, output.fake, output.scalars
    return output, None, None, {}


def _context(state: TrainState, batch: Batch, position: Position) -> Context:
    """What a loss may know besides the images."""

    def generate(latent: Tensor) -> Tensor:
        condition = batch.condition
        return _draw(state, latent, None if condition is None else condition[: len(latent)])

    return Context(
        recipe=state.recipe,
        networks=state.networks,
        latent=batch.latent,
        condition=batch.condition,
        labels=batch.labels,
        generate=generate,
        position=position,
        optimizers=state.optimizers,
        note_share=state.note_share,
    )


@dataclass(frozen=True)
class Calls:
    """The differentiable parts of a step, compiled or not.

    A loss that takes a context may look at the step's number, which a compiled one would have as
    a constant: it stays as it is, and only the networks that it calls are compiled.
    """

    draw: Callable[..., Tensor] = _draw
    discriminate: Callable[..., Any] = _discriminate
    objective: Callable[..., Objective] = _objective

    @classmethod
    def compiled(cls) -> Self:
        """Translate each by `torch.compile` when it is called first."""
        torch.compiler.reset()  # what other networks left would count against a limit
        translate = partial(torch.compile, dynamic=False)
        return cls(translate(_draw), translate(_discriminate), translate(_objective))

    def d_objective(
        self, state: TrainState, batch: Batch, fake: Tensor, position: Position
    ) -> Objective:
        """The discriminator's loss on images that are detached from the generator."""
        return self._of(state, "d_loss", batch, fake, position)

    def g_objective(
        self, state: TrainState, batch: Batch, fake: Tensor, position: Position
    ) -> Objective:
        """The generator's loss."""
        return self._of(state, "g_loss", batch, fake, position)

    def _of(
        self, state: TrainState, name: str, batch: Batch, fake: Tensor, position: Position
    ) -> Objective:
        if state.losses_take_context[name]:
            return _objective(state, name, batch, fake, position, self.discriminate)
        return self.objective(state, name, batch, fake, _no_position)


EAGER_CALLS = Calls()


def forward(state: TrainState, batch: Batch) -> None:
    """Call the generator and both losses once, without an update: gives lazy modules a shape."""
    fake = EAGER_CALLS.draw(state, batch.latent, batch.condition)
    for objective in (EAGER_CALLS.d_objective, EAGER_CALLS.g_objective):
        objective(state, batch, fake, lambda: (1, 0.0))


def probe(state: TrainState, batch: Batch, images: Tensor) -> Tensor:
    """The discriminator's outputs on images, asked apart for a loss that does not return them.

    Leaves no trace: buffers are copies, and the host's random numbers are put back.

    Raises:
        ContractError: It cannot be asked by images alone.
    """
    copies: dict[str, Callable[..., Any]] = {
        name: partial(_with, state.networks[name], {})
        for name in ("augment", "discriminator")
        if name in state.networks
    }
    random = torch.get_rng_state()
    call = partial(_discriminate, networks=copies)
    discriminator = _Discriminator(state, batch.condition, call)
    try:
        with torch.no_grad(), _format(state, images):
            outputs = discriminator(images)
    except Exception as error:
        raise ContractError(
            "the losses do not return the discriminator's outputs, and it cannot be asked for them "
            f"by images alone ({type(error).__name__}: {error}): return a ganbench.LossOutput"
        ) from error
    finally:
        torch.set_rng_state(random)
    if not isinstance(outputs, Tensor):
        raise ContractError(
            "the discriminator returns several outputs: the losses must say which are logits or "
            "scores by returning a ganbench.LossOutput"
        )
    return outputs.detach()
