"""Images that are asked of a trained generator: by class, by prompt, truncated, or as paths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from ganbench.errors import UsageError, unknown
from ganbench.scoring import draw
from ganbench.variant.text import tokenize

if TYPE_CHECKING:
    from torch import Tensor

    from ganbench.machine.device import Device
    from ganbench.training.state import TrainState
    from ganbench.variant.definition import DatasetSpec

__all__ = ["PATH_LENGTH", "SampleRequest", "drawn", "interpolated", "truncated"]

PATH_LENGTH = 8
"""Images on the way from one latent to the next, both ends included."""


@dataclass(frozen=True)
class SampleRequest:
    """Which images are asked for.

    Attributes:
        count: How many.
        seed: Of the latents.
        prompt: Text to draw, or None.
        class_name: Name or number of the class to draw, or None.
        truncation: Standard deviations beyond which no entry of a latent lies, or None.
        interpolate: Whether the images are ways from one latent to another, of `PATH_LENGTH` each.
    """

    count: int
    seed: int = 0
    prompt: str | None = None
    class_name: str | None = None
    truncation: float | None = None
    interpolate: bool = False


def drawn(
    state: TrainState, spec: DatasetSpec, device: Device, request: SampleRequest
) -> tuple[Tensor, str, tuple[str, ...]]:
    """Draw the images that are asked for.

    Args:
        state: The networks of a trained run.
        spec: What it was trained on.
        device: Where the networks are.
        request: Which images.

    Returns:
        uint8 of shape (count, channels, size, size), or float32 points; what they show (empty where
        nothing was asked for); and notes, in sentences.

    Raises:
        UsageError: The variant cannot be asked for that.
    """
    _refuse(state, spec, request)
    stream = "sample" if request.prompt is None and request.class_name is None else "prompt latents"
    condition, title, notes = _condition(state, spec, request)
    if request.prompt is not None and _is_prompt_the_latent(state):
        images = draw.draw_prompt(state, device, request.prompt, request.count, request.seed)
        return images, title, notes
    latents = _latents(state, request, stream)
    return draw.draw(state, device, latents, condition), title, notes


def _is_prompt_the_latent(state: TrainState) -> bool:
    return state.condition is not None and state.condition.use == "latent"


def _latents(state: TrainState, request: SampleRequest, stream: str) -> Tensor:
    count = request.count
    if not request.interpolate:
        latents = draw.latents(state, count, request.seed, stream)
        return latents if request.truncation is None else truncated(latents, request.truncation)
    ways = -(-count // PATH_LENGTH)
    ends = draw.latents(state, 2 * ways, request.seed, stream)
    if request.truncation is not None:
        ends = truncated(ends, request.truncation)
    spherical = state.latent_sampler is None and state.recipe.latent == "normal"
    return interpolated(ends[:ways], ends[ways:], PATH_LENGTH, spherical=spherical)[:count]


def _condition(
    state: TrainState, spec: DatasetSpec, request: SampleRequest
) -> tuple[Tensor | None, str, tuple[str, ...]]:
    """What the generator is given beside the latents, what that shows, and notes."""
    count = request.count
    if request.prompt is not None:
        words = dict.fromkeys(tokenize(request.prompt))
        strange = [word for word in words if word not in spec.vocabulary]
        note = (
            f"not in the captions of {spec.name}: {', '.join(strange)} "
            f"(known: {', '.join(sorted(spec.vocabulary))})"
        )
        if state.condition is None:
            raise UsageError("this variant takes no prompt: give -n alone, or a run of texthash")
        encoded = state.condition.encode_text(request.prompt)
        return encoded.expand(count, -1), request.prompt, (note,) if strange else ()
    table = state.conditions(spec)
    if request.class_name is not None:
        if table is None or not state.takes_condition:
            raise UsageError("this variant takes no class: give -n alone, or another run")
        label = _label(request.class_name, spec)
        chosen = table[label]
        return chosen.expand(count, *chosen.shape), f"class {spec.class_names[label]}", ()
    if table is None:
        return None, "", ()
    # A way from one latent to another keeps its class
    turn = PATH_LENGTH if request.interpolate else 1
    rows = draw.in_turn(table, -(-count // turn)).repeat_interleave(turn, dim=0)[:count]
    return rows, "", ()


def _refuse(state: TrainState, spec: DatasetSpec, request: SampleRequest) -> None:
    """Refuse what the variant cannot be asked for."""
    if request.prompt is not None and request.class_name is not None:
        raise UsageError("--prompt and --class: give one of them")
    is_fixed = request.prompt is not None and _is_prompt_the_latent(state)
    if is_fixed and (request.interpolate or request.truncation is not None):
        raise UsageError(
            "the prompt takes the place of this variant's latent, so that there is nothing to "
            "interpolate or truncate: leave --interpolate and --truncation out"
        )
    if request.interpolate and spec.kind == "points":
        raise UsageError(f"--interpolate is for images, and {spec.name} holds points: leave it out")
    is_normal = state.latent_sampler is None and state.recipe.latent == "normal"
    if request.truncation is not None and not is_normal:
        raise UsageError(
            "--truncation is for latents that are normally distributed, and this run's are not: "
            "leave it out"
        )
    if request.truncation is not None and not request.truncation > 0:
        raise UsageError(
            f"--truncation {request.truncation:g} leaves no latent: give a positive number of "
            "standard deviations, such as 0.7"
        )


def truncated(latents: Tensor, threshold: float) -> Tensor:
    """Bring normal latents into [-threshold, threshold], as draws of the truncated normal.

    Brock et al. 2018, arXiv:1809.11096, draw entries outside again. Here each entry keeps its
    quantile, so that the images of one seed change gradually with the threshold.

    Args:
        latents: float32 of any shape, from N(0, 1).
        threshold: In standard deviations, above 0.
    """
    low, high = torch.special.ndtr(torch.tensor([-threshold, threshold], dtype=torch.float64))
    quantiles = low + torch.special.ndtr(latents.double()) * (high - low)
    within: Tensor = torch.special.ndtri(quantiles).clamp(-threshold, threshold)
    return within.to(latents.dtype)


def interpolated(first: Tensor, last: Tensor, steps: int, *, spherical: bool) -> Tensor:
    """Go from each latent of one set to that of another, both ends included.

    Normal latents go along the arc between them, whose points are as likely as the ends (White
    2016, arXiv:1609.04468); others along the line.

    Args:
        first: float32 of shape (n, latent_dim).
        last: The same shape.
        steps: Latents on each way, two or more.
        spherical: Along the arc or the line.

    Returns:
        float32 of shape (n * steps, latent_dim), one way after the other.
    """
    share = torch.linspace(0, 1, steps)[None, :, None]
    start, end = first[:, None], last[:, None]
    if not spherical:
        return ((1 - share) * start + share * end).flatten(0, 1)
    cosine = torch.nn.functional.cosine_similarity(start, end, dim=-1)[..., None]
    angle = cosine.clamp(-1 + 1e-6, 1 - 1e-6).acos()
    way = ((1 - share) * angle).sin() * start + (share * angle).sin() * end
    return (way / angle.sin()).flatten(0, 1)


def _label(text: str, spec: DatasetSpec) -> int:
    """Number of a class that is given by its number or name.

    Raises:
        UsageError: There is no such class.
    """
    names = list(spec.class_names)
    if text in names:
        return names.index(text)
    if text.isdecimal() and int(text) < len(names):
        return int(text)
    raise unknown("class", text, names, f"or give its number, 0 to {len(names) - 1}")
