"""Random numbers by name."""

from __future__ import annotations

import hashlib

import torch

from ganbench.machine.random_streams import generator, stream_seed


def test_a_stream_follows_from_the_seed_and_its_name():
    digest = hashlib.sha256(b"3:data order:1").digest()
    assert stream_seed(3, "data order", 1) == int.from_bytes(digest[:8], "big") // 2


def test_streams_of_other_names_or_seeds_differ():
    seeds = {stream_seed(seed, name) for seed in range(10) for name in "abc"}
    assert len(seeds) == 30


def test_the_same_stream_draws_the_same_numbers():
    first = torch.randn(5, generator=generator(0, "noise"))
    torch.manual_seed(99)
    second = torch.randn(5, generator=generator(0, "noise"))
    assert torch.equal(first, second)
