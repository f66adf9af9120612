"""`ganbench sample`: images from a finished run, as a PNG."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import torch

from ganbench import sample
from ganbench.device import choose
from ganbench.errors import UsageError
from ganbench.registry import resolve
from ganbench.step import TrainState
from ganbench.store import StoredRun
from ganbench.text import tokenize
from ganbench.variant import DatasetSpec

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ganbench.device import Device

__all__ = ["load_trained", "sample_to_file"]


def sample_to_file(
    folder: Path,
    *,
    count: int,
    prompt: str | None,
    seed: int,
    device: str,
    out: Path | None,
    best: bool = False,
    say: Callable[[str], object],
) -> Path:
    """Draw images from a run's generator and write them as one picture.

    Args:
        folder: Of the finished run.
        count: How many images.
        prompt: What to draw; None draws latents alone.
        seed: Of the latents.
        device: As on the command line.
        out: The PNG to write; in the run's folder where it is None.
        best: Whether to draw from the best moment of the run instead of its end.
        say: Told what happens, a line at a time.

    Returns:
        The file that was written.

    Raises:
        UsageError: There is no such run, it holds no checkpoint or no best moment, the variant
            takes no prompt, or the file cannot be written.
    """
    run = StoredRun.read(folder)
    chosen = choose(device)
    state, spec = load_trained(run, chosen, best=best)
    if prompt is not None:
        words = tokenize(prompt)
        unknown = [word for word in dict.fromkeys(words) if word not in spec.vocabulary]
        if unknown:
            say(
                f"not in the captions of {spec.name}: {', '.join(unknown)} "
                f"(known: {', '.join(sorted(spec.vocabulary))})"
            )
        images = sample.draw_prompt(state, chosen, prompt, count, seed)
        title = prompt
    else:
        conditions = None
        latent = sample.latents(state, count, seed, "sample")
        if state.takes_condition and state.condition is not None:
            encoded = [state.condition.encode(caption) for caption in spec.captions]
            conditions = sample.in_turn(torch.stack(encoded), count)
        images = sample.draw(state, chosen, latent, conditions)
        moment = run.result.course["best"] if best else {"step": run.result.steps}
        title = f"{run.result.variant} · {spec.name} · {moment['step']:,} steps"
    columns = max(1, min(8, count))
    picture = sample.titled(sample.grid(images, columns), title)
    target = out if out is not None else run.path / f"{_file_stem(prompt)}.png"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        picture.save(target)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{target} cannot be written: {error}; give a PNG file with --out"
        ) from error
    say(f"{count} images: {target}")
    return target


def load_trained(
    run: StoredRun, device: Device, *, best: bool = False
) -> tuple[TrainState, DatasetSpec]:
    """Rebuild the networks of a finished run from its folder.

    Args:
        run: Whose checkpoint is read.
        device: Where the networks go.
        best: Whether the sampler is to be as it was at the best moment of the run.

    Raises:
        UsageError: The run has no checkpoint, or no best moment, or its variant is not what it was.
    """
    result = run.result
    if not run.checkpoint.exists():
        raise UsageError(
            f"{run.path} has no checkpoint.pt to sample from (checkpoints are not committed): "
            f"run it again with {result.command or 'ganbench run'}"
        )
    if best and not result.course.get("best"):
        raise UsageError(
            f"{run.path} knows no best moment, as it was not scored during training: leave out "
            "--best, or run it again with --evaluate-every"
        )
    (found,) = resolve([result.request or result.variant])
    recipe = found.variant.recipe.override(result.recipe)
    fields = dict(result.dataset_fields)
    spec = DatasetSpec(**{**fields, "class_names": tuple(fields["class_names"])})
    state = TrainState.create(found.variant, recipe, spec, device.torch, result.seed)
    try:
        values = torch.load(run.checkpoint, weights_only=True, map_location=device.torch)
    except Exception as error:
        raise UsageError(
            f"{run.checkpoint} cannot be read ({type(error).__name__}): run it again"
        ) from error
    try:
        state.load_state_dict(values["networks"])
        if best:
            state.sampler.load_state_dict(values["course"]["weights"])
    except (RuntimeError, KeyError, ValueError) as error:
        raise UsageError(
            f"{run.checkpoint} does not fit variant {result.variant!r} as it is now: "
            "its source has changed since the run"
        ) from error
    return state, spec


def _file_stem(prompt: str | None) -> str:
    return (
        "sample" if prompt is None else "sample-" + re.sub(r"\W+", "-", prompt.lower()).strip("-")
    )
