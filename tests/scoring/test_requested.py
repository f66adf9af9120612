"""Images that are asked of a generator, and their way to files of other tools."""

from __future__ import annotations

import math
from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import stats

from ganbench.check.trial import SPECS, accepted, small_trials
from ganbench.errors import UsageError
from ganbench.scoring import draw
from ganbench.scoring.requested import (
    PATH_LENGTH,
    SampleRequest,
    drawn,
    interpolated,
    truncated,
)
from ganbench.scoring.single_files import check_target, write_images
from ganbench.variant.registry import resolve

CPU = SimpleNamespace(torch=torch.device("cpu"))


@cache
def trained(name):
    (resolved,) = resolve([name])
    trial = small_trials(resolved.variant, accepted(resolved.variant, SPECS))[0]
    return trial.create(), trial.spec


# --- Latents


@pytest.mark.parametrize("threshold", [0.5, 2.0])
def test_truncated_latents_are_draws_of_the_truncated_normal(threshold):
    latents = torch.randn(20_000, generator=torch.Generator().manual_seed(0))
    values = truncated(latents, threshold)
    assert float(values.abs().max()) <= threshold
    expected = stats.truncnorm(-threshold, threshold)
    assert stats.kstest(values.numpy(), expected.cdf).pvalue > 0.01


def test_truncation_far_out_changes_nothing_and_keeps_the_order():
    latents = torch.randn(500, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(truncated(latents, 8.0), latents, atol=1e-5, rtol=1e-5)
    assert torch.equal(truncated(latents, 0.3).argsort(), latents.argsort())


def test_a_way_begins_and_ends_at_its_latents():
    first, last = torch.randn(2, 3, 10, generator=torch.Generator().manual_seed(0))
    for spherical in (True, False):
        ways = interpolated(first, last, 5, spherical=spherical).view(3, 5, 10)
        torch.testing.assert_close(ways[:, 0], first)
        torch.testing.assert_close(ways[:, -1], last)


def test_the_arc_keeps_the_length_that_the_line_loses():
    first, last = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])
    arc = interpolated(first, last, 3, spherical=True)
    torch.testing.assert_close(arc[1], torch.full((2,), math.sqrt(0.5)))
    line = interpolated(first, last, 3, spherical=False)
    torch.testing.assert_close(line[1], torch.full((2,), 0.5))


# --- Requests


def test_images_of_one_seed_are_the_same_with_and_without_a_request():
    state, spec = trained("mlp")
    images, shown, notes = drawn(state, spec, CPU, SampleRequest(5, seed=3))
    expected = draw.draw(state, CPU, draw.latents(state, 5, 3, "sample"))
    assert torch.equal(images, expected)
    assert (shown, notes) == ("", ())


def test_each_way_of_a_variant_by_class_keeps_its_class():
    state, spec = trained("cgan")
    given = []
    with state.sampler.register_forward_pre_hook(lambda _, inputs: given.append(inputs[1])):
        drawn(state, spec, CPU, SampleRequest(2 * PATH_LENGTH, interpolate=True))
    classes = torch.cat(given)
    assert classes.tolist() == [0] * PATH_LENGTH + [1] * PATH_LENGTH


def test_a_class_is_given_by_name_or_number():
    state, spec = trained("cgan")
    by_name = drawn(state, spec, CPU, SampleRequest(3, class_name=spec.class_names[2]))
    by_number = drawn(state, spec, CPU, SampleRequest(3, class_name="2"))
    assert torch.equal(by_name[0], by_number[0])
    assert by_number[1] == f"class {spec.class_names[2]}"


@pytest.mark.parametrize(
    ("name", "request_", "message"),
    [
        ("mlp", SampleRequest(1, class_name="3"), "takes no class"),
        ("mlp", SampleRequest(1, prompt="a 3"), "takes no prompt"),
        ("cgan", SampleRequest(1, prompt="a 3"), "takes a class and no text"),
        ("cgan", SampleRequest(1, prompt="a 3", class_name="3"), "give one of them"),
        ("cgan", SampleRequest(1, class_name="99"), "unknown class"),
        ("mlp", SampleRequest(1, truncation=0.0), "leaves no latent"),
        ("texthash-naive", SampleRequest(1, prompt="one", interpolate=True), "nothing to"),
    ],
)
def test_what_a_variant_cannot_be_asked_for_is_one_line(name, request_, message):
    state, spec = trained(name)
    with pytest.raises(UsageError, match=message) as caught:
        drawn(state, spec, CPU, request_)
    assert "\n" not in str(caught.value)


def test_uniform_latents_have_no_tails_to_truncate():
    (resolved,) = resolve(["mlp"])
    trial = small_trials(resolved.variant, SPECS[:1])[0]
    trial = type(trial)(trial.variant, trial.recipe.override({"latent": "uniform"}), trial.spec)
    with pytest.raises(UsageError, match="normally distributed"):
        drawn(trial.create(), trial.spec, CPU, SampleRequest(1, truncation=1.0))


# --- Files


@pytest.mark.parametrize("channels", [1, 3])
def test_single_images_keep_every_pixel(channels, tmp_path):
    images = torch.randint(256, (4, channels, 6, 6)).to(torch.uint8)
    write_images(images, tmp_path / "folder")
    write_images(images, tmp_path / "file.npz")
    expected = images.permute(0, 2, 3, 1).numpy()
    files = sorted((tmp_path / "folder").iterdir())
    assert [file.name for file in files] == [f"{place:06}.png" for place in range(4)]
    pixels = [np.asarray(Image.open(file)).reshape(6, 6, channels) for file in files]
    np.testing.assert_array_equal(np.stack(pixels), expected)
    with np.load(tmp_path / "file.npz") as archive:
        np.testing.assert_array_equal(archive["arr_0"], expected)


def test_files_that_are_there_are_not_overwritten(tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    for target, message in (("full", "holds files already"), ("file", "is a file")):
        with pytest.raises(UsageError, match=message):
            check_target(tmp_path / target, is_points=False)
    with pytest.raises(UsageError, match=r"no folder and no \.npz file"):
        check_target(tmp_path / "a.zip", is_points=False)
    with pytest.raises(UsageError, match="points are no pictures"):
        check_target(tmp_path / "new", is_points=True)
    check_target(tmp_path / "new", is_points=False)
