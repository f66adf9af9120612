"""The contract sees each way of breaking it. The victims are small files, changed in one place."""

from __future__ import annotations

import pytest
import torch

from ganbench.check import CheckLine, check
from ganbench.check.trial import SPECS
from ganbench.variant.registry import resolve

GOOD = '''"""One linear layer each way, with text."""
import torch
from torch import nn
from pydantic import Field
import ganbench
from ganbench import Condition, UsageError, Variant, losses, text

class Recipe(ganbench.Recipe):
    hashes: int = Field(2, ge=1)

class Generator(nn.Module):
    def __init__(self, recipe, dataset):
        super().__init__()
        self.shape = (dataset.channels, recipe.image_size, recipe.image_size)
        pixels = dataset.channels * recipe.image_size**2
        self.linear = nn.Linear(recipe.latent_dim + SIZE, pixels)

    def forward(self, latent, condition):
        flat = self.linear(torch.cat([latent, condition], 1))
        return flat.tanh().unflatten(1, self.shape)

class Discriminator(nn.Module):
    def __init__(self, recipe, dataset):
        super().__init__()
        self.linear = nn.Linear(dataset.channels * recipe.image_size**2 + SIZE, 1)

    def forward(self, images, condition):
        return self.linear(torch.cat([images.flatten(1), condition], 1))

def condition(recipe, dataset):
    return Condition(lambda words: text.signed_hash_vector(words, SIZE, recipe.hashes), SIZE)

SIZE = 16
VARIANT = Variant(
    title="Linear", paper="none", recipe=Recipe(image_size=16, latent_dim=8, dataset="digits"),
    generator=Generator, discriminator=Discriminator, losses=losses.bce, condition=condition,
)
'''
NAMES = [
    "says what it is",
    "builds its networks",
    "draws images in [-1, 1]",
    "has finite losses",
    "reports D(x) and D(G(z))",
    "moves in a step what it trains",
    "repeats itself with the same seed",
    "begins elsewhere with another seed",
    "goes on from a checkpoint",
    "takes any recipe number",
    "takes recipe numbers as text",
    "encodes prompts the same for ever",
    "leaves torch's settings alone",
]


@pytest.fixture
def checked(tmp_path):
    """Check the good file with some texts replaced."""

    def run(*changes, new_process=False):
        text = GOOD
        for old, new in changes:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        (tmp_path / "victim.py").write_text(text)
        victim = resolve([str(tmp_path / "victim.py")])[0]
        return check(victim, SPECS[:1], new_process=new_process)  # which takes seconds to start

    return run


def broken(lines):
    return {line.name: line.detail for line in lines if not line.ok}


def test_a_good_variant_passes_all_checks_in_order(checked):
    lines = checked()
    assert broken(lines) == {}
    assert [line.name for line in lines] == NAMES
    assert lines[2] == CheckLine("draws images in [-1, 1]", ok=True, detail="1×16×16, 1×32×32")


def test_a_variant_may_refuse_other_sizes_than_its_own(checked):
    refusal = "        if recipe.image_size != 16: raise UsageError('16 only')\n        self.shape"
    lines = checked(("        self.shape", refusal))
    assert lines[2].detail == "1×16×16"
    assert broken(lines) == {}


def test_a_variant_may_refuse_widths_that_are_very_small(checked):
    group = (
        "        if recipe.generator_width % 32: raise ValueError('32 groups')\n        self.shape"
    )
    assert broken(checked(("        self.shape", group))) == {}


BUILD = "        self.shape"  # a line of the generator's constructor
SCORE = "self.linear(torch.cat([images.flatten(1), condition], 1))"
ENCODE = "text.signed_hash_vector(words, SIZE, recipe.hashes)"
FIELD = "hashes: int = Field(2, ge=1)"
COUNTING = ".add(self.__dict__.setdefault('calls', [0]).append(1) or len(self.calls)).tanh()"
OUTPUT = "ganbench.LossOutput"
LATER = "step=lambda step, batches: step.alternate(batches) if step.share < 0.4 else 1 / 0"
TWO = "scalars={'two': torch.ones(2)}"
SALTED = "torch.tensor([float(hash(words) % 97), *range(SIZE - 1)], dtype=torch.float32)"


def losses(d_loss, g_loss):
    """Replace the losses by two expressions of `d`, `r` and `f`."""
    pair = f"lambda d, r, f: {d_loss}, lambda d, r, f: {g_loss}"
    return ("losses.bce", f"lambda recipe, dataset: ganbench.Losses({pair})")


def first(line):
    """Run a line in the generator's constructor."""
    return (BUILD, f"        {line}\n{BUILD}")


