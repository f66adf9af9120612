"""One run on several processes: what is left of it, and how it ends when one of them does."""

from __future__ import annotations

import os
import signal

import launch_doubles
import psutil
import pytest
import torch
from launch_doubles import display, planned, said

from ganbench.errors import GanbenchError
from ganbench.launch import local
from ganbench.launch.run_job import run_job
from ganbench.machine.interrupt import Stopped

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("digits_backbone")]

ENDING = '''"""Ends in a way of its own, at its third step."""
import os, signal
import torch
import ganbench
from ganbench.variants import mlp

class Recipe(ganbench.Recipe):
    """Which process does what."""

    killed: int = -1
    raising: int = -1
    diverging: bool = False
    stopping: int = -1
    keeping: bool = False

class Kept(torch.nn.Module):
    """A buffer."""

    def __init__(self):
        super().__init__()
        self.register_buffer("brightness", torch.zeros(()))

def objectives(recipe, dataset):
    usual = ganbench.losses.bce(recipe, dataset)
    def d_loss(discriminator, real, fake, context):
        output = usual.d_loss(discriminator, real, fake)
        rank = torch.distributed.get_rank()
        if recipe.keeping:
            context.networks["losses"].brightness.copy_(real.mean())
        if context.step != 3:
            return output
        if rank == recipe.killed:
            os.kill(os.getpid(), signal.SIGKILL)
        if rank == recipe.raising:
            raise ValueError("a share that I do not like")
        if rank == 0 and recipe.stopping > 0:
            os.kill(recipe.stopping, signal.SIGTERM)
        if rank == 1 and recipe.diverging:
            return output * float("nan")
        return output
    return ganbench.Losses(d_loss, usual.g_loss, Kept())

VARIANT = ganbench.Variant(
    title="Ending", paper="",
    recipe=Recipe(image_size=28, generator_width=8, discriminator_width=8, batch_size=32),
    generator=mlp.generator, discriminator=mlp.discriminator, losses=objectives,
)
'''


def launched(root, cache_root, shown=None, **changes):
    context = launch_doubles.context(root, cache_root)
    runs = local.launch(planned(**changes), context, shown or display())
    return runs[0]


def networks(stored):
    values = torch.load(stored.checkpoint, weights_only=True)["networks"]
    return {
        f"{name}.{key}": weight
        for name in ("generator", "discriminator")
        for key, weight in values[name].items()
    }


@pytest.fixture
def ending(tmp_path):
    file = tmp_path / "ending.py"
    file.write_text(ENDING, encoding="utf-8")
    return {"variants": (str(file),), "processes_per_run": 2, "set": (), "budget": "9steps"}


def test_a_run_goes_on_with_another_number_of_processes(tmp_path, cache_root):
    """With one, with two and with one again: the weights are those of one process all along."""
    parts = tmp_path / "parts"
    launched(parts, cache_root, budget="4steps")
    shown = display()
    two = launched(parts, cache_root, shown, budget="8steps", processes_per_run=2)
    one = launched(parts, cache_root, budget="12steps")
    (job,) = planned(budget="12steps").jobs
    whole = run_job(job, launch_doubles.resources(tmp_path / "whole", cache_root))
    assert one.result.run_id == whole.result.run_id
    assert one.result.steps == 12
    assert "goes on at step 4" in said(shown)
    assert "processes_per_run 1 is now 2" in " ".join(two.result.notes)
    assert two.result.environment["processes_per_run"] == 2
    assert two.result.asked["processes_per_run"] == 2
    for name, weight in networks(whole).items():
        assert torch.allclose(networks(one)[name], weight, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("rank", [0, 1])
def test_where_a_process_is_killed_all_end(tmp_path, cache_root, ending, rank):
    changes = {**ending, "set": (f"killed={rank}",)}
    with pytest.raises(GanbenchError, match=f"process {rank} of the 2 of a run was ended"):
        launched(tmp_path, cache_root, **changes)
    assert_none_is_left()


def test_what_a_variant_raises_in_another_process_is_a_failed_row(tmp_path, cache_root, ending):
    run = launched(tmp_path, cache_root, **{**ending, "set": ("raising=1",)})
    assert run.result.status == "failed"
    assert "a share that I do not like" in run.result.reason
    assert_none_is_left()


def test_a_buffer_that_holds_what_one_process_has_seen_is_named(tmp_path, cache_root, ending):
    run = launched(tmp_path, cache_root, **{**ending, "set": ("keeping=true",)})
    assert run.result.status == "failed"
    assert "losses.brightness: not the same in the 2 processes" in run.result.reason
    assert "ganbench.losses.whole_mean" in run.result.reason


def test_where_one_share_diverges_the_run_does(tmp_path, cache_root, ending):
    run = launched(tmp_path, cache_root, **{**ending, "set": ("diverging=true",)})
    assert (run.result.status, run.result.reason) == ("diverged", "d_loss is not finite at step 3")


def test_a_request_to_stop_saves_the_run_and_the_same_command_goes_on(tmp_path, cache_root, ending):
    changes = {**ending, "set": (f"stopping={os.getpid()}",), "budget": "3000steps"}
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Stopped):
        launched(tmp_path, cache_root, **changes)
    assert signal.getsignal(signal.SIGTERM) is before
    assert_none_is_left()
    shown = display()
    run = launched(tmp_path, cache_root, shown, **changes)
    assert "goes on at step" in said(shown)
    assert (run.result.status, run.result.steps) == ("ok", 3000)


def assert_none_is_left():
    """No process of a run goes on; servers that start processes do."""
    here = psutil.Process()
    started = [one for one in here.children(recursive=True) if one.status() != "zombie"]
    lines = [" ".join(one.cmdline()) for one in started]
    workers = [line for line in lines if "forkserver" not in line and "tracker" not in line]
    assert workers == []
