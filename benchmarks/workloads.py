"""The work of the benchmarks: random images in memory, and sessions as in `ganbench run`.

The speed of a step hardly depends on what the images show, so uint8 noise of a dataset's shape
stands for the dataset, and nothing is downloaded.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

from ganbench import data
from ganbench.data.dataset import Split, resize
from ganbench.data.noise import noise, noise_count
from ganbench.experiment.plan import Job
from ganbench.launch.resources import build_session
from ganbench.scoring.backbones.classifier_network import Classifier, ClassifierNetwork
from ganbench.training.execution import EAGER, Execution
from ganbench.training.session import MEASURED_AT_FIRST, Session
from ganbench.training.state import TrainState
from ganbench.variant import registry
from ganbench.variant.budget import Budget

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ganbench.machine.device import Device
    from ganbench.variant.definition import DatasetSpec, Recipe, Variant

__all__ = [
    "MOST_IMAGES",
    "NEVER",
    "Workload",
    "built_in",
    "random_inception_weights",
    "untrained_classifier",
]

MOST_IMAGES = 60_000
NEVER = Budget(1e12, "steps")
_LARGEST_BATCH_ON_CPU = 64
_TINY = {"batch_size": 4, "generator_width": 4, "discriminator_width": 4}
_TINY_IMAGES = 16
_TINY_SIZE = 32  # pixels


def built_in() -> list[str]:
    """Names of the built-in variants, as the registry lists them."""
    return [entry.name for entry in registry.entries() if entry.kind == "built-in"]


_noise = lru_cache(maxsize=4)(noise)


def untrained_classifier(channels: int, size: int, device: Device) -> Classifier:
    """A classifier of ten classes with its initial weights."""
    network = ClassifierNetwork(channels, size, 10).eval().requires_grad_(requires_grad=False)
    network.to(device.torch).to(memory_format=torch.channels_last)
    return Classifier(network, accuracy=0.1, kept=1.0, hash="random")


class _UntrainedInception(FeatureExtractorInceptionV3):  # type: ignore[misc]  # ships no types
    """Inception that ignores weights from a file."""

    def load_state_dict(self, *_weights: object) -> None:
        """Keep the initial weights."""


def random_inception_weights(folder: Path) -> Path:
    """Write a file of random weights for inception, the same each time.

    Activations neither grow nor vanish from layer to layer.
    """
    file = folder / "inception.pth"
    torch.save({}, file)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        network = _UntrainedInception("random", ["2048"], str(file))
        for module in network.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)
            elif isinstance(module, nn.BatchNorm2d):
                nn.init.uniform_(module.running_var, 0.5, 1.5)
                nn.init.normal_(module.bias, 0, 0.1)
    torch.save(network.state_dict(), file)
    return file


@lru_cache(maxsize=4)
def _resized(count: int, channels: int, native_size: int, size: int) -> Split:
    split = _noise(count, channels, native_size)
    return Split(resize(split.images, size), split.labels)


@dataclass(frozen=True)
class Workload:
    """A variant with its numbers and its images.

    Attributes:
        name: Name of the variant, as on the command line.
        variant: The variant, from the registry.
        recipe: Its numbers.
        spec: Its default dataset, with as many training images as are used here.
        request: The variant as it was asked for, for example a path.
        source_hash: Hash of the variant's source text.
    """

    name: str
    variant: Variant
    recipe: Recipe
    spec: DatasetSpec
    request: str
    source_hash: str

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as the arguments of `of`, since a variant may come from a file."""
        return Workload.of, (self.request, self.recipe.model_dump(), self.spec.train_count)

    @classmethod
    def of(
        cls, name: str, settings: Mapping[str, Any] | None = None, images: int = MOST_IMAGES
    ) -> Workload:
        """Take a variant with its default recipe, changed by `settings`.

        Args:
            name: Name of the variant.
            settings: Numbers of the recipe to replace.
            images: The most images of the training split; fewer where the dataset has fewer, or
                where they would take more than 128 MiB at the size of the recipe.

        Raises:
            UsageError: The variant, a key or a value is unknown or not allowed.
        """
        (entry,) = registry.resolve([name])
        recipe = entry.variant.recipe.override(settings or {})
        spec = data.describe(recipe.dataset, Path())
        count = min(images, noise_count(spec, recipe.image_size))
        spec = dataclasses.replace(spec, train_count=count)
        return cls(entry.name, entry.variant, recipe, spec, name, entry.source_hash)

    @classmethod
    def sized(cls, name: str, device: Device, *, tiny: bool) -> Workload:
        """Take a variant for a benchmark: its recipe, or a tiny one for a smoke test.

        On the CPU a batch holds at most 64 images: a recipe's 1,024 would take minutes per step.
        """
        full = cls.of(name)
        if tiny:
            size = min(full.recipe.image_size, _TINY_SIZE)
            return cls.of(name, {**_TINY, "image_size": size}, _TINY_IMAGES)
        if device.kind == "cpu" and full.recipe.batch_size > _LARGEST_BATCH_ON_CPU:
            return cls.of(name, {"batch_size": _LARGEST_BATCH_ON_CPU})
        return full

    @property
    def native(self) -> Split:
        """The training split as the dataset stores it."""
        return _noise(self.spec.train_count, self.spec.channels, self.spec.native_size)

    def job(self, device: Device, steps: int = 1, execution: Execution = EAGER) -> Job:
        """The record of a run of `steps` steps."""
        return Job(
            variant=self.name,
            title=self.variant.title,
            request=self.request,
            source_hash=self.source_hash,
            recipe=self.recipe.model_dump(),
            spec=self.spec,
            seed=0,
            budget=Budget(steps, "steps"),
            sample_every=NEVER,
            device=device.kind,
            backbone="classifier",
            execution=execution,
        )

    def state(self, device: Device) -> TrainState:
        """Both networks with their optimizers, on the device."""
        return TrainState.create(self.variant, self.recipe, self.spec, device.torch, seed=0)

    def session(self, device: Device, execution: Execution = EAGER) -> Session:
        """A run that is past its first steps, which are all measured, with the clock running."""
        split = _resized(
            self.spec.train_count,
            self.spec.channels,
            self.spec.native_size,
            self.recipe.image_size,
        )
        there = Split(split.images.to(device.torch), split.labels.to(device.torch))
        session = build_session(self.job(device, execution=execution), there, device)
        session.steps = MEASURED_AT_FIRST
        session.clock.start()
        return session
