"""The examples of docs/variants.md are variants that train, and there is one for each hook."""

from __future__ import annotations

import ast
import dataclasses
import re
from pathlib import Path

import pytest

import ganbench
from ganbench.check import check
from ganbench.check.trial import SPECS, small_trials
from ganbench.variant.registry import resolve

PAGE = (Path(__file__).parents[1] / "docs/variants.md").read_text(encoding="utf-8")
EXAMPLES = [
    code for code in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "VARIANT" in code
]
WITHOUT_EXAMPLE = {"title", "paper", "interface"}  # texts, and a number that has one value

# The imports that the page names, and the six parts that `...` stands for.
HEAD = '''"""An example."""

import dataclasses

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import nn

import ganbench
from ganbench import DatasetSpec, losses, networks

SIX = {
    "title": "An example",
    "paper": "of the documentation",
    "recipe": ganbench.Recipe(image_size=16),
    "generator": networks.dcgan_generator,
    "discriminator": networks.dcgan_discriminator,
    "losses": losses.bce,
}


def Variant(six, **fields):
    assert six is ...
    return ganbench.Variant(**{**SIX, **fields})


'''


def names(code: str, kind: type[ast.AST], field: str) -> set[str]:
    return {getattr(node, field) for node in ast.walk(ast.parse(code)) if isinstance(node, kind)}


@pytest.fixture(params=range(len(EXAMPLES)))
def example(request, tmp_path):
    path = tmp_path / f"example_{request.param}.py"
    path.write_text(HEAD + EXAMPLES[request.param], encoding="utf-8")
    return resolve([str(path)])[0]


def test_every_part_of_a_variant_has_an_example():
    given = {
        keyword.arg
        for code in EXAMPLES
        for call in ast.walk(ast.parse(code))
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "Variant"
        for keyword in call.keywords
    }
    fields = {field.name for field in dataclasses.fields(ganbench.Variant)}
    assert fields - given == WITHOUT_EXAMPLE


def test_what_variants_are_given_and_return_has_an_example():
    used = set().union(*(names(code, ast.Attribute, "attr") for code in EXAMPLES))
    used |= set().union(*(names(code, ast.Name, "id") for code in EXAMPLES))
    of_losses = {"LossOutput", "Losses", "recording", "every", "value", "generate", "latent"}
    of_networks = {"Network", "networks", "NetworkRecipe", "ComposedRecipe", "Recipe"}
    of_conditions = {"Condition", "on_labels", "signed_hash_vector", "Accepts"}
    of_steps = {"Step", "Batches", "alternate", "update_generator", "record", "share"}
    assert of_losses | of_networks | of_conditions | of_steps <= used
    assert {"Scheduled", "scheduled"} <= used


def test_every_public_name_for_authors_is_on_the_page():
    elsewhere = {"Budget", "Comparison", "Scored", "TrainedGenerator", "load", "load_generator",
                 "run", "score", "tune"}  # fmt: skip
    errors = {"GanbenchError", "ContractError", "DataError"}
    missing = {name for name in ganbench.__all__ if not re.search(rf"\b{name}\b", PAGE)}
    assert missing <= elsewhere | errors


def test_every_function_for_authors_is_on_the_page():
    for module in (ganbench.networks, ganbench.losses, ganbench.text, ganbench.augmentation):
        missing = {name for name in module.__all__ if not re.search(rf"\b{name}\b", PAGE)}
        assert not missing, (module.__name__, missing)


def test_an_example_takes_a_step(example):
    (trial, *_) = small_trials(example.variant, SPECS[:1])
    state = trial.create()
    before = {name: p.detach().clone() for name, p in state.generator.named_parameters()}
    trial.step(state)
    after = dict(state.generator.named_parameters())
    assert any(not before[name].equal(after[name]) for name in before)


@pytest.mark.slow
def test_an_example_keeps_the_contract(example):
    lines = check(example, SPECS[:1], new_process=False)
    assert lines
    assert [line for line in lines if not line.ok] == []
