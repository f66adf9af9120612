"""`ganbench new`: a file to start a variant from."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from ganbench.errors import UsageError

__all__ = ["new"]


def new(
    name: Annotated[str, typer.Argument(help="Name of the variant, or the file to write.")],
    *,
    like: Annotated[
        str, typer.Option(metavar="NAME|FILE.py", help="The variant whose file to start from.")
    ] = "",
) -> None:
    """Write a file to start a variant from: a small complete one, or a copy of another variant."""
    path = Path(name if name.endswith(".py") else f"{name.replace('-', '_')}.py")
    if not re.fullmatch(r"[^\W\d_]\w*", path.stem):
        raise UsageError(
            f"{path.name!r} is no name for a variant's file: "
            "use letters, digits and _, a letter first"
        )
    from ganbench.machine.whole_files import write_whole

    text = _text_of(like) if like else _START
    if path.exists():
        raise UsageError(f"{path} is there already: give another name")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text.encode())
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error
    shown = path if path.is_absolute() or len(path.parts) > 1 else f"./{path}"
    typer.echo(f"{path} is written; try it: ganbench check {shown}")


def _text_of(like: str) -> str:
    """Text of the file that defines a variant."""
    from ganbench.variant.registry import resolve

    (resolved,) = resolve([like])
    if resolved.path is None:
        raise UsageError(f"the file of {like!r} cannot be found: give --like another variant")
    return resolved.path.read_text(encoding="utf-8")


_START = '''"""A GAN of my own: say in one line what is new about it."""

from pydantic import Field
from torch import nn

import ganbench
from ganbench import DatasetSpec, Losses, LossOutput, Variant, losses, networks


class Recipe(ganbench.Recipe):
    """A DCGAN's numbers, and one of our own; `ganbench list recipe FILE.py` shows them all."""

    r1: float = Field(1.0, ge=0, description="weight of the gradient penalty at real images")


def generator(recipe: Recipe, dataset: DatasetSpec) -> nn.Module:
    """Latents (batch, latent_dim) to images (batch, channels, size, size) in [-1, 1]."""
    return networks.dcgan_generator(recipe, dataset)


def discriminator(recipe: Recipe, dataset: DatasetSpec) -> nn.Module:
    """Images to logits, without a sigmoid."""
    return networks.dcgan_discriminator(recipe, dataset)


def make_losses(recipe: Recipe, dataset: DatasetSpec) -> Losses:
    """Binary cross-entropy, and a penalty every 16 steps."""
    base = losses.bce(recipe, dataset)

    def d_loss(discriminator, real, fake, context) -> LossOutput:
        output = base.d_loss(discriminator, real, fake)
        if recipe.r1 and context.every(16):
            penalty, _ = losses.zero_centred_penalty(discriminator, real)
            output = (output + 16 * recipe.r1 / 2 * penalty).recording(r1_penalty=penalty)
        return output

    return Losses(d_loss, base.g_loss)


VARIANT = Variant(
    title="A GAN of my own",
    paper="where it is described",
    recipe=Recipe(),
    generator=generator,
    discriminator=discriminator,
    losses=make_losses,
)
'''
