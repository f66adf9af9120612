"""GANs of the literature, each in one file beside this one, prove the plug-in interface."""

from __future__ import annotations

import dataclasses
import io
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from doubles import tiny_spec, tiny_split

from ganbench.check import check
from ganbench.check.trial import SPECS, Trial
from ganbench.machine.device import choose
from ganbench.training.session import Session
from ganbench.training.state import TrainState
from ganbench.training.step import Batches, train_step
from ganbench.variant.budget import Budget
from ganbench.variant.registry import entries, resolve

FOLDER = Path(__file__).parent
PLUGINS = sorted(path.stem for path in FOLDER.glob("*.py") if "\nVARIANT = " in path.read_text())
PATHS = {name: str(FOLDER / f"{name}.py") for name in PLUGINS}
BUILT_IN = {entry.name: entry.name for entry in entries() if entry.kind == "built-in"}
EVERYTHING = {**PATHS, **BUILT_IN}

SPEC = tiny_spec(channels=3, classes=10, count=40)
SMALL = {"generator_width": 8, "discriminator_width": 8, "image_size": 32, "batch_size": 8}
STEPS = 9
SOONER = {"lecam_start": 3, "r1_interval": 3, "path_interval": 2, "ada_interval": 2}


def broken(lines):
    return [f"{line.name}: {line.detail}" for line in lines if not line.ok]


def small(name, **numbers):
    """A variant with a recipe of few numbers, whose rarer events come sooner."""
    variant = resolve([EVERYTHING.get(name, name)])[0].variant
    fields = type(variant.recipe).model_fields
    sooner = {key: value for key, value in SOONER.items() if key in fields}
    return variant, variant.recipe.override({**SMALL, **sooner, **numbers})


def changed(folder, name, old, new):
    """Path of a copy of a plug-in in which one text is replaced."""
    text = (FOLDER / f"{name}.py").read_text()
    assert text.count(old) == 1
    path = folder / f"{name}.py"
    path.write_text(text.replace(old, new))
    return str(path)


# --- The contract


@pytest.mark.parametrize("name", PLUGINS)
def test_a_plugin_keeps_the_contract_on_grey_images(name):
    assert broken(check(resolve([PATHS[name]])[0], SPECS[:1])) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", PLUGINS)
def test_a_plugin_keeps_the_contract_on_all_kinds_of_images(name):
    assert broken(check(resolve([PATHS[name]])[0])) == []


def test_a_plugin_of_the_first_interface_keeps_the_contract(tmp_path):
    """The README's plug-in as it was under version 1."""
    path = tmp_path / "sn_dcgan.py"
    path.write_text((FOLDER / "readme_version_1.py.txt").read_text())
    assert broken(check(resolve([str(path)])[0], SPECS[:1])) == []


# --- Going on from a checkpoint


def begun(name):
    variant, recipe = small(name)
    if not (recipe.ema_decay or recipe.ema_half_life_kimg):
        recipe = recipe.override({"ema_decay": 0.9})
    state = TrainState.create(variant, recipe, SPEC, torch.device("cpu"), 0)
    state.train()
    budget = Budget(STEPS, "steps")
    return Session(state, tiny_split(SPEC), SPEC, choose("cpu"), 0, budget=budget)


def advance(session, steps):
    for _ in range(steps):
        session.advance()


def leaves(value, path=""):
    """Tensors and numbers of nested dictionaries and lists, by their path."""
    if isinstance(value, dict | list | tuple):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        return {
            key: leaf for at, held in items for key, leaf in leaves(held, f"{path}/{at}").items()
        }
    return {path: value}


def differences(first, second):
    """Paths at which two nested states differ in a bit."""
    first, second = leaves(first), leaves(second)
    assert first.keys() == second.keys()

    def same(one, other):
        if isinstance(one, torch.Tensor):
            return one.dtype == other.dtype and torch.equal(one, other)
        return one == other

    return [path for path, value in first.items() if not same(value, second[path])]


def drawn(session):
    """Images of the generator and of its moving average, without a trace in the training."""
    state = session.state
    latent = state.latents(4, torch.Generator().manual_seed(0))
    given = [torch.arange(4)] if state.takes_condition else []
    images = []
    for network in (state.generator, state.sampler):
        network.eval()
        with torch.no_grad(), session.isolated_rng("test"):
            images.append(network(latent, *given))
        network.train()
    return torch.stack(images)


def without_times(history):
    return [{name: value for name, value in row.items() if "second" not in name} for row in history]


