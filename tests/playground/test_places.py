"""Places in latent space: the same latents however many are shown, arcs, and moves."""

from __future__ import annotations

import math

import pytest
import torch
from play_doubles import untrained_run

from ganbench.experiment.load_trained import load_trained
from ganbench.machine.device import Device
from ganbench.playground.places import Place, Seeded, latents_at, spherical


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    return load_trained(untrained_run(tmp_path_factory.mktemp("normal")), Device("cpu"))[0]


@pytest.fixture(scope="module")
def uniform(tmp_path_factory):
    run = untrained_run(tmp_path_factory.mktemp("uniform"), latent="uniform")
    return load_trained(run, Device("cpu"))[0]


def test_a_latent_does_not_depend_on_the_others_that_are_asked_for(state):
    alone = latents_at(state, [Place(seed=5, index=7)])
    among = latents_at(state, [Place(seed=5, index=index) for index in range(20)])
    assert torch.equal(alone[0], among[7])
    assert not torch.equal(among[6], among[7])


def test_two_runs_of_equal_latents_have_the_same_ones(state, tmp_path):
    other = load_trained(untrained_run(tmp_path, "dcgan", seed=3), Device("cpu"))[0]
    places = [Place(seed=1, index=index) for index in range(4)]
    assert torch.equal(latents_at(state, places), latents_at(other, places))


def test_the_middle_of_an_arc_halves_the_angle_and_keeps_the_length():
    start, end = torch.tensor([2.0, 0.0]), torch.tensor([0.0, 2.0])
    middle = spherical(start, end, 0.5)
    torch.testing.assert_close(middle, torch.tensor([math.sqrt(2), math.sqrt(2)]))
    torch.testing.assert_close(spherical(start, 2 * end, 1 / 3).norm(), torch.tensor(8 / 3))


@pytest.mark.parametrize("end", [[1.0, 1.0], [-1.0, -1.0], [0.0, 0.0]])
def test_vectors_without_an_arc_between_them_are_joined_by_a_line(end):
    start, end = torch.ones(2), torch.tensor(end)
    torch.testing.assert_close(spherical(start, end, 0.25), start + 0.25 * (end - start))


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_an_interpolation_begins_and_ends_at_its_samples(state, share):
    place = Place(seed=2, index=3, toward=Seeded(seed=2, index=9), share=share)
    end = Place(seed=2, index=9 if share else 3)
    torch.testing.assert_close(latents_at(state, [place]), latents_at(state, [end]))


def test_uniform_latents_are_joined_by_a_straight_line(uniform):
    ends = latents_at(uniform, [Place(seed=2, index=3), Place(seed=2, index=9)])
    place = Place(seed=2, index=3, toward=Seeded(seed=2, index=9), share=0.25)
    torch.testing.assert_close(latents_at(uniform, [place])[0], 0.75 * ends[0] + 0.25 * ends[1])


def test_a_move_is_measured_in_standard_deviations_of_the_latents(uniform):
    directions = torch.eye(8)[:3]
    still, moved = latents_at(
        uniform,
        [Place(seed=0, index=0), Place(seed=0, index=0, moves=(0.0, 2.0))],
        directions,
    )
    expected = torch.zeros(8)
    expected[1] = 2 / math.sqrt(3)  # of uniform numbers from -1 to 1
    torch.testing.assert_close(moved - still, expected, rtol=0.03, atol=1e-6)


def test_a_move_without_its_direction_is_refused(state):
    with pytest.raises(ValueError, match="without their directions"):
        latents_at(state, [Place(seed=0, index=0, moves=(1.0,))])
