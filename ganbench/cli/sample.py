"""`ganbench sample`: images from a finished run, as one PNG or one by one."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from ganbench.cli.options import DEVICE
from ganbench.errors import UsageError
from ganbench.machine import made_folders
from ganbench.visible import visible

__all__ = ["sample", "sample_to_file"]

_LONGEST_TITLE = 200  # characters
_MOST_IN_A_PICTURE = 4096
_LONGEST_STEM = 50  # characters of a file's name, of up to 4 bytes each


def sample(
    run_folder: Annotated[
        Path, typer.Argument(metavar="RUN", help="Folder of a finished run: results/.../runs/<id>.")
    ],
    count: Annotated[int, typer.Option("-n", min=1, max=1_000_000, help="How many images.")] = 64,
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
    images: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR|FILE.npz",
            help="Write single images for other tools, at the size of the dataset.",
        ),
    ] = None,
    interpolate: Annotated[
        bool, typer.Option("--interpolate", help="Ways of 8 images from one latent to another.")
    ] = False,
    truncation: Annotated[
        float | None,
        typer.Option(help="Keep normal latents within so many standard deviations, such as 0.7."),
    ] = None,
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
    """Draw images from a finished run into a PNG, or one by one for other tools.

    For example: ganbench sample RUN --images fakes -n 10000
    """
    if images is not None and out is not None:
        raise UsageError("--images and --out: give one of them, single images or one picture")
    sample_to_file(
        run_folder,
        count=count,
        prompt=prompt,
        class_name=class_,
        seed=seed,
        device=device,
        out=out if images is None else images,
        best=best,
        files=[name.strip() for name in (variants or "").split(",") if name.strip()],
        interpolate=interpolate,
        truncation=truncation,
        is_single=images is not None,
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
    interpolate: bool = False,
    truncation: float | None = None,
    is_single: bool = False,
    say: Callable[[str], object],
) -> Path:
    """Draw images from a run's generator and write them as one picture, or one by one.

    Args:
        folder: Of the finished run.
        count: How many images.
        prompt: Text to draw, or None.
        class_name: Number or name of the class to draw, or None.
        seed: Seed of the latent vectors.
        device: As on the command line.
        out: The PNG to write, in the run's folder where it is None; of single images, the folder or
            the `.npz` file.
        best: Whether to draw from the best moment of the run instead of its end.
        files: Files of variants that the user named; no other file is run.
        interpolate: Whether the images are ways from one latent to another.
        truncation: Standard deviations within which normal latents are kept, or None.
        is_single: Whether the images are written one by one, at the size of the dataset.
        say: Called with each line that tells what happens.

    Returns:
        What was written.

    Raises:
        UsageError: There is no such run, it holds no checkpoint or no best moment, the variant
            cannot be asked for that or is a file that was not named, or the file cannot be written.
    """
    from ganbench.data.kinds import form_of
    from ganbench.experiment.load_trained import load_trained
    from ganbench.experiment.store import StoredRun
    from ganbench.machine.device import choose
    from ganbench.machine.whole_files import whole
    from ganbench.scoring.pictures import pictures_of
    from ganbench.scoring.requested import SampleRequest, drawn
    from ganbench.scoring.single_files import check_target, write_images

    if count > _MOST_IN_A_PICTURE and not is_single:
        raise UsageError(
            f"-n {count}: a picture holds at most {_MOST_IN_A_PICTURE} images; "
            "--images DIR writes any number one by one"
        )
    run = StoredRun.read(folder)
    chosen = choose(device)
    state, spec = load_trained(run, chosen, best=best, files=files)
    if is_single and out is not None:
        check_target(out, is_points=spec.kind == "points")
    request = SampleRequest(count, seed, prompt, class_name, truncation, interpolate)
    images, shown, notes = drawn(state, spec, chosen, request)
    for note in notes:
        say(note)
    stem = _file_stem(prompt if class_name is None else f"class {class_name}")
    target = out if out is not None else run.path / f"{stem}.png"
    try:
        if is_single:
            write_images(form_of(spec).from_size(images, spec.native_size), target)
        else:
            moment = run.result.over_training["best"] if best else {"step": run.result.steps}
            whole_title = f"{run.result.variant} · {spec.name} · {moment['step']:,} steps"
            if shown:
                whole_title = shown if prompt is not None else f"{run.result.variant} · {shown}"
            picture = pictures_of(spec).alone(images, visible(whole_title)[:_LONGEST_TITLE])
            made_folders.note(target.parent)
            target.parent.mkdir(parents=True, exist_ok=True)
            with whole(target) as temporary:
                picture.save(temporary)
    except (OSError, ValueError) as error:
        way = "a folder or an .npz file with --images" if is_single else "a PNG file with --out"
        raise UsageError(f"{target} cannot be written: {error}; give {way}") from error
    say(f"{count} {spec.unit}: {target}")
    return target


def _file_stem(prompt: str | None) -> str:
    if prompt is None:
        return "sample"
    return "sample-" + re.sub(r"\W+", "-", prompt.lower()).strip("-")[:_LONGEST_STEM]