def resumed_differently(name):
    """What differs between a run that went on from a checkpoint and one that was never stopped."""
    stop = random.Random(Path(name).stem).randint(3, STEPS - 1)  # growth has begun by then
    whole = begun(name)
    advance(whole, stop)
    images = drawn(whole)
    file = io.BytesIO()
    torch.save(whole.checkpoint(), file)
    advance(whole, STEPS - stop)

    torch.manual_seed(12345)  # another process has another global state
    resumed = begun(name)
    file.seek(0)
    resumed.restore(torch.load(file, weights_only=True))
    found = [] if torch.equal(drawn(resumed), images) else ["the images after it was restored"]
    advance(resumed, STEPS - stop)
    found += differences(whole.state.state_dict(), resumed.state.state_dict())
    histories = without_times(whole.history), without_times(resumed.history)
    return found + differences(*histories)


@pytest.mark.parametrize("name", PLUGINS)
def test_a_plugin_that_is_stopped_at_any_step_ends_as_one_that_was_not(name):
    assert resumed_differently(name) == []


@pytest.mark.parametrize(
    ("name", "old", "new", "differs"),
    [
        (
            "lecam",
            'self.register_buffer("fake", torch.zeros(()))',
            "self.fake = torch.zeros(())",
            "/discriminator/0.weight",
        ),
        (
            "progressive",
            "self.level = state",
            "return",
            "the images after it was restored",
        ),
    ],
)
def test_state_that_is_not_saved_makes_a_run_end_otherwise(tmp_path, name, old, new, differs):
    assert differs in resumed_differently(changed(tmp_path, name, old, new))


# --- Nothing waits for the device


def on_meta(batch):
    """A batch without values: what asks for one raises."""
    values = {field.name: getattr(batch, field.name) for field in dataclasses.fields(batch)}
    return type(batch)(
        **{
            name: None if value is None else value.to("meta", copy=True)
            for name, value in values.items()
        }
    )


def step_on_meta(name, number=1):
    """One step of a variant on the meta device, where no tensor has a value."""
    variant, recipe = small(name, ema_decay=0.9)
    trial = Trial(variant, recipe, SPEC)
    batches = trial.batches(trial.create())
    state = TrainState.create(variant, recipe, SPEC, torch.device("meta"), 0)
    state.train()
    batches = Batches(
        *(list(map(on_meta, part)) for part in (batches.discriminator, batches.generator))
    )
    return train_step(state, batches, number=number, share=0.5, measure=True)


@pytest.mark.parametrize("name", EVERYTHING)
@pytest.mark.parametrize("number", [1, 5])
def test_a_step_never_asks_for_the_value_of_a_tensor(name, number):
    values = step_on_meta(name, number)
    assert {value.device.type for value in values.values()} == {"meta"}


@pytest.mark.parametrize("asking", ["loss.item()", "loss.cpu()", "assert loss > 0"])
def test_a_loss_that_asks_for_the_value_of_a_tensor_is_caught(tmp_path, asking):
    old = "        return LossOutput(loss, on_real, on_fake, "
    path = changed(tmp_path, "lecam", old, f"        {asking}\n{old}")
    with pytest.raises((RuntimeError, NotImplementedError), match="meta"):
        step_on_meta(path)


# --- A run that is killed


@pytest.mark.slow
def test_a_run_that_is_killed_ends_with_the_weights_of_one_that_was_not(tmp_path, cache_root):
    def command(out):
        numbers = {**SMALL, "batch_size": 32}
        given = [text for key, value in numbers.items() for text in ("--set", f"{key}={value}")]
        return [
            sys.executable, "-m", "ganbench.cli.app", "run", "--variants", PATHS["ada"], *given,
            "--dataset", "digits", "--device", "cpu", "--budget", "300steps",
            "--sample-every", "100epochs", "--out", str(out),
        ]  # fmt: skip

    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command(tmp_path / "killed"), start_new_session=True, **quiet) as process:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and not list(tmp_path.glob("killed/runs/.*/samples")):
            time.sleep(0.02)
        time.sleep(random.uniform(0, 3))
        assert process.poll() is None, "it ended before it was killed"
        os.killpg(process.pid, signal.SIGKILL)
    for out in ("killed", "whole"):
        subprocess.run(command(tmp_path / out), check=True, **quiet)
    ends = []
    for out in ("killed", "whole"):
        (file,) = tmp_path.glob(f"{out}/runs/*/checkpoint.pt")
        ends.append(torch.load(file, weights_only=True)["networks"])
    assert differences(*ends) == []
