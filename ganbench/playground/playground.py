"""What the page asks for, and the answers: generators are loaded when they are first used."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ganbench.errors import UsageError
from ganbench.playground import pictures
from ganbench.playground.generator import Generator, Wanted
from ganbench.playground.neighbours import By, TrainingImages
from ganbench.playground.places import SAMPLES, Place
from ganbench.visible import visible, visible_values

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ganbench.machine.device import Device
    from ganbench.playground.choices import Choice

__all__ = ["DrawAsked", "LoadAsked", "NearestAsked", "PictureAsked", "Playground"]

_MOST_LOADED = 4
_MOST_NAMES = 1000  # classes and words that are listed


class _Asked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LoadAsked(_Asked):
    """A generator, by its key."""

    run: str = Field(max_length=20)


class DrawAsked(LoadAsked):
    """Images of a generator at places; `along` is the key of that whose directions are taken."""

    places: tuple[Place, ...] = Field(min_length=1, max_length=SAMPLES)
    wanted: Wanted = Wanted()
    along: str | None = Field(None, max_length=20)


class NearestAsked(LoadAsked):
    """The training images nearest to the one at a place."""

    place: Place
    wanted: Wanted = Wanted()
    along: str | None = Field(None, max_length=20)
    by: By = "auto"
    count: int = Field(6, ge=1, le=24)


class PictureAsked(_Asked):
    """A picture to save, of one generator or of two side by side."""

    parts: tuple[DrawAsked, ...] = Field(min_length=1, max_length=2)
    kind: Literal["png"] = "png"


class Playground:
    """All generators of a page. Requests of several threads wait for each other.

    Args:
        choices: What there is to choose from.
        device: Where generators go.
        data_root: Where datasets are.
        cache_root: Where classifiers and features are kept.
    """

    def __init__(
        self, choices: Sequence[Choice], device: Device, data_root: Path, cache_root: Path
    ) -> None:
        self._choices = {choice.key: choice for choice in choices}
        self._device = device
        self._roots = data_root, cache_root
        self._loaded: OrderedDict[str, Generator] = OrderedDict()
        self._training: dict[tuple[str, str], TrainingImages] = {}
        self._lock = threading.Lock()

    def runs(self) -> dict[str, Any]:
        """What there is to choose from, and the device."""
        listed = [
            {
                "key": choice.key,
                "title": choice.title,
                "id": visible(choice.run.result.run_id),
                "dataset": visible(choice.run.result.dataset),
                "problem": visible(choice.problem),
            }
            for choice in self._choices.values()
        ]
        return {"runs": listed, "device": self._device.kind}

    def load(self, asked: LoadAsked) -> dict[str, Any]:
        """Load a generator, and say what it takes.

        Raises:
            UsageError: It cannot be loaded.
        """
        with self._lock:
            generator = self._generator(asked.run)
        spec, condition = generator.spec, generator.state.condition
        answer: dict[str, Any] = {
            "title": generator.choice.title,
            "dataset": spec.name,
            "kind": spec.kind,
            "shape": spec.shape(generator.state.recipe.image_size),
            "latent_dim": generator.latent_dim,
            "latent": generator.state.recipe.latent
            if generator.state.latent_sampler is None
            else "own",
            "classes": spec.class_names[:_MOST_NAMES] if generator.takes_class else [],
            "takes_prompt": generator.takes_prompt,
            "prompt_is_latent": generator.prompt_is_latent,
            "captions": spec.captions[:_MOST_NAMES] if generator.takes_prompt else [],
            "truncation": {"kind": generator.truncation.kind, "said": generator.truncation.said},
            "average": generator.choice.run.result.ema is True,
            "plane": pictures.plane(spec),
            "conditional": condition is not None,
        }
        shown: dict[str, Any] = visible_values(answer)
        return shown

    def directions(self, asked: LoadAsked) -> dict[str, Any]:
        """Find the directions of a generator, and say how much of all change each one makes."""
        with self._lock:
            _, shares = self._generator(asked.run).directions
        return {"shares": [round(float(share), 4) for share in shares]}

    def draw(self, asked: DrawAsked) -> dict[str, Any]:
        """Draw images as PNG, or points on their plane."""
        with self._lock:
            generator = self._generator(asked.run)
            drawn = generator.draw(asked.places, asked.wanted, self._along(asked.along, generator))
        spec = generator.spec
        labels = generator.labels(asked.places, asked.wanted)
        answer: dict[str, Any] = {
            "classes": [None if label is None else spec.class_names[label] for label in labels],
            "unknown": generator.unknown_words(asked.wanted.prompt),
        }
        answer = visible_values(answer)
        if spec.kind == "points":
            answer["points"] = pictures.points_on_plane(spec, drawn)
        else:
            answer["images"] = [pictures.data_url(image) for image in drawn]
        return answer

    def nearest(self, asked: NearestAsked) -> dict[str, Any]:
        """Find the training images nearest to a generated one."""
        with self._lock:
            generator = self._generator(asked.run)
            along = self._along(asked.along, generator)
            drawn = generator.draw([asked.place], asked.wanted, along)[0]
            near = self._training_images(generator.choice).nearest(drawn, asked.by, asked.count)
        answer: dict[str, Any] = {
            "said": visible(near.said),
            "rows": near.rows.tolist(),
            "distances": [float(f"{float(distance):.3g}") for distance in near.distances],
            "classes": list(visible_values(near.classes)),
        }
        if generator.spec.kind == "points":
            answer["points"] = pictures.points_on_plane(generator.spec, near.images)
        else:
            answer["sample"] = pictures.data_url(drawn)
            answer["images"] = [pictures.data_url(image) for image in near.images]
        return answer

    def picture(self, asked: PictureAsked) -> bytes:
        """A PNG of what one or two generators draw, which says what it shows in its text field."""
        drawn, said = [], []
        with self._lock:
            for part in asked.parts:
                generator = self._generator(part.run)
                along = self._along(part.along, generator)
                title = generator.choice.title
                if part.wanted.prompt:
                    title += f" · {part.wanted.prompt}"
                if part.wanted.truncation != 1:
                    title += f" · truncation {part.wanted.truncation:g}"
                drawn.append(
                    (title, generator.spec, generator.draw(part.places, part.wanted, along))
                )
                said.append(
                    visible(f"{generator.choice.run.result.run_id} {part.model_dump_json()}")
                )
        return pictures.as_png(pictures.sheet(drawn), "\n".join(said))

    def _generator(self, key: str) -> Generator:
        """A loaded generator; the one that was not used for longest makes room for a new one."""
        choice = self._choices.get(key)
        if choice is None:
            raise UsageError(f"there is no run {key!r} on this page: load it again")
        if choice.problem:
            raise UsageError(choice.problem)
        if key not in self._loaded:
            self._loaded[key] = Generator(choice, self._device)
            while len(self._loaded) > _MOST_LOADED:
                self._loaded.popitem(last=False)
        self._loaded.move_to_end(key)
        return self._loaded[key]

    def _along(self, key: str | None, generator: Generator) -> Generator:
        """The generator whose directions another one is moved along: its own where sizes differ."""
        if key is None:
            return generator
        other = self._generator(key)
        return other if other.latent_dim == generator.latent_dim else generator

    def _training_images(self, choice: Choice) -> TrainingImages:
        result = choice.run.result
        size = result.recipe.get("image_size")
        key = result.dataset, str(size) if result.dataset.startswith("imagefolder:") else ""
        if key not in self._training:
            self._training[key] = TrainingImages(choice.run, *self._roots, self._device.torch)
        return self._training[key]
