"""Degenerate features are said: hardly any variance, or values beyond all real ones by orders."""

import numpy as np
import pytest
import torch
from metrics_doubles import certain, clusters

from ganbench.scoring.metrics.all_scores import score
from ganbench.scoring.metrics.cautions import cautions
from ganbench.scoring.metrics.modes import Modes


def notes_of(real, fake, inside=None):
    labels = torch.arange(len(real)) % 10
    return cautions(real, fake, Modes.of(certain(torch.arange(len(fake)) % 10), labels, inside))


@pytest.fixture
def real():
    return clusters(500, 0).vectors


def test_real_images_need_no_caution(real):
    assert notes_of(real, clusters(400, 1).vectors) == ()


def test_equal_generated_images_are_said(real):
    (note,) = notes_of(real, real[:1].repeat(300, 1) * (1 + 1e-7 * torch.rand(300, 1)))
    assert note == "the generated images are all but equal to the backbone"


def test_equal_real_images_are_said(real):
    (note,) = notes_of(real[:1].repeat(300, 1), real)
    assert note.startswith("the real images are all but equal to the backbone")
    both = notes_of(real[:1].repeat(300, 1), real[:1].repeat(40, 1))
    assert len(both) == 2


def test_features_far_beyond_all_real_ones_are_said_with_how_far(real):
    centre = real.double().mean(0)
    radius = (real.double() - centre).norm(dim=1).max()
    out = centre + 5000 * radius * torch.nn.functional.normalize(torch.ones(16).double(), dim=0)
    fake = torch.cat([real[:50], out[None].float()])
    (note,) = notes_of(real, fake)
    assert "up to 5,000 times as far out" in note
    assert notes_of(real, centre.float() + 20 * (real - centre.float())) == ()


@pytest.mark.parametrize(("times", "is_said"), [(99.9, False), (100.1, True)])
def test_a_hundred_times_as_far_out_as_any_real_image_is_far(real, times, is_said):
    centre = real.double().mean(0)
    distances = (real.double() - centre).norm(dim=1)
    farthest = real.double()[distances.argmax()]
    fake = torch.cat([real[:50].double(), (centre + times * (farthest - centre))[None]])
    assert bool(notes_of(real, fake)) == is_said


def test_images_outside_the_distribution_are_said_where_they_are_most(real):
    random = np.random.default_rng(0)
    fake = clusters(400, 1).vectors
    (note,) = notes_of(real, fake, torch.from_numpy(random.permutation(400) < 100))
    assert note.startswith("75% of the generated images are outside the distribution")
    assert notes_of(real, fake, torch.arange(400) < 300) == ()


def test_the_notes_stand_beside_the_scores(real):
    data, fake = clusters(500, 0), clusters(400, 1)
    repeated = fake.repeat(3, 400)
    scored = score(data, repeated, real_labels=data.labels, backbone="classifier")
    assert scored.notes == ("the generated images are all but equal to the backbone",)
    assert score(data, fake, real_labels=data.labels, backbone="classifier").notes == ()
