"""Truncation: what it does to each kind of generator, and where it is refused."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from play_doubles import untrained_run

from ganbench.errors import UsageError
from ganbench.machine.device import Device
from ganbench.playground.choices import find_choices
from ganbench.playground.generator import Generator, Wanted
from ganbench.playground.places import SAMPLES, Place, latents_at
from ganbench.playground.truncation import truncation_of

PLACES = [Place(seed=0, index=index) for index in range(5)]


def generator(path, *arguments, **numbers):
    untrained_run(path, *arguments, **numbers)
    return Generator(find_choices([path])[0][0], Device("cpu"))


def test_scaled_latents_are_what_a_usual_generator_draws(tmp_path):
    own = generator(tmp_path)
    half = own.draw(PLACES, Wanted(truncation=0.5))
    with torch.inference_mode():
        expected = own.state.form.to_stored(
            own.state.generator(0.5 * latents_at(own.state, PLACES))
        )
    assert torch.equal(half, expected)
    assert not torch.equal(half, own.draw(PLACES, Wanted()))


def test_latents_scaled_to_nothing_all_draw_one_image(tmp_path):
    images = generator(tmp_path).draw(PLACES, Wanted(truncation=0))
    assert torch.equal(images, images[:1].expand_as(images))


def test_a_mapping_network_is_truncated_at_the_mean_of_its_styles(tmp_path):
    own = generator(tmp_path, "stylegan2", discriminator_width=4, mapping_layers=2)
    assert own.truncation.kind == "mapping"
    network = own.state.generator
    drawn = own.draw(PLACES[:1], Wanted(truncation=0))
    with torch.inference_mode():
        many = own.state.latents(20_000, torch.Generator().manual_seed(3))
        mean = own.state.form.to_stored(network.synthesis(network.styles(many).mean(0)[None]))
    assert (drawn.float() - mean.float()).abs().mean() < 2  # grey values; the mean is of 4,096
    assert not network.training
    whole = own.draw(PLACES, Wanted(truncation=1))
    assert (whole.float() - drawn.float()).abs().mean() > 2


def test_a_variant_with_latents_of_its_own_is_not_truncated(tmp_path):
    own = generator(tmp_path)
    own.state = dataclasses.replace(
        own.state, latent_sampler=lambda count, stream: torch.rand(count, 8, generator=stream)
    )
    assert truncation_of(own.state).kind == "none"
    with pytest.raises(UsageError, match="truncation makes no sense"):
        own.draw(PLACES, Wanted(truncation=0.5))
    assert len(own.draw(PLACES, Wanted())) == len(PLACES) < SAMPLES
