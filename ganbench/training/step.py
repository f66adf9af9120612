"""One training step: updates of the discriminator, then of the generator; nothing waits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ganbench.errors import ContractError, ExecutionError
from ganbench.training.calls import EAGER_CALLS, Batch, Calls, probe
from ganbench.training.gradient_scaling import update
from ganbench.variant.context import number_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ganbench.training.state import TrainState
    from ganbench.variant.definition import Update
    from ganbench.variant.recipe import Recipe

__all__ = [
    "MEASURES",
    "Batches",
    "Mark",
    "Step",
    "gather",
    "no_mark",
    "prepare_step",
    "run_step",
    "train_step",
]

Mark = Callable[[str], None]

MEASURES = (
    "d_loss",
    "g_loss",
    "d_real",
    "d_fake_before",
    "d_fake_after",
    "d_gradient_norm",
    "g_gradient_norm",
)


@dataclass(frozen=True)
class Batches:
    """What one training step consumes.

    Attributes:
        discriminator: One batch per update of the discriminator, at least one.
        generator: One batch per update of the generator that has latents of its own; where there
            is none, the generator learns from the images of the last discriminator batch.
    """

    discriminator: Sequence[Batch]
    generator: Sequence[Batch] = ()


def gather(
    state: TrainState,
    take: Callable[[int], tuple[Tensor, Tensor | None]],
    latents: torch.Generator,
    conditions: Tensor | None,
) -> Batches:
    """Put together what one training step consumes.

    Args:
        state: Says how many batches of which size.
        take: Gives the real images of the discriminator's update of this number, and their labels
            where there is a condition.
        latents: Where latents are drawn, on the device.
        conditions: As `TrainState.conditions`, on the device.
    """

    def batch(real: Tensor, labels: Tensor | None, count: int) -> Batch:
        condition = None
        if labels is not None and conditions is not None:
            condition = conditions[labels]
        return Batch(real, _latents(state, count, latents), condition, labels)

    recipe, batches = state.recipe, []
    for index in range(recipe.d_steps):
        real, labels = take(index)
        batches.append(batch(real, labels, len(real)))
    if recipe.generator_batch == 1 and recipe.g_steps == 1:
        return Batches(batches)
    times = recipe.generator_batch
    repeated = None if labels is None else labels.repeat(times)
    return Batches(
        batches, [batch(real, repeated, times * len(real)) for _ in range(recipe.g_steps)]
    )


def _latents(state: TrainState, count: int, stream: torch.Generator) -> Tensor:
    """Latents; where several processes share the run, own rows of those of the whole batch."""
    ranks = state.ranks
    if ranks is None:
        return state.latents(count, stream)
    whole = state.latents(count * ranks.count, stream)
    return ranks.own(whole, state.share_of_batch).contiguous()


def no_mark(_phase: str) -> None:
    """For steps that are not split into phases."""


class Step:
    """A training step of a run: what a variant's own `step` is made of.

    The usual step is `step.alternate(batches)`. A step of one's own draws images, updates the two
    networks in any order, and records what it wants to see:

        def step(step: ganbench.Step, batches: ganbench.Batches) -> None:
            for batch in batches.discriminator:
                step.update_discriminator(batch)
            step.update_generator(batches.discriminator[-1])

    The moving average follows after it. Each of the two updates must run at least once. `position`
    and `finish` are for ganbench itself.

    Args:
        state: Changed in place.
        number: Number of the step, from 1.
        share: Share of the budget that is used up, in [0, 1].
        measure: Whether the numbers named in `MEASURES` are wanted.
        mark: Called with the name of each phase when it ends, as of `train_step`.
        calls: How networks and losses are called.
        is_captured: Whether the step is recorded, to be replayed whatever its number.
    """

    def __init__(
        self,
        state: TrainState,
        *,
        number: int = 1,
        share: float = 0.0,
        measure: bool = False,
        mark: Mark = no_mark,
        calls: Calls = EAGER_CALLS,
        is_captured: bool = False,
    ) -> None:
        self._state = state
        self._position = (number, share)
        self._measure = measure
        self._mark = mark
        self._calls = calls
        self._is_captured = is_captured
        self.values: dict[str, Tensor] = {}

    # --- What a step can look at

    @property
    def recipe(self) -> Recipe:
        """The numbers of the run."""
        return self._state.recipe

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """All networks by name."""
        return self._state.networks

    @property
    def number(self) -> int:
        """Number of the step, from 1."""
        return self.position()[0]

    @property
    def share(self) -> float:
        """Share of the budget that is used up, in [0, 1]."""
        self._state.note_share()
        return self.position()[1]

    def position(self) -> tuple[int, float]:
        """Number of the step and share of the budget.

        Raises:
            ExecutionError: The step is captured, and would have them as constants.
        """
        if self._is_captured:
            raise ExecutionError(
                "its losses or its step look at the number of the step or the share of the budget, "
                "which a captured step cannot follow"
            )
        return self._position

    def value(self, name: str) -> float:
        """A number of the recipe at this point of the budget, where it may be a schedule."""
        return number_at(self.recipe, name, lambda: self.share)

    # --- What a step is made of

    def draw(self, batch: Batch) -> Tensor:
        """Images of the generator from a batch's latents, with their graph."""
        return self._calls.draw(self._state, batch.latent, batch.condition)

    def update_discriminator(self, batch: Batch, fake: Tensor | None = None) -> None:
        """Update what the discriminator's update trains.

        Args:
            batch: Real images, latents, condition and labels.
            fake: Images drawn from the latents before; drawn here, without a graph, if left out.
        """
        state = self._state
        if fake is None:
            with torch.no_grad():
                fake = self.draw(batch)
        fake = fake.detach()
        with self._frozen("generator"):
            loss, on_real, on_fake, scalars = self._calls.d_objective(
                state, batch, fake, self.position
            )
            self._check(loss, "d_loss")
            if self._measure and (on_real is None or on_fake is None):
                self._mark("discriminator")
                on_real = probe(state, batch, batch.real) if on_real is None else on_real
                on_fake = probe(state, batch, fake) if on_fake is None else on_fake
                self._mark("measures")
            scaling = state.scaling
            optimizer = state.optimizers["discriminator"]
            scaler = scaling.discriminator if scaling else None
            update(loss, optimizer, scaler, state.ranks)
        if state.recipe.weight_clip:
            self._clip(state.recipe.weight_clip)
        self.record(**scalars)
        self._mark("discriminator")
        if self._measure:
            self._note("d_loss", loss)
            self._note("d_real", on_real, is_output=True)
            self._note("d_fake_before", on_fake, is_output=True)
            self._note("d_gradient_norm", self._gradient_norm("discriminator"))
            self._mark("measures")

    def update_generator(self, batch: Batch, fake: Tensor | None = None) -> None:
        """Update what the generator's update trains; the discriminator's side is held.

        Args:
            batch: As for the discriminator.
            fake: Images drawn from the latents before, with their graph; drawn here if left out.
        """
        state = self._state
        if fake is None:
            fake = self.draw(batch)
        with self._frozen("discriminator"):
            loss, _, on_fake, scalars = self._calls.g_objective(state, batch, fake, self.position)
            self._check(loss, "g_loss")
            if self._measure and on_fake is None:
                self._mark("generator")
                on_fake = probe(state, batch, fake.detach())
                self._mark("measures")
            scaling = state.scaling
            scaler = scaling.generator if scaling else None
            update(loss, state.optimizers["generator"], scaler, state.ranks)
        self.record(**scalars)
        self._mark("generator")
        if self._measure:
            self._note("g_loss", loss)
            self._note("d_fake_after", on_fake, is_output=True)
            self._note("g_gradient_norm", self._gradient_norm("generator"))
            self._mark("measures")

    def alternate(self, batches: Batches) -> None:
        """Update the discriminator once per batch, then the generator.

        The generator learns from the images of the last batch and the discriminator as it is
        after its update, unless it has batches of its own.
        """
        *earlier, last = batches.discriminator
        for batch in earlier:
            self.update_discriminator(batch)
        if batches.generator:
            self.update_discriminator(last)
            for batch in batches.generator:
                self.update_generator(batch)
            return
        fake = self.draw(last)
        self.update_discriminator(last, fake)
        self.update_generator(last, fake)

    def record(self, **scalars: Tensor) -> None:
        """Keep scalar tensors, by name, for history.csv and the charts; nothing waits for them."""
        for name, value in scalars.items():
            if name in MEASURES:
                raise ContractError(f"a scalar cannot have the name {name!r}, which is ganbench's")
            self.values[name] = value.detach()

    # --- What it does for them

    @contextmanager
    def _frozen(self, side: Update) -> Iterator[None]:
        """Hold what one update trains while gradients of the other one pass through it."""
        state = self._state
        if side == "generator" and len(state.networks) == 2:  # noqa: PLR2004 - d_loss reaches none of it
            yield
            return
        held = [weight for weight in state.parameters_of(side) if weight.requires_grad]
        for weight in held:
            weight.requires_grad = False
        try:
            yield
        finally:
            for weight in held:
                weight.requires_grad = True

    @torch.no_grad()
    def _clip(self, most: float) -> None:
        weights: list[Tensor] = list(self._state.parameters_of("discriminator"))
        torch._foreach_clamp_min_(weights, -most)
        torch._foreach_clamp_max_(weights, most)

    def _gradient_norm(self, side: Update) -> Tensor:
        weights = self._state.parameters_of(side)
        gradients = [weight.grad for weight in weights if weight.grad is not None]
        return torch.nn.utils.get_total_norm(gradients)

    def _note(self, name: str, value: Tensor | None, *, is_output: bool = False) -> None:
        """Keep a measure; of outputs the mean, of logits that of their sigmoid."""
        if value is None:
            return
        if is_output:
            value = (value.sigmoid() if self._state.is_logit else value).mean()
        self.values[name] = value.detach().float()

    @staticmethod
    def _check(loss: Any, name: str) -> None:
        if not isinstance(loss, Tensor) or loss.shape != ():
            given = tuple(loss.shape) if isinstance(loss, Tensor) else type(loss).__name__
            raise ContractError(f"{name} must return a scalar tensor, and gives {given}")

    def finish(self) -> dict[str, Tensor]:
        """Move the average, and give what was recorded."""
        state = self._state
        if state.average is not None:
            state.average.update(state.networks)
            self._mark("average")
        if self._measure:
            missing = [name for name in MEASURES if name not in self.values]
            if missing:
                raise ContractError(
                    "the variant's own step must call update_discriminator and update_generator: "
                    f"{', '.join(missing)} is missing"
                )
        return self.values


