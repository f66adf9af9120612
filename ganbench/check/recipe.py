"""What the contract asks of a variant's description, its recipe and its prompts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import torch

from ganbench import data
from ganbench.check.trial import SPECS, Trial, on_spec, require
from ganbench.errors import ContractError, UsageError
from ganbench.training.state import count_parameters
from ganbench.variant import source
from ganbench.variant.definition import INTERFACE, Condition, Output

if TYPE_CHECKING:
    from ganbench.variant.definition import DatasetSpec, Variant
    from ganbench.variant.recipe import Recipe
    from ganbench.variant.registry import Resolved

__all__ = [
    "builds",
    "encoded_captions",
    "encodes",
    "says_what_it_is",
    "takes_any_number",
    "takes_text",
]

_TRIES = ("flip", 1, 2, 0.5, 0.25, True, False, "digits", "2epochs", "3steps")
_NEW_PROCESS_SECONDS = 120


def says_what_it_is(variant: Variant) -> str:
    """A variant has a title, a source, functions, and a dataset that exists."""
    for name in ("title", "paper"):
        text = getattr(variant, name)
        one_line = isinstance(text, str) and bool(text.strip()) and "\n" not in text
        require(one_line, f"{name} must be one line of text, not {text!r}")
    for name in ("generator", "discriminator", "losses"):
        require(callable(getattr(variant, name)), f"{name} must be a function")
    require(
        variant.interface <= INTERFACE,
        f"it was written for interface {variant.interface}, and this ganbench has {INTERFACE}: "
        "update ganbench",
    )
    require(variant.output in get_args(Output), f"output {variant.output!r} is unknown")
    dataset = variant.recipe.dataset
    known = dataset in data.names() or dataset.startswith("imagefolder:")
    require(known, f"the recipe's dataset {dataset!r} is unknown: {', '.join(data.names())}")
    return variant.title


def builds(variant: Variant, specs: Sequence[DatasetSpec]) -> str:
    """The default recipe builds two networks for each kind of dataset, at full size."""
    counts: list[str] = []
    for spec in specs:
        state = Trial(variant, on_spec(variant, variant.recipe, spec), spec).create()
        counts += [
            f"{name} {count_parameters(network):,}" for name, network in state.networks.items()
        ]
    return f"parameters: {', '.join(counts[: len(state.networks)])}"


def _other_recipes(recipe: Recipe, name: str) -> Iterator[Recipe]:
    """Copies in which one number has another value that its field allows."""
    value = getattr(recipe, name)
    tries: list[Any] = [*get_args(type(recipe).model_fields[name].annotation), *_TRIES]
    if isinstance(value, int | float) and not isinstance(value, bool):
        tries = [value * 2, value + type(value)(1), value / 2, value * 4, *tries]
    for other in tries:
        try:
            changed = recipe.override({name: other})
        except UsageError:
            continue
        if getattr(changed, name) != value:
            yield changed


def takes_any_number(trial: Trial) -> str:
    """Each number can have another value, with which the networks are built and trained."""
    names = list(type(trial.recipe).model_fields)
    for name in names:
        refused = False
        for recipe in _other_recipes(trial.recipe, name):
            changed = Trial(trial.variant, recipe, trial.spec)
            try:
                changed.step(changed.create())
            except UsageError:
                refused = True  # a variant may refuse a value, if it says so
                continue
            except (Exception, SystemExit) as error:  # a variant's code may raise anything
                value = f"{name}={getattr(recipe, name)}"
                raise ContractError(f"{value} fails: {source.reason(error, Path())}") from error
            break
        else:
            require(refused, f"{name} can have no other value than {getattr(trial.recipe, name)}")
    return f"{len(names)} numbers"


def takes_text(recipe: Recipe) -> str:
    """Each number is read from the text of its own value, as on the command line."""
    for name, value in recipe:
        try:
            same = recipe.override({name: str(value)}) == recipe
        except UsageError as error:
            raise ContractError(f"{name} cannot be given as text: {error}") from error
        require(same, f"{name}={value} is read as something else")
    return ""


def encoded_captions(variant: Variant, spec: DatasetSpec) -> list[list[float]]:
    """Encode the captions of a dataset with a variant's condition, at its default recipe."""
    condition = variant.condition(variant.recipe, spec) if variant.condition else None
    if condition is None or condition.use == "label":
        return []
    return [condition.encode_text(text).tolist() for text in spec.captions]


def encodes(resolved: Resolved, specs: Sequence[DatasetSpec], *, new_process: bool = True) -> str:
    """Any text is encoded to a vector of the right shape, the same one in any process."""
    variant = resolved.variant
    if variant.condition is None:
        return "takes no prompts"
    for spec in specs:
        condition = variant.condition(variant.recipe, spec)
        require(isinstance(condition, Condition), "condition builds no ganbench.Condition")
        if condition.use == "label":
            fits = condition.size == len(spec.class_names)
            require(fits, f"has {condition.size} classes and not {len(spec.class_names)}")
            continue
        fits = condition.use != "latent" or condition.size == variant.recipe.latent_dim
        require(fits, f"its {condition.size} entries cannot replace the latent")
        for text in (*spec.captions, "", "words never seen before"):
            vector = condition.encode_text(text)
            require(vector.dtype == torch.float32, f"encodes as {vector.dtype}, not float32")
            shape = tuple(vector.shape)
            require(shape == (condition.size,), f"encodes as {shape}, not ({condition.size},)")
            require(bool(vector.isfinite().all()), f"{text!r} is encoded by infinite numbers")
            again = variant.condition(variant.recipe, spec).encode_text(text)
            require(torch.equal(vector, again), f"{text!r} is encoded differently the second time")
    if condition.use == "label":
        return f"{condition.size} classes"
    here = encoded_captions(variant, SPECS[0])
    require(any(vector != here[0] for vector in here), "each caption is encoded alike")
    same = not new_process or here == _in_a_new_process(resolved)
    require(same, "a new process encodes the captions differently")
    return f"{condition.size} entries, {condition.use}"


def _in_a_new_process(resolved: Resolved) -> list[list[float]]:
    """Encode the captions where Python's own `hash` of a text is another one."""
    program = (
        "import json, sys; from ganbench.variant import registry;"
        "from ganbench.check import recipe, trial;"
        "(resolved,) = registry.resolve(sys.argv[1:]);"
        "vectors = recipe.encoded_captions(resolved.variant, trial.SPECS[0]);"
        "print(json.dumps(vectors))"
    )
    request = resolved.origin if resolved.origin.endswith(".py") else resolved.name
    hash_seed = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    done = subprocess.run(  # noqa: S603 - this very Python, and no shell
        [sys.executable, "-c", program, request],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True, text=True, check=False, timeout=_NEW_PROCESS_SECONDS,
    )  # fmt: skip
    if done.returncode:
        last = done.stderr.strip().rpartition("\n")[2]
        raise ContractError(f"a new process cannot load the variant: {last}")
    vectors: list[list[float]] = json.loads(done.stdout.strip().rpartition("\n")[2])
    return vectors
