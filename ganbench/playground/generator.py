"""A trained generator that is played with: what it takes, and its images at places."""

from __future__ import annotations

import dataclasses
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import nn

from ganbench.errors import ContractError, UsageError
from ganbench.experiment.load_trained import load_trained
from ganbench.machine.random_streams import generator
from ganbench.playground.directions import base_count, principal_directions
from ganbench.playground.places import MOST_MOVES, SAMPLES, Place, latents_at
from ganbench.playground.truncation import (
    TruncatedMapping,
    Truncation,
    mean_style,
    truncation_of,
)
from ganbench.scoring import draw
from ganbench.variant.text import tokenize

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor

    from ganbench.machine.device import Device
    from ganbench.playground.choices import Choice
    from ganbench.training.state import TrainState
    from ganbench.variant.definition import DatasetSpec

__all__ = ["Generator", "Wanted"]

_NOISE_SEED = 0


class Wanted(BaseModel):
    """What is to be drawn, besides where in latent space.

    Attributes:
        label: A class, by its number; None for all in turn.
        prompt: A text; None or empty for none.
        truncation: By how much latents are scaled, 0 to 2; 1 leaves them as they are.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: int | None = Field(None, ge=0)
    prompt: str | None = Field(None, max_length=500)
    truncation: float = Field(1.0, ge=0, le=2)


class Generator:
    """A trained generator on a device. Not for several threads at once.

    Args:
        choice: Which one.
        device: Where it goes.

    Raises:
        UsageError: It cannot be loaded.
    """

    def __init__(self, choice: Choice, device: Device) -> None:
        state, spec = load_trained(choice.run, device, best=choice.best, files=choice.files)
        # All but the network that draws is let go: it takes most of the memory
        networks: dict[str, nn.Module] = {"generator": state.sampler.eval()}
        self.state: TrainState = dataclasses.replace(
            state, networks=networks, optimizers={}, average=None, scaling=None
        )
        self.spec: DatasetSpec = spec
        self.choice = choice
        self._device = device

    @property
    def latent_dim(self) -> int:
        """Entries of a latent."""
        return self.state.recipe.latent_dim

    @cached_property
    def truncation(self) -> Truncation:
        """How its latents are truncated."""
        return truncation_of(self.state)

    @property
    def takes_class(self) -> bool:
        """Whether it draws a class that is chosen by its number."""
        return self._table is not None

    @property
    def takes_prompt(self) -> bool:
        """Whether it draws a text."""
        condition = self.state.condition
        return (
            condition is not None
            and condition.encode is not None
            and (condition.use == "latent" or self.state.takes_condition)
        )

    @property
    def prompt_is_latent(self) -> bool:
        """Whether a prompt takes the place of the latent."""
        return self.takes_prompt and self._table is None

    @cached_property
    def _table(self) -> Tensor | None:
        """What it is given for each class; None where it takes no condition."""
        return self.state.conditions(self.spec) if self.state.takes_condition else None

    def labels(self, places: Sequence[Place], wanted: Wanted) -> list[int | None]:
        """The class that each image is drawn as; None where it takes none, or draws a prompt."""
        if self._table is None or wanted.prompt:
            return [None] * len(places)
        if wanted.label is not None:
            return [wanted.label] * len(places)
        return [place.index % len(self._table) for place in places]

    def unknown_words(self, prompt: str | None) -> list[str]:
        """Words of a prompt that are in no caption of the dataset, each once."""
        words = dict.fromkeys(tokenize(prompt or ""))
        return [word for word in words if word not in self.spec.vocabulary]

    def check(self, wanted: Wanted) -> None:
        """Refuse what this generator cannot draw.

        Raises:
            UsageError: It takes no class or no prompt, there is no such class, or its latents
                cannot be truncated.
        """
        if wanted.prompt and not self.takes_prompt:
            raise UsageError(f"{self.choice.run.result.variant} takes no prompt: leave it out")
        if wanted.label is not None and not self.takes_class:
            raise UsageError(f"{self.choice.run.result.variant} takes no class: leave it out")
        count = len(self.spec.class_names)
        if wanted.label is not None and wanted.label >= count:
            raise UsageError(f"class {wanted.label} was asked for: allowed are 0 to {count - 1}")
        if wanted.truncation != 1 and self.truncation.kind == "none":
            raise UsageError(f"truncation makes no sense here: {self.truncation.said}")

    def draw(
        self, places: Sequence[Place], wanted: Wanted, along: Generator | None = None
    ) -> Tensor:
        """Draw images, or points.

        Args:
            places: At least one.
            wanted: What to draw there.
            along: Whose directions places are moved along, with latents of the same size; its own
                if left out.

        Returns:
            uint8 of shape (places, channels, size, size), or float32 (places, dimensions), on the
            CPU.

        Raises:
            UsageError: It cannot draw what is wanted.
            ContractError: It draws what is not finite.
        """
        self.check(wanted)
        moved = any(any(place.moves) for place in places)
        directions = (along or self).directions[0] if moved else None
        latents = latents_at(self.state, places, directions)
        conditions = None
        if wanted.prompt and self.state.condition is not None:
            encoded = self.state.condition.encode_text(wanted.prompt).expand(len(places), -1)
            if self.prompt_is_latent:
                latents = encoded
            else:
                conditions = encoded
        elif self._table is not None:
            chosen = self.labels(places, wanted)
            conditions = self._table[torch.tensor([label or 0 for label in chosen])]
        state = self.state
        if self.truncation.kind == "latent" and not (wanted.prompt and self.prompt_is_latent):
            latents = latents * wanted.truncation
        elif self.truncation.kind == "mapping" and wanted.truncation != 1:
            truncated = TruncatedMapping(state.sampler, self._mean_style, wanted.truncation)
            state = dataclasses.replace(state, networks={"generator": truncated.eval()})
        with _same_noise():
            return draw.draw(state, self._device, latents, conditions)

    @cached_property
    def _mean_style(self) -> Tensor:
        return mean_style(self.state, self._device.torch)

    @cached_property
    def directions(self) -> tuple[Tensor, Tensor]:
        """Directions along which its images change most, and each one's share of all change.

        float32 of shape (k, latent_dim) and (k,); they take a second to a minute once.
        """
        drawn = self.state.latents(SAMPLES, generator(0, "directions"))
        bases = drawn[: base_count(self.latent_dim)]
        further: list[Tensor] = []
        if self._table is not None:
            further.append(draw.in_turn(self._table, len(bases)).to(self._device.torch))

        def draw_floats(latents: Tensor) -> Tensor:
            with _same_noise(), torch.inference_mode():
                pixels: Any = self.state.sampler(latents.to(self._device.torch), *further)
            if not bool(pixels.isfinite().all()):
                raise ContractError("the generator draws pixels that are not finite")
            bounded: Tensor = pixels.clamp(-1, 1) if self.state.form.is_bounded else pixels
            return bounded

        return principal_directions(draw_floats, bases, MOST_MOVES, float(drawn.std()))


@contextmanager
def _same_noise() -> Iterator[None]:
    """Let a generator that draws noise of its own draw the same each time, inside a `with`."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_NOISE_SEED)
        yield
