"""Draw images from a generator: from latents, from prompts, and as a grid.

BatchNorm uses its running statistics here, so that an image does not depend on the others that
are drawn beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from ganbench.data.kinds import to_uint8
from ganbench.errors import ContractError, UsageError
from ganbench.machine.random_streams import generator

if TYPE_CHECKING:
    from collections.abc import Callable

    from ganbench.machine.device import Device
    from ganbench.training.state import TrainState

__all__ = [
    "BATCH_SIZE",
    "beside",
    "draw",
    "draw_class",
    "draw_prompt",
    "grid",
    "in_turn",
    "latents",
    "titled",
    "to_uint8",
]

BATCH_SIZE = 250
_TITLE_HEIGHT = 24


def latents(state: TrainState, count: int, seed: int, stream: str) -> Tensor:
    """Draw latents of shape (count, latent_dim) from a named random stream, on the CPU."""
    return state.latents(count, generator(seed, stream))


def draw(
    state: TrainState,
    device: Device,
    latent: Tensor,
    conditions: Tensor | None = None,
    report: Callable[[int], None] = lambda _count: None,
) -> Tensor:
    """Turn latents into images.

    Args:
        state: Whose sampler is used: the moving average of the generator where there is one.
        device: Where the networks are.
        latent: float32 of shape (count, latent_dim), at least one.
        conditions: As the generator takes them, one per latent.
        report: Called with the number of images that are drawn, batch by batch.

    Returns:
        uint8 of shape (count, channels, size, size), or float32 points of shape (count,
        dimensions), on the CPU.

    Raises:
        ContractError: A pixel is not finite.
        ValueError: No latents were given.
    """
    network = state.sampler
    was_training = network.training
    network.eval()
    images: Tensor | None = None
    for start in range(0, len(latent), BATCH_SIZE):
        part = slice(start, start + BATCH_SIZE)
        inputs = [latent[part].to(device.torch)]
        if state.takes_condition and conditions is not None:
            inputs.append(conditions[part].to(device.torch))
        with torch.inference_mode():
            pixels = network(*inputs)
            if not bool(pixels.isfinite().all()):
                raise ContractError("the generator draws pixels that are not finite")
            drawn = state.form.to_stored(pixels)
        # Filled in as images come: joined from parts, they would be held twice
        if images is None:
            images = torch.empty(len(latent), *drawn.shape[1:], dtype=drawn.dtype)
        images[part] = drawn
        report(start + len(drawn))
    network.train(was_training)
    if images is None:
        raise ValueError("no latents were given: at least one image has to be drawn")
    return images


def in_turn(conditions: Tensor, count: int) -> Tensor:
    """Repeat the conditions of the classes, one class after the other, to `count` rows."""
    return conditions[torch.arange(count) % len(conditions)]


def draw_prompt(state: TrainState, device: Device, prompt: str, count: int, seed: int) -> Tensor:
    """Draw images of a prompt; as `draw`.

    A variant whose prompt replaces the latent makes the same image each time.

    Raises:
        UsageError: The variant does not take prompts.
    """
    if state.condition is None:
        raise UsageError("this variant takes no prompt: give -n alone, or a run of texthash")
    encoded = state.condition.encode_text(prompt).expand(count, -1)
    if state.condition.use == "latent":
        return draw(state, device, encoded)
    return draw(state, device, latents(state, count, seed, "prompt latents"), encoded)


def draw_class(
    state: TrainState, device: Device, condition: Tensor, count: int, seed: int
) -> Tensor:
    """Draw images of one class; as `draw`.

    Args:
        state: Of a variant with a condition.
        device: Where the networks are.
        condition: What the generator is given for the class: a row of `TrainState.conditions`.
        count: How many.
        seed: Seed of the latents.
    """
    latent = latents(state, count, seed, "prompt latents")
    return draw(state, device, latent, condition.expand(count, *condition.shape))


def grid(images: Tensor, columns: int = 8) -> Image.Image:
    """Arrange uint8 images of shape (n, channels, size, size) in rows, with thin gaps."""
    from torchvision.utils import make_grid  # takes seconds to load, and not all commands draw

    sheet = make_grid(images, nrow=columns, padding=2, pad_value=255)
    return Image.fromarray(sheet.permute(1, 2, 0).contiguous().numpy())


def titled(picture: Image.Image, title: str) -> Image.Image:
    """Put a line of text above a picture, widening it where the text is longer."""
    title = " ".join(title.split())
    font = ImageFont.load_default(size=14)
    width = max(picture.width, int(font.getlength(title)) + 12)
    sheet = Image.new("RGB", (width, picture.height + _TITLE_HEIGHT), "white")
    ImageDraw.Draw(sheet).text((6, 4), title, fill="black", font=font)
    sheet.paste(picture, ((width - picture.width) // 2, _TITLE_HEIGHT))
    return sheet


def beside(left: Image.Image, right: Image.Image, gap: int = 16) -> Image.Image:
    """Put two pictures side by side on white."""
    height = max(left.height, right.height)
    sheet = Image.new("RGB", (left.width + gap + right.width, height), "white")
    sheet.paste(left, (0, 0))
    sheet.paste(right, (left.width + gap, 0))
    return sheet
