"""The generator of a finished run, to draw from in Python."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from ganbench.api.arguments import (
    LARGEST_SEED,
    name_list,
    optional_text,
    path,
    refused,
    whole,
)
from ganbench.errors import UsageError
from ganbench.experiment.load_trained import load_trained
from ganbench.experiment.store import StoredRun
from ganbench.machine.device import choose
from ganbench.scoring import draw
from ganbench.scoring.requested import SampleRequest, drawn

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor, nn

    from ganbench.machine.device import Device
    from ganbench.training.state import TrainState
    from ganbench.variant.definition import DatasetSpec

__all__ = ["TrainedGenerator", "load_generator"]

_MOST_IMAGES = 1_000_000


@dataclass(frozen=True, repr=False)
class TrainedGenerator:
    """A trained generator.

    Attributes:
        variant: Name of the variant.
        dataset: What it was trained on.
        state: Its networks.
        device: Where they are.
    """

    variant: str
    dataset: DatasetSpec
    state: TrainState
    device: Device

    def __repr__(self) -> str:
        return f"<TrainedGenerator {self.variant} on {self.dataset.name}>"

    @property
    def module(self) -> nn.Module:
        """The network: the moving average of the generator where there is one."""
        return self.state.sampler

    @property
    def latent_dim(self) -> int:
        """Entries of a latent."""
        return self.state.recipe.latent_dim

    def latents(self, count: int, seed: int = 0) -> Tensor:
        """Draw latents as the variant does: float32 of shape (count, latent_dim), on the CPU."""
        return draw.latents(self.state, *_count_and_seed(count, seed), "sample")

    def __call__(self, latents: Tensor, classes: Tensor | None = None) -> Tensor:
        """Draw images from latents.

        Args:
            latents: float32 of shape (n, latent_dim).
            classes: int64 of shape (n,), for a variant that draws by class or caption; the
                classes in turn if left out.

        Returns:
            float32 of shape (n, channels, size, size) in [-1, 1] at the size of the recipe, or
            points, on the device.

        Raises:
            UsageError: Latents or classes are of another kind.
        """
        table = self.state.conditions(self.dataset) if self.state.takes_condition else None
        self._check_latents(latents)
        if classes is not None:
            self._check_classes(classes, len(latents), 0 if table is None else len(table))
        inputs = [latents.to(self.device.torch)]
        if table is not None:
            rows = draw.in_turn(table, len(latents)) if classes is None else table[classes.cpu()]
            inputs.append(rows.to(self.device.torch))
        self.module.eval()
        with torch.inference_mode():
            images: Tensor = self.module(*inputs)
        return images

    def _check_latents(self, latents: Any) -> None:
        shape = self.latents(1).shape[1:]
        words = f"float tensor of shape (n, {', '.join(map(str, shape))}), as latents(n) gives"
        if not isinstance(latents, torch.Tensor):
            raise refused("latents", latents, f"a {words}")
        if not latents.is_floating_point() or not len(latents.shape) or latents.shape[1:] != shape:
            raise UsageError(
                f"latents are a tensor of {latents.dtype} of shape {tuple(latents.shape)}: "
                f"give a {words}"
            )

    def _check_classes(self, classes: Any, count: int, known: int) -> None:
        if not known:
            raise UsageError(f"{self.variant} does not draw by class: leave classes out")
        is_fit = (
            isinstance(classes, torch.Tensor)
            and classes.dtype == torch.int64
            and classes.shape == (count,)
            and bool(((classes >= 0) & (classes < known)).all())
        )
        if not is_fit:
            allowed = f"an int64 tensor of shape ({count},) with values from 0 to {known - 1}"
            raise refused("classes", classes, allowed)

    def sample(
        self,
        count: int = 64,
        seed: int = 0,
        *,
        class_name: str | int | None = None,
        prompt: str | None = None,
        truncation: float | None = None,
        interpolate: bool = False,
    ) -> NDArray[Any]:
        """Draw images as `ganbench sample` does.

        Args:
            count: How many.
            seed: Of the latents.
            class_name: Name or number of the class, for a variant with a condition.
            prompt: Text, for a variant that takes prompts.
            truncation: Standard deviations within which normal latents are kept.
            interpolate: Whether to draw ways of 8 images from one latent to another.

        Returns:
            uint8 of shape (count, size, size, channels) at the size of the recipe; float32 points
            of shape (count, dimensions).

        Raises:
            UsageError: The variant cannot be asked for that.
        """
        name = None if class_name is None else str(class_name)
        text = optional_text("prompt", prompt)
        if truncation is not None and not isinstance(truncation, int | float):
            raise UsageError(f"truncation={truncation!r} is no number: give one such as 0.7")
        count, seed = _count_and_seed(count, seed)
        request = SampleRequest(count, seed, text, name, truncation, interpolate)
        images, _, _ = drawn(self.state, self.dataset, self.device, request)
        array: NDArray[np.generic] = images.numpy()
        return array if self.dataset.kind == "points" else array.transpose(0, 2, 3, 1)


def _count_and_seed(count: int, seed: int) -> tuple[int, int]:
    """Both, within the bounds of `ganbench sample`.

    Raises:
        UsageError: One of them lies outside.
    """
    return whole("count", count, 1, _MOST_IMAGES), whole("seed", seed, 0, LARGEST_SEED)


def load_generator(
    run: str | Path,
    best: bool = False,  # noqa: FBT001, FBT002 - documented so
    *,
    device: str = "auto",
    variants: Sequence[str] = (),
) -> TrainedGenerator:
    """Read the generator of a finished run.

    Args:
        run: Folder of the run, `results/.../runs/<id>`.
        best: Whether to take the best moment of a run that was scored during training.
        device: `auto`, `cuda`, `cuda:1`, `mps` or `cpu`.
        variants: File of the run's variant, if it is not installed. No other file is run.

    Raises:
        UsageError: There is no such run, it holds no checkpoint or no best moment, or its variant
            is not what it was.
    """
    stored = StoredRun.read(path("run", run))
    files = name_list("variants", variants) or ()
    chosen = choose(device)
    state, spec = load_trained(stored, chosen, best=best, files=files)
    return TrainedGenerator(stored.result.variant, spec, state, chosen)