def train_step(
    state: TrainState,
    batches: Batches,
    *,
    number: int = 1,
    share: float = 0.0,
    measure: bool = False,
    mark: Mark = no_mark,
    calls: Calls = EAGER_CALLS,
) -> dict[str, Tensor]:
    """Do one training step: the variant's own, or the usual alternation.

    Args:
        state: Changed in place.
        batches: What the step consumes.
        number: Number of the step, from 1.
        share: Share of the budget that is used up, in [0, 1].
        measure: Whether to compute the numbers named in `MEASURES`.
        mark: Called with the name of each phase when it ends: `discriminator` (drawing the images
            that it sees included), `generator`, `average` where there is one, and `measures`, which
            is all that is computed for the history alone. A phase may come in several parts.
        calls: How networks and losses are called.

    Returns:
        Scalar tensors on the device by name: what the losses and the step recorded, and the
        measures if they are wanted.
    """
    prepare_step(state, number, share)
    return run_step(
        state, batches, number=number, share=share, measure=measure, mark=mark, calls=calls
    )


def prepare_step(state: TrainState, number: int, share: float) -> None:
    """Give the numbers that change over the budget their values for a step."""
    state.schedules.set(share)
    if state.average is not None:
        state.average.set(number, share)


def run_step(state: TrainState, batches: Batches, **options: Any) -> dict[str, Tensor]:
    """Do the part of a step that can be captured; options as those of `Step`."""
    step = Step(state, **options)
    alone = nullcontext()
    with alone if state.ranks is None else state.ranks.together(state.share_of_batch):
        if state.own_step is None:
            step.alternate(batches)
        else:
            state.own_step(step, batches)
    return step.finish()
