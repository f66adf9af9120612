"""`ganbench sample`: images from a finished run, as a PNG."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ganbench.cli.options import DEVICE
from ganbench.errors import UsageError, unknown
from ganbench.visible import visible

if TYPE_CHECKING:
    from torch import Tensor

    from ganbench.variant.definition import DatasetSpec

__all__ = ["sample", "sample_to_file"]

_LONGEST_TITLE = 200  # characters
_LONGEST_STEM = 50  # characters of a file's name, of up to 4 bytes each


def sample(
    run_folder: Annotated[
        Path, typer.Argument(metavar="RUN", help="Folder of a finished run: results/.../runs/<id>.")
    ],
    count: Annotated[int, typer.Option("-n", min=1, max=4096, help="How many images.")] = 64,
    prompt: Annotated[
        str | None, typer.Option(help="Text to draw, for a variant that takes prompts.")
    ] = None,
    class_: Annotated[
        str | None,
        typer.Option(
            "--class", help="Number or name of the class to draw, for a variant with a condition."
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, max=2**63 - 1, help="Seed of the latent vectors.")
    ] = 0,
    *,
    best: Annotated[
        bool, typer.Option("--best", help="The best moment of a run that was scored in training.")
    ] = False,
    device: Annotated[str, DEVICE] = "auto",
    variants: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="The file of the run's variant, if it is not installed."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The PNG to write; in the run's folder if left out.")
    ] = None,
) -> None:
    """Draw images from a finished run into a PNG."""
    sample_to_file(
        run_folder,
        count=count,
        prompt=prompt,
        class_name=class_,
        seed=seed,
        device=device,
        out=out,
        best=best,
        files=[name.strip() for name in (variants or "").split(",") if name.strip()],
        say=lambda line: typer.echo(visible(line)),
    )


def sample_to_file(
    folder: Path,
    *,
    count: int,
    prompt: str | None,
    class_name: str | None = None,
    seed: int,
    device: str,
    out: Path | None,
    best: bool = False,
    files: Sequence[str] = (),
    say: Callable[[str], object],
) -> Path:
    """Draw images from a run's generator and write them as one picture.

    Args:
        folder: Of the finished run.
        count: How many images.
        prompt: Text to draw, or None.
        class_name: Number or name of the class to draw, or None.
        seed: Seed of the latent vectors.
        device: As on the command line.
        out: The PNG to write; in the run's folder where it is None.
        best: Whether to draw from the best moment of the run instead of its end.
        files: Files of variants that the user named; no other file is run.
        say: Called with each line that tells what happens.

    Returns:
        The file that was written.

    Raises:
        UsageError: There is no such run, it holds no checkpoint or no best moment, the variant
            takes no prompt or is a file that was not named, or the file cannot be written.
    """
    from ganbench.experiment.load_trained import load_trained
    from ganbench.experiment.store import StoredRun
    from ganbench.machine.device import choose
    from ganbench.machine.whole_files import whole
    from ganbench.scoring import draw
    from ganbench.scoring.pictures import pictures_of
    from ganbench.variant.text import tokenize

    if prompt is not None and class_name is not None:
        raise UsageError("--prompt and --class: give one of them")
    run = StoredRun.read(folder)
    chosen = choose(device)
    state, spec = load_trained(run, chosen, best=best, files=files)
    if prompt is not None:
        images = draw.draw_prompt(state, chosen, prompt, count, seed)
        words = dict.fromkeys(tokenize(prompt))
        strange = [word for word in words if word not in spec.vocabulary]
        if strange:
            say(
                f"not in the captions of {spec.name}: {', '.join(strange)} "
                f"(known: {', '.join(sorted(spec.vocabulary))})"
            )
        title = prompt
    elif class_name is not None:
        table = state.conditions(spec)
        if table is None or not state.takes_condition:
            raise UsageError("this variant takes no class: give -n alone, or another run")
        label = _label(class_name, spec)
        images = draw.draw_class(state, chosen, table[label], count, seed)
        title = f"{run.result.variant} · class {spec.class_names[label]}"
    else:
        conditions: Tensor | None = None
        latent = draw.latents(state, count, seed, "sample")
        encoded = state.conditions(spec)
        if encoded is not None:
            conditions = draw.in_turn(encoded, count)
        images = draw.draw(state, chosen, latent, conditions)
        moment = run.result.over_training["best"] if best else {"step": run.result.steps}
        title = f"{run.result.variant} · {spec.name} · {moment['step']:,} steps"
    picture = pictures_of(spec).alone(images, visible(title)[:_LONGEST_TITLE])
    stem = _file_stem(prompt if class_name is None else f"class {class_name}")
    target = out if out is not None else run.path / f"{stem}.png"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with whole(target) as temporary:
            picture.save(temporary)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{target} cannot be written: {error}; give a PNG file with --out"
        ) from error
    say(f"{count} {'points' if spec.kind == 'points' else 'images'}: {target}")
    return target


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


def _file_stem(prompt: str | None) -> str:
    if prompt is None:
        return "sample"
    return "sample-" + re.sub(r"\W+", "-", prompt.lower()).strip("-")[:_LONGEST_STEM]
