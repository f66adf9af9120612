"""What a loss may know besides the images: the step, latents, labels, the networks by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ganbench.variant.schedule import value_at

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.optim import Optimizer

    from ganbench.variant.recipe import Recipe

__all__ = ["Context", "number_at"]


@dataclass(frozen=True)
class Context:
    """What a loss with a fourth parameter `context` is given.

    A step that is captured as a CUDA graph cannot look at its own number, nor at what follows from
    it (`share`, `every`, `value` of a schedule); such a variant is refused under `--cuda-graphs`.

    Attributes:
        recipe: The numbers of the run.
        networks: `"generator"`, `"discriminator"` and the further networks by name; the losses'
            own state is `"losses"`, the augmentation `"augment"`.
        latent: The latents of the generated images: (batch, latent_dim).
        condition: The condition of each image as the networks take it, or None.
        labels: Class of each image, int64 of shape (batch,), for a variant that has a condition;
            else None.
        generate: Draws images from latents (n, latent_dim), with the condition of the first n.
        position: The step and the share of the budget, behind `step` and `share`.
        optimizers: Of the two updates, `"generator"` and `"discriminator"`, to be looked at alone.
        note_share: Called where a loss asks for the share of the budget.
    """

    recipe: Recipe
    networks: Mapping[str, nn.Module]
    latent: Tensor
    condition: Tensor | None
    labels: Tensor | None
    generate: Callable[[Tensor], Tensor]
    position: Callable[[], tuple[int, float]]
    optimizers: Mapping[str, Optimizer] = field(default_factory=dict)
    note_share: Callable[[], None] = lambda: None

    @property
    def step(self) -> int:
        """Number of the training step, from 1."""
        return self.position()[0]

    @property
    def share(self) -> float:
        """Share of the budget that is used up, in [0, 1]."""
        self.note_share()
        return self.position()[1]

    def every(self, steps: int) -> bool:
        """Whether this is one of each `steps` steps, the first included: for lazy penalties."""
        return (self.step - 1) % steps == 0

    def value(self, name: str) -> float:
        """A number of the recipe at this point of the budget, where it may be a schedule."""
        return number_at(self.recipe, name, lambda: self.share)


def number_at(recipe: Recipe, name: str, share: Callable[[], float]) -> float:
    """A number of a recipe; the share of the budget is asked for only where it is a schedule."""
    number = getattr(recipe, name)
    return value_at(number, share()) if isinstance(number, str) else float(number)
