"""What a run needs at least, counted from shapes alone."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from ganbench.errors import UsageError
from ganbench.experiment import memory_needed, plan
from ganbench.experiment.suite import Suite
from ganbench.machine import device


def networks():
    with torch.device("meta"):
        return {
            "generator": nn.Sequential(nn.Linear(10, 20), nn.ReLU(), nn.Linear(20, 5)),
            "discriminator": nn.Sequential(nn.Flatten(), nn.Linear(5, 1)),
        }


def test_what_is_kept_for_gradients_is_each_layers_input_once():
    # latents, the rectified values (which the next layer takes), images: 10, 20 and 5 numbers
    assert memory_needed.kept_bytes(networks(), fakes=7, latent_dim=10) == 4 * 7 * (10 + 20 + 5)


def test_networks_that_need_more_than_latents_are_counted_as_far_as_they_come():
    both = networks()
    both["discriminator"] = nn.Bilinear(5, 5, 1, device="meta")
    assert memory_needed.kept_bytes(both, fakes=7, latent_dim=10) == 4 * 7 * (10 + 20)
    both["generator"] = nn.Bilinear(5, 5, 1, device="meta")
    assert memory_needed.kept_bytes(both, fakes=7, latent_dim=10) == 0


def made(kind="cpu", **changes):
    suite = Suite(variants=("dcgan",), dataset="digits", set=("batch_size=65536",), **changes)
    return plan.make(suite, device=kind, data_root=Path())


def test_activations_that_the_machine_cannot_hold_are_refused_with_their_size(monkeypatch):
    assert made().jobs
    monkeypatch.setattr(memory_needed, "host_memory_bytes", lambda: 2**30)
    monkeypatch.setattr(memory_needed, "_WORTH_A_LOOK", 2**20)
    with pytest.raises(UsageError, match=r"activations of one step need at least [\d.]+ GiB") as it:
        made()
    assert "this machine has 1.0 GiB" in str(it.value)
    assert "batch_size=65536" in str(it.value)
    assert made(compile=True).jobs  # may keep less


@pytest.mark.parametrize(("card", "is_refused"), [(2**28, True), (2**40, False), (None, False)])
def test_on_cuda_the_largest_card_counts_where_it_is_known(monkeypatch, card, is_refused):
    monkeypatch.setattr(memory_needed, "_WORTH_A_LOOK", 2**20)
    monkeypatch.setattr(device, "largest_card_bytes", lambda: card)
    if is_refused:
        with pytest.raises(UsageError, match="the largest card here has"):
            made("cuda")
    else:
        assert made("cuda").jobs