(
    SAYS,
    BUILDS,
    DRAWS,
    LOSSES,
    REPORTS,
    MOVES,
    REPEATS,
    BEGINS,
    RESTORES,
    NUMBERS,
    TEXTS,
    PROMPTS,
    (SETTINGS),
) = NAMES
BREAKING = [
    (SAYS, "title must be one line", ('title="Linear"', 'title=""')),
    (SAYS, "paper must be one line", ('paper="none"', "paper=3")),
    (SAYS, "losses must be a function", ("losses=losses.bce", "losses=3")),
    (SAYS, "dataset 'digit' is unknown", ('"digits"', '"digit"')),
    (SAYS, "'sigmoid'", ("condition=condition", "condition=condition, output='sigmoid'")),
    (BUILDS, "AttributeError", ("recipe.latent_dim + SIZE", "recipe.latent_dims")),
    (BUILDS, "(line 14)", first("1 / 0")),
    (
        BUILDS,
        "the generator has no parameters to train",
        ("nn.Linear(recipe", "torch.rand # (recipe"),
    ),
    (BUILDS, "SystemExit: 3", first("raise SystemExit(3)")),
    (DRAWS, "1×16×16: the generator draws pixels between -", (".tanh()", ".mul(9)")),
    (DRAWS, "draws pixels that are not finite", (".tanh()", ".mul(0).div(0)")),
    (DRAWS, "draws torch.float64 and not torch.float32", (".tanh()", ".tanh().double()")),
    (DRAWS, "draws (4, 1, 256, 1) and not (4, 1, 16, 16)", ("self.shape)", "(1, -1, 1))")),
    (LOSSES, "d_loss is nan", (SCORE, f"{SCORE}.mul(0).log()")),
    (
        REPORTS,
        "by returning a ganbench.LossOutput",
        (SCORE, f"({SCORE}, 3)"),
        losses("d(r)[0].mean()", "d(f)[0].mean()"),
    ),
    (
        REPORTS,
        "penalty is recorded with shape (2,)",
        losses(
            "ganbench.LossOutput(d(r).mean(), scalars={'penalty': torch.ones(2)})", "d(f).mean()"
        ),
    ),
    (LOSSES, "d_loss is inf", losses("d(r).mean().exp() / 0", "d(f).mean()")),
    (LOSSES, "g_loss returns no scalar", losses("d(r).mean()", "d(f)")),
    (LOSSES, "d_loss returns no scalar", losses("0.0", "d(f).mean()")),
    (LOSSES, "changes the images", ("images.flatten(1)", "images.mul_(0.5).flatten(1)")),
    (
        MOVES,
        "the generator does not move",
        losses("d(r).mean()", "d(f.detach()).mean() + 0 * f.sum()"),
    ),
    (MOVES, "generator's linear.weight is not", losses("d(r).mean()", "(d(f) * 0).sqrt().mean()")),
    (REPEATS, "the generator ends with other weights", first("torch.seed()")),
    (REPEATS, "ZeroDivisionError", ("condition=condition", f"condition=condition, {LATER}")),
    (BEGINS, "the generator has the same weights with any seed", first("torch.manual_seed(3)")),
    (RESTORES, "the generator goes on differently", (".tanh()", COUNTING)),
    (NUMBERS, "latent_dim=16 fails: RuntimeError", ("recipe.latent_dim + SIZE", "8 + SIZE")),
    (
        NUMBERS,
        "hashes can have no other value than 2",
        (FIELD, "hashes: int = Field(2, ge=2, le=2)"),
    ),
    (TEXTS, "extra cannot be given as text", (FIELD, "hashes: int = 2; extra: tuple[int] = (1,)")),
    (PROMPTS, "encodes as (16,), not (17,)", ("hashes), SIZE", "hashes), SIZE + 1")),
    (PROMPTS, "encodes as torch.float64", (ENCODE, f"{ENCODE}.double()")),
    (PROMPTS, "each caption is encoded alike", (ENCODE, "torch.zeros(SIZE)")),
    (PROMPTS, "differently the second time", (ENCODE, "torch.rand(SIZE)")),
    (PROMPTS, "'' is encoded by infinite", (ENCODE, "torch.ones(SIZE) / len(words)")),
    (PROMPTS, "builds no ganbench.Condition", ("return Condition(", "return 3; (")),
    (PROMPTS, "cannot replace the latent", ("hashes), SIZE", "hashes), SIZE, 'latent'")),
    (SETTINGS, "deterministic algorithms", first("torch.use_deterministic_algorithms(True)")),
    (SETTINGS, "the default dtype", first("torch.set_default_dtype(torch.float64)")),
    (
        SETTINGS,
        "changes the default dtype when it is imported",
        ("SIZE = 16", "SIZE = 16; torch.set_default_dtype(torch.float64)"),
    ),
]


@pytest.mark.parametrize(("name", "detail", "changes"), [(a, b, c) for a, b, *c in BREAKING])
def test_a_broken_rule_is_seen(checked, name, detail, changes):
    found = broken(checked(*changes))
    assert detail in found.get(name, ""), found
    assert torch.get_default_dtype() == torch.float32
    assert not torch.are_deterministic_algorithms_enabled()


def test_a_variant_that_cannot_be_built_is_not_checked_further(checked):
    lines = checked(first("1 / 0"))
    assert [(line.name, line.ok) for line in lines] == [(SAYS, True), (BUILDS, False)]


def test_a_salted_hash_is_seen_in_a_new_process(checked):
    found = broken(checked((ENCODE, SALTED), new_process=True))
    assert found == {PROMPTS: "a new process encodes the captions differently"}


def test_each_check_is_reported_before_it_runs(checked, tmp_path):
    checked()
    seen = []
    check(resolve([str(tmp_path / "victim.py")])[0], SPECS[:1], lambda *given: seen.append(given))
    assert seen == [(f"victim {name}", number, 13) for number, name in enumerate(NAMES)]


def test_checking_leaves_the_random_numbers_as_they_were(checked):
    state = torch.get_rng_state()
    checked()
    assert torch.equal(torch.get_rng_state(), state)
